/**
 * Who can still bring a step further, for people to read: `Dana Reyes or 2 people in
 * linux-approvers`. Takes the `still_needed` of a step: trees of `{any, of}`, `{all}` and
 * `{either}`. What is none of these is left out.
 *
 * @returns '' when nobody is needed, or nobody is left to ask.
 */
export function neededText(stillNeeded: readonly unknown[]): string {
  const parts = stillNeeded.map((need) => textOf(need, stillNeeded.length > 1));
  return parts.filter((part) => part !== '').join(' and ');
}

function textOf(need: unknown, inner: boolean): string {
  if (typeof need !== 'object' || need === null) return '';
  const { any, of, all, either } = need as Record<string, unknown>;
  if (Array.isArray(of) && typeof any === 'number') return leaf(any, of.map(String));
  const [parts, word] = Array.isArray(all) ? [all, ' and '] : [either, ' or '];
  if (!Array.isArray(parts)) return '';
  const texts = parts.map((part) => textOf(part, parts.length > 1)).filter((t) => t !== '');
  const text = texts.join(word);
  return inner && texts.length > 1 ? `(${text})` : text;
}

function leaf(any: number, of: readonly string[]): string {
  const groups = of.filter((name) => name.startsWith('group:')).map((name) => name.slice(6));
  const people = of.filter((name) => !name.startsWith('group:'));
  if (of.length === 0) return '';
  if (any === 1) return [...people, ...groups.map((g) => `anybody in ${g}`)].join(' or ');
  if (people.length === 0) return `${any} people in ${groups.join(' or ')}`;
  const names = [...people, ...groups.map((g) => `members of ${g}`)];
  return `${any} of ${names.join(', ')}`;
}
