import type { Seconds } from '@postern/shared';
import { parseCidr } from './cidr.ts';
import type { Place } from './faults.ts';
import {
  CONDITION_TYPES,
  type Condition,
  type ConditionOf,
  minutesOf,
  WEEKDAYS,
  type Weekday,
} from './model.ts';
import {
  complete,
  type Fields,
  readBoolean,
  readEach,
  readFields,
  readInteger,
  readKind,
  readList,
  readLiterals,
  readOneOf,
  readText,
  refuseRepeated,
} from './read.ts';
import { named, type References, readReference } from './references.ts';
import { isZone } from './window.ts';

const APPROVAL_SECONDS = { min: 60, max: 30 * 86_400 } as const;
const RE_AUTH_SECONDS = { min: 0, max: 86_400 } as const;

/** At most one of each type; the answer is in canonical order. No list is an empty one. */
export function readConditions(
  value: unknown,
  place: Place,
  references: References,
): readonly Condition[] | undefined {
  const items = readList(value ?? [], place, { min: 0, max: CONDITION_TYPES.length });
  const read = (item: unknown, at: Place) => readCondition(item, at, references);
  const conditions = readEach(items, place, read);
  refuseRepeated(
    conditions,
    (c) => c.condition_type,
    (i) => place.at(i),
  );
  const rank = (c: Condition) => CONDITION_TYPES.indexOf(c.condition_type);
  return complete(conditions)?.toSorted((a, b) => rank(a) - rank(b));
}

type Reader<T> = (fields: Fields, place: Place, references: References) => T | undefined;
type Readers = {
  readonly [T in Condition['condition_type']]: {
    readonly fields: readonly string[];
    readonly read: Reader<ConditionOf<T>>;
  };
};

const READERS: Readers = {
  access_request: {
    fields: ['request_type', 'expires_after_seconds'],
    read: readAccessRequest,
  },
  mfa: { fields: ['re_auth_frequency_in_seconds', 'acr_values'], read: readMfa },
  gateway: { fields: ['traffic_forwarding', 'session_recording'], read: readGateway },
  time_window: { fields: ['zone', 'days', 'from', 'to'], read: readTimeWindow },
  source_address: { fields: ['cidrs'], read: readSourceAddress },
};

function readCondition(
  value: unknown,
  place: Place,
  references: References,
): Condition | undefined {
  const type = readKind(value, place, 'condition_type', CONDITION_TYPES);
  if (type === undefined) return undefined;
  const reader = READERS[type];
  const fields = readFields(value, place, ['condition_type', ...reader.fields]);
  return fields && reader.read(fields, place, references);
}

function readAccessRequest(
  fields: Fields,
  place: Place,
  references: References,
): ConditionOf<'access_request'> | undefined {
  const at = place.at('request_type');
  const type = readReference(fields.request_type, at, references.request_types);
  if (type !== undefined && type.purpose !== 'server_access')
    at.fault('wrong_purpose', `${type.name} is not for server access.`);
  else if (type !== undefined && type.published_version === null)
    at.fault('not_published', `${type.name} is not published: publish it first.`);
  const seconds = readInteger(
    fields.expires_after_seconds,
    place.at('expires_after_seconds'),
    APPROVAL_SECONDS,
  );
  if (type === undefined || seconds === undefined) return undefined;
  return {
    condition_type: 'access_request',
    request_type: named(type),
    expires_after_seconds: seconds as Seconds,
  };
}

function readMfa(fields: Fields, place: Place): ConditionOf<'mfa'> | undefined {
  const seconds = readInteger(
    fields.re_auth_frequency_in_seconds,
    place.at('re_auth_frequency_in_seconds'),
    RE_AUTH_SECONDS,
  );
  const acr = readOneOf(fields.acr_values, place.at('acr_values'), ['any', 'phr']);
  if (seconds === undefined || acr === undefined) return undefined;
  return {
    condition_type: 'mfa',
    re_auth_frequency_in_seconds: seconds as Seconds,
    acr_values: acr,
  };
}

function readGateway(fields: Fields, place: Place): ConditionOf<'gateway'> | undefined {
  const forwarding = readBoolean(fields.traffic_forwarding, place.at('traffic_forwarding'));
  const recording = readBoolean(fields.session_recording, place.at('session_recording'));
  if (forwarding === false)
    return place
      .at('traffic_forwarding')
      .fault('gateway_required', 'Without it the condition asks for nothing: leave it out.');
  if (forwarding === undefined || recording === undefined) return undefined;
  return {
    condition_type: 'gateway',
    traffic_forwarding: forwarding,
    session_recording: recording,
  };
}

function readTimeWindow(fields: Fields, place: Place): ConditionOf<'time_window'> | undefined {
  const zone = readZone(fields.zone, place.at('zone'));
  const days = readDays(fields.days, place.at('days'));
  const from = readTime(fields.from, place.at('from'));
  const to = readTime(fields.to, place.at('to'));
  if (from === '24:00')
    return place.at('from').fault('bad_time', 'A window that starts at 24:00 starts at 00:00.');
  if (from !== undefined && from === to)
    return place.at('to').fault('bad_time', 'The window must end at another time than it starts.');
  if (zone === undefined || days === undefined || from === undefined || to === undefined)
    return undefined;
  return { condition_type: 'time_window', zone, days, from, to };
}

const readDays = (value: unknown, place: Place): readonly Weekday[] | undefined =>
  readLiterals(value, place, { min: 1, max: 7 }, (item, at) =>
    readOneOf(item, at, WEEKDAYS),
  )?.toSorted((a, b) => WEEKDAYS.indexOf(a) - WEEKDAYS.indexOf(b));

function readZone(value: unknown, place: Place): string | undefined {
  const zone = readText(value, place, { max: 64 });
  if (zone === undefined || isZone(zone)) return zone;
  return place.fault('bad_zone', 'An IANA time zone such as Europe/Berlin is needed.');
}

function readTime(value: unknown, place: Place): string | undefined {
  const time = readText(value, place, { max: 5 });
  if (time === undefined || minutesOf(time) !== undefined) return time;
  return place.fault('bad_time', 'A time is HH:MM, from 00:00 to 24:00.');
}

function readSourceAddress(
  fields: Fields,
  place: Place,
): ConditionOf<'source_address'> | undefined {
  const at = place.at('cidrs');
  const cidrs = readLiterals(fields.cidrs, at, { min: 1, max: 100 }, readCidr);
  return cidrs && { condition_type: 'source_address', cidrs: cidrs.toSorted() };
}

function readCidr(value: unknown, place: Place): string | undefined {
  const cidr = readText(value, place, { max: 64 });
  if (cidr === undefined || parseCidr(cidr) !== undefined) return cidr;
  const detail = 'A block is address/prefix with no bits set behind the prefix: 10.0.0.0/8.';
  return place.fault('bad_cidr', detail);
}
