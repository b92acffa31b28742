import { REQUEST_TYPE_LIMITS as LIMITS, parseDuration, type Seconds } from '@postern/shared';
import { isZone } from './dates.ts';
import { readDuration } from './durations.ts';
import {
  fault,
  optional,
  type Place,
  readInteger,
  readList,
  readObject,
  readText,
  refuseDuplicates,
  required,
  under,
} from './faults.ts';
import type { ChoiceField, Field } from './model.ts';

type Fields = Readonly<Record<string, unknown>>;
type Base = Pick<Field, 'key' | 'prompt' | 'required'>;

const DAYS_AT_MOST = '3650d';
const NO_BASE: Base = { key: '', prompt: '', required: false };

/** What each type of field has besides key, prompt, type and required. */
const TYPES = {
  text: { required: [], optional: ['max_length'] },
  choice: { required: ['options'], optional: [] },
  date: { required: [], optional: ['zone', 'max_ahead'] },
  duration: { required: [], optional: ['min', 'max'] },
} as const;

/** One field that the requester is asked. */
export function readField(value: unknown, place: Place): Field | undefined {
  const type = typeOf(value);
  if (type === undefined) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return fault(place, 'invalid_type', 'must be an object');
    const there = Object.hasOwn(value, 'type');
    return fault(
      under(place, 'type'),
      there ? 'invalid_value' : 'missing',
      'must be text, choice, date or duration',
    );
  }
  const before = place.faults.length;
  const own = TYPES[type];
  const fields = readObject(
    value,
    place,
    ['key', 'prompt', 'type', ...own.required],
    ['required', ...own.optional],
  );
  if (fields === undefined) return undefined;
  const base = readBase(fields, place);
  const field = READERS[type](fields, place, base ?? NO_BASE);
  return place.faults.length > before ? undefined : field;
}

function typeOf(value: unknown): Field['type'] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const type = (value as Fields).type;
  return typeof type === 'string' && Object.hasOwn(TYPES, type)
    ? (type as Field['type'])
    : undefined;
}

function readBase(fields: Fields, place: Place): Base | undefined {
  const key = required(fields, 'key', place, readKey);
  const prompt = required(fields, 'prompt', place, (v, at) => readText(v, at, 200));
  const must = optional(fields, 'required', place, false, (v, at) =>
    typeof v === 'boolean' ? v : fault(at, 'invalid_type', 'must be true or false'),
  );
  if (key === undefined || prompt === undefined || must === undefined) return undefined;
  return { key, prompt, required: must };
}

function readKey(value: unknown, place: Place): string | undefined {
  if (typeof value !== 'string') return fault(place, 'invalid_type', 'must be a text');
  if (/^[a-z][a-z0-9_]{0,62}$/.test(value)) return value;
  return fault(place, 'invalid_value', 'must be a lower-case letter, then letters, digits or _');
}

const READERS: {
  readonly [T in Field['type']]: (fields: Fields, place: Place, base: Base) => Field | undefined;
} = {
  text(fields, place, base) {
    const max = optional(fields, 'max_length', place, 2000, (v, at) =>
      readInteger(v, at, { min: 1, max: LIMITS.text_length }),
    );
    return max === undefined ? undefined : { ...base, type: 'text', max_length: max };
  },

  choice(fields, place, base) {
    const options = required(fields, 'options', place, readOptions);
    return options === undefined ? undefined : { ...base, type: 'choice', options };
  },

  date(fields, place, base) {
    const zone = optional(fields, 'zone', place, 'UTC', (v, at) => {
      if (typeof v !== 'string') return fault(at, 'invalid_type', 'must be a text');
      return isZone(v) ? v : fault(at, 'invalid_value', 'must be an IANA zone like Europe/Berlin');
    });
    const ahead = optional<Seconds | null>(fields, 'max_ahead', place, null, (v, at) =>
      readDuration(v, at, '1d', DAYS_AT_MOST),
    );
    if (zone === undefined || ahead === undefined) return undefined;
    return { ...base, type: 'date', zone, max_ahead: ahead };
  },

  duration(fields, place, base) {
    const bound = (key: string, fallback: string) =>
      optional(fields, key, place, parseDuration(fallback)!, (v, at) =>
        readDuration(v, at, '1s', DAYS_AT_MOST),
      );
    const min = bound('min', '1m');
    const max = bound('max', '90d');
    if (min === undefined || max === undefined) return undefined;
    if (min > max) return fault(under(place, 'max'), 'out_of_range', 'must not be less than min');
    return { ...base, type: 'duration', min, max };
  },
};

/** An option is its value, or its value with a label for people. */
function readOptions(value: unknown, place: Place): ChoiceField['options'] | undefined {
  const found: { readonly value: string; readonly at: Place }[] = [];
  const options = readList(value, place, { min: 1, max: LIMITS.options }, (item, at) => {
    const option = typeof item === 'string' ? readPlain(item, at) : readLabelled(item, at);
    if (option !== undefined) found.push({ value: option.value, at });
    return option;
  });
  refuseDuplicates(
    found,
    (i) => found[i]!.at,
    (o) => o.value,
  );
  return options;
}

function readPlain(item: string, place: Place): ChoiceField['options'][number] | undefined {
  const text = readText(item, place, 200);
  return text === undefined ? undefined : { value: text, label: text };
}

function readLabelled(item: unknown, place: Place): ChoiceField['options'][number] | undefined {
  const fields = readObject(item, place, ['value'], ['label']);
  if (fields === undefined) return undefined;
  const value = required(fields, 'value', place, (v, at) => readText(v, at, 200));
  const label = optional(fields, 'label', place, value, (v, at) => readText(v, at, 200));
  return value === undefined || label === undefined ? undefined : { value, label };
}
