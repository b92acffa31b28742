import { parseDuration, type Seconds, seconds } from '@postern/shared';
import { readDuration } from './durations.ts';
import { fault, optional, type Place, readObject, readText, required, under } from './faults.ts';
import type { OnTimeout, Step } from './model.ts';
import { readNeed } from './parse-needs.ts';
import { readSets, type SetContext } from './parse-sets.ts';

const DEFAULT_TIMEOUT = '7d';

export function readStep(value: unknown, place: Place, context: SetContext): Step | undefined {
  const fields = readObject(
    value,
    place,
    ['name', 'needs'],
    ['timeout', 'on_timeout', 'escalate_after', 'remind_after'],
  );
  if (fields === undefined) return undefined;
  const name = required(fields, 'name', place, (v, at) => readText(v, at, 100));
  const needs = required(fields, 'needs', place, (v, at) => readNeed(v, at, context));
  const timeout = optional(fields, 'timeout', place, parseDuration(DEFAULT_TIMEOUT)!, (v, at) =>
    readDuration(v, at, '1m', '90d'),
  );
  const onTimeout = optional<OnTimeout>(fields, 'on_timeout', place, 'expire', (v, at) =>
    readOnTimeout(v, at, context),
  );
  const after = optional<Seconds | null>(fields, 'escalate_after', place, null, (v, at) =>
    readDuration(v, at, '1m', '90d'),
  );
  const remind = optional<Seconds | null>(fields, 'remind_after', place, null, (v, at) =>
    readDuration(v, at, '1m', '90d'),
  );
  if (name === undefined || needs === undefined || timeout === undefined) return undefined;
  if (onTimeout === undefined || after === undefined || remind === undefined) return undefined;
  const at = under(place, 'escalate_after');
  if (after !== null && typeof onTimeout !== 'object')
    return fault(at, 'invalid_value', 'needs on_timeout: {escalate_to: […]}');
  if (after !== null && after >= timeout)
    return fault(at, 'out_of_range', 'must be less than the timeout');
  if (remind !== null && remind >= timeout)
    return fault(under(place, 'remind_after'), 'out_of_range', 'must be less than the timeout');
  return {
    name,
    needs,
    timeout,
    on_timeout: onTimeout,
    escalate_after: after,
    remind_after: remind ?? seconds(Math.floor(timeout / 2)),
  };
}

/** There is no way to write that time approves. */
function readOnTimeout(value: unknown, place: Place, context: SetContext): OnTimeout | undefined {
  if (value === 'expire' || value === 'deny') return value;
  if (typeof value === 'string')
    return fault(place, 'invalid_value', 'must be expire, deny or {escalate_to: […]}');
  const fields = readObject(value, place, ['escalate_to']);
  const sets =
    fields && required(fields, 'escalate_to', place, (v, at) => readSets(v, at, context));
  return sets === undefined ? undefined : { escalate_to: sets };
}
