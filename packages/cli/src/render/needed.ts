import type { AccessRequest } from '@postern/shared';

/** Who can still bring a request further, e.g. `Dana Reyes or 2 people in linux-approvers`. */
export function stillNeeded(request: AccessRequest): string {
  const step = request.steps.find((s) => s.state === 'current');
  const parts = (step?.still_needed ?? []).map((need) => textOf(need, false));
  return parts.filter((part) => part !== '').join(' and ') || 'nobody at present';
}

/** A tree of `{any, of}`, `{all}` and `{either}`; what it is not is left out. */
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
