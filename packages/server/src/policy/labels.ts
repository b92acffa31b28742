import type { ServerFacts } from './facts.ts';

/**
 * Labels as numbers. Every label key that a policy selects on gets a field of bits, wide
 * enough for the values selected; a server's labels become one number per field, 0 for
 * absent or for a value no policy names. A selector then is one mask and one value per
 * word. The resource group is a field like the others, under the key null.
 */
export interface LabelLayout {
  readonly fields: readonly LabelField[];
  readonly words: number;
}

interface LabelField {
  readonly key: string | null;
  readonly codes: ReadonlyMap<string, number>;
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
}

/** A pair that a server must have: label and value, or null and the id of its resource group. */
export type Wanted = readonly [key: string | null, value: string];

/** ANDed pairs over the layout; almost always the first word alone. */
export interface LabelTest {
  readonly mask: number;
  readonly value: number;
  readonly rest: readonly {
    readonly word: number;
    readonly mask: number;
    readonly value: number;
  }[];
}

/** A server's labels by the layout. `rest[i]` is word i + 1. */
export interface PackedLabels {
  readonly first: number;
  readonly rest: Int32Array | null;
}

/** The most used keys come first, so that most tests need the first word only. */
export function layOut(selections: Iterable<readonly Wanted[]>): LabelLayout {
  const keys = new Map<string | null, { uses: number; codes: Map<string, number> }>();
  for (const selection of selections)
    for (const [key, value] of selection) {
      const found = keys.get(key) ?? { uses: 0, codes: new Map() };
      found.uses += 1;
      if (!found.codes.has(value)) found.codes.set(value, found.codes.size + 1);
      keys.set(key, found);
    }
  const byUse = [...keys].sort(([, a], [, b]) => b.uses - a.uses);
  const used: number[] = [0];
  const fields = byUse.map(([key, { codes }]): LabelField => {
    const width = 32 - Math.clz32(codes.size);
    let word = used.findIndex((bits) => bits + width <= 32);
    if (word === -1) word = used.push(0) - 1;
    const shift = used[word] ?? 0;
    used[word] = shift + width;
    const mask = width === 32 ? -1 : ((1 << width) - 1) << shift;
    return { key, codes, word, shift, mask };
  });
  return { fields, words: used.length };
}

/** The test for `selection`, all of whose pairs the layout knows. */
export function labelTest(layout: LabelLayout, selection: readonly Wanted[]): LabelTest {
  const words = Array.from({ length: layout.words }, (_, word) => ({ word, mask: 0, value: 0 }));
  for (const [key, value] of selection) {
    const field = layout.fields.find((f) => f.key === key);
    const code = field?.codes.get(value);
    const word = field && words[field.word];
    if (field === undefined || code === undefined || word === undefined)
      throw new Error('the layout was made of other selections');
    word.mask |= field.mask;
    word.value |= code << field.shift;
  }
  const [first, ...others] = words;
  return {
    mask: first?.mask ?? 0,
    value: first?.value ?? 0,
    rest: others.filter((word) => word.mask !== 0),
  };
}

export function packLabels(layout: LabelLayout, server: ServerFacts): PackedLabels {
  const words = new Int32Array(layout.words);
  for (const field of layout.fields) {
    const value = field.key === null ? server.resource_group_id : labelOf(server, field.key);
    const code = value === undefined ? undefined : field.codes.get(value);
    if (code !== undefined) words[field.word] = (words[field.word] ?? 0) | (code << field.shift);
  }
  return { first: words[0] ?? 0, rest: words.length > 1 ? words.slice(1) : null };
}

const labelOf = ({ labels }: ServerFacts, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

/** Whether the words after the first match. */
export function restMatches(rest: LabelTest['rest'], labels: PackedLabels): boolean {
  for (const { word, mask, value } of rest)
    if (((labels.rest?.[word - 1] ?? 0) & mask) !== value) return false;
  return true;
}
