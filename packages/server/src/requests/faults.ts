import { printable } from '@postern/shared';

export type FaultCode =
  | 'invalid_type'
  | 'missing'
  | 'unknown_field'
  | 'invalid_value'
  | 'out_of_range'
  | 'duplicate'
  | 'unknown_group'
  | 'unknown_user'
  | 'unknown_answer'
  | 'not_for_purpose'
  | 'not_with_chat';

/** One thing wrong, said once. */
export interface Fault {
  /** RFC 6901 JSON Pointer into what was read. */
  readonly pointer: string;
  readonly code: FaultCode;
  /** What is wrong and what would be right. */
  readonly detail: string;
}

/** Where a value stands, and where its faults go. */
export interface Place {
  readonly pointer: string;
  readonly faults: Fault[];
}

/** Records a fault and answers undefined, so that a reader can end with it. */
export function fault(place: Place, code: FaultCode, detail: string): undefined {
  place.faults.push({ pointer: place.pointer, code, detail });
  return undefined;
}

export const under = (place: Place, key: string | number): Place => ({
  pointer: `${place.pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`,
  faults: place.faults,
});

type Fields = Readonly<Record<string, unknown>>;

/** An object with no field but `required` and `optional`; what lacks a field is still read. */
export function readObject(
  value: unknown,
  place: Place,
  required: readonly string[],
  optional: readonly string[] = [],
): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fault(place, 'invalid_type', 'must be an object');
  const fields = value as Fields;
  for (const key of Object.keys(fields))
    if (!required.includes(key) && !optional.includes(key))
      fault(
        under(place, key),
        'unknown_field',
        `is not one of ${[...required, ...optional].join(', ')}`,
      );
  for (const key of required)
    if (!Object.hasOwn(fields, key)) fault(under(place, key), 'missing', 'must be given');
  return fields;
}

/** A list of `min` to `max` items, each read by `read`; items with a fault are left out. */
export function readList<T>(
  value: unknown,
  place: Place,
  bounds: { readonly min: number; readonly max: number },
  read: (item: unknown, place: Place) => T | undefined,
): readonly T[] | undefined {
  if (!Array.isArray(value)) return fault(place, 'invalid_type', 'must be a list');
  if (value.length < bounds.min || value.length > bounds.max)
    return fault(place, 'out_of_range', `must have ${bounds.min} to ${bounds.max} items`);
  return value.flatMap((item, i) => read(item, under(place, i)) ?? []);
}

/** One line of text that shows as it is written: no control, bidi or invisible characters. */
export function readText(value: unknown, place: Place, max: number): string | undefined {
  if (typeof value !== 'string') return fault(place, 'invalid_type', 'must be a text');
  if (value.trim() === '') return fault(place, 'out_of_range', 'must not be empty');
  if (value.length > max)
    return fault(place, 'out_of_range', `must have at most ${max} characters`);
  if (printable(value) !== value)
    return fault(place, 'invalid_value', 'must have no control or invisible characters');
  return value;
}

export function readInteger(
  value: unknown,
  place: Place,
  bounds: { readonly min: number; readonly max: number },
): number | undefined {
  if (typeof value !== 'number' || !Number.isInteger(value))
    return fault(place, 'invalid_type', 'must be a whole number');
  if (value < bounds.min || value > bounds.max)
    return fault(place, 'out_of_range', `must be ${bounds.min} to ${bounds.max}`);
  return value;
}

/** `read` for a field that may be left out; `fallback` when it is. */
export function optional<T>(
  fields: Fields,
  key: string,
  place: Place,
  fallback: T,
  read: (value: unknown, place: Place) => T | undefined,
): T | undefined {
  return Object.hasOwn(fields, key) ? read(fields[key], under(place, key)) : fallback;
}

/** `read` for a field that must be there; its absence is a fault of the object that lacks it. */
export function required<T>(
  fields: Fields,
  key: string,
  place: Place,
  read: (value: unknown, place: Place) => T | undefined,
): T | undefined {
  return Object.hasOwn(fields, key) ? read(fields[key], under(place, key)) : undefined;
}

/** Faults every item that came before; the items are told apart by `keyOf`. */
export function refuseDuplicates<T>(
  items: readonly T[],
  place: (index: number) => Place,
  keyOf: (item: T) => string,
): void {
  const seen = new Set<string>();
  items.forEach((item, i) => {
    const key = keyOf(item);
    if (seen.has(key)) fault(place(i), 'duplicate', 'stands there already');
    seen.add(key);
  });
}
