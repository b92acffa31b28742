import { printable } from '@postern/shared';
import type { Place } from './faults.ts';

/**
 * Readers of untrusted values. Each answers the value in its type, or undefined after
 * recording exactly one fault at its place. Nothing is coerced.
 */

export type Fields = Readonly<Record<string, unknown>>;

/** An object with no other fields than `known`; the others are faults of their own. */
export function readFields(
  value: unknown,
  place: Place,
  known: readonly string[],
): Fields | undefined {
  if (value === undefined) return place.fault('missing_field', 'This field is required.');
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return place.fault('wrong_type', 'This must be an object.');
  const fields: Record<string, unknown> = Object.create(null);
  for (const [key, field] of Object.entries(value)) {
    if (known.includes(key)) fields[key] = field;
    else
      place.at(key).fault('unknown_field', `There is no such field; known: ${known.join(', ')}.`);
  }
  return fields;
}

/** A list of `min` to `max` items. The items are not read. */
export function readList(
  value: unknown,
  place: Place,
  { min, max }: { readonly min: number; readonly max: number },
): readonly unknown[] | undefined {
  if (value === undefined) return place.fault('missing_field', 'This list is required.');
  if (!Array.isArray(value)) return place.fault('wrong_type', 'This must be a list.');
  if (value.length < min) return place.fault('empty', 'This list must not be empty.');
  if (value.length > max) return place.fault('too_many', `At most ${max} are allowed.`);
  return value;
}

/** Every item read; undefined stands where one was faulty. */
export function readEach<T>(
  items: readonly unknown[] | undefined,
  place: Place,
  read: (item: unknown, place: Place) => T | undefined,
): readonly (T | undefined)[] | undefined {
  return items && Array.from(items, (item, i) => read(item, place.at(i)));
}

/** The items when all of them could be read. */
export function complete<T>(
  items: readonly (T | undefined)[] | undefined,
): readonly T[] | undefined {
  return items?.every((item) => item !== undefined) ? items : undefined;
}

/** Text of 1 to `max` characters (`min` 0 allows none), with nothing that hides or reorders it. */
export function readText(
  value: unknown,
  place: Place,
  { max, min = 1 }: { readonly max: number; readonly min?: number },
): string | undefined {
  if (value === undefined) return place.fault('missing_field', 'This text is required.');
  if (typeof value !== 'string') return place.fault('wrong_type', 'This must be a text.');
  if (value.length < min) return place.fault('empty', 'This text must not be empty.');
  if (value.length > max) return place.fault('too_long', `At most ${max} characters are allowed.`);
  if (printable(value) !== value)
    return place.fault(
      'unprintable',
      'Control, bidirectional and invisible characters are refused.',
    );
  return value;
}

/** A text that is taken literally: people who write `*` expect a pattern, and would be wrong. */
export function readLiteral(value: unknown, place: Place, max: number): string | undefined {
  const text = readText(value, place, { max });
  if (text !== undefined && /[*?]/.test(text))
    return place.fault('wildcard', 'Wildcards are not supported: name what is meant.');
  return text;
}

export function readBoolean(value: unknown, place: Place): boolean | undefined {
  if (value === undefined) return place.fault('missing_field', 'Say true or false.');
  return typeof value === 'boolean' ? value : place.fault('wrong_type', 'Say true or false.');
}

export function readInteger(
  value: unknown,
  place: Place,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  if (value === undefined) return place.fault('missing_field', 'This number is required.');
  if (typeof value !== 'number') return place.fault('wrong_type', 'This must be a number.');
  if (!Number.isInteger(value) || value < min || value > max)
    return place.fault('out_of_range', `A whole number from ${min} to ${max} is needed.`);
  return value;
}

export function readOneOf<const T extends string>(
  value: unknown,
  place: Place,
  options: readonly T[],
): T | undefined {
  if (value === undefined) return place.fault('missing_field', `Say one of ${options.join(', ')}.`);
  if (typeof value !== 'string') return place.fault('wrong_type', 'This must be a text.');
  const option = options.find((o) => o === value);
  return option ?? place.fault('unknown_value', `Known here: ${options.join(', ')}.`);
}

/** The field that says which kind of object this is, before the others are looked at. */
export function readKind<const T extends string>(
  value: unknown,
  place: Place,
  field: string,
  kinds: readonly T[],
): T | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return place.fault('wrong_type', 'This must be an object.');
  const kind: unknown = Object.hasOwn(value, field) ? Reflect.get(value, field) : undefined;
  return readOneOf(kind, place.at(field), kinds);
}

/** Records one fault for every item whose key stood before. Faulty items are passed over. */
export function refuseRepeated<T>(
  items: readonly (T | undefined)[] | undefined,
  keyOf: (item: T) => string,
  placeOf: (index: number) => Place,
): void {
  const seen = new Set<string>();
  for (const [i, item] of (items ?? []).entries()) {
    if (item === undefined) continue;
    const key = keyOf(item);
    if (seen.has(key)) placeOf(i).fault('duplicate', `${key} is there already.`);
    seen.add(key);
  }
}

/** A list of different literals. */
export function readLiterals<T extends string>(
  value: unknown,
  place: Place,
  limits: { readonly min: number; readonly max: number },
  read: (item: unknown, place: Place) => T | undefined,
): readonly T[] | undefined {
  const items = readEach(readList(value, place, limits), place, read);
  refuseRepeated(
    items,
    (item) => item,
    (i) => place.at(i),
  );
  return complete(items);
}
