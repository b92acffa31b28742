import { parseDuration, type Seconds } from '@postern/shared';
import { fault, type Place } from './faults.ts';

/** A duration within bounds that are themselves written as durations. */
export function readDuration(
  value: unknown,
  place: Place,
  min: string,
  max: string,
): Seconds | undefined {
  if (typeof value !== 'string') return fault(place, 'invalid_type', 'must be a text like 24h');
  const duration = parseDuration(value);
  if (duration === undefined)
    return fault(place, 'invalid_value', 'must be a whole number and s, m, h or d, like 30m');
  if (duration < parseDuration(min)! || duration > parseDuration(max)!)
    return fault(place, 'out_of_range', `must be ${min} to ${max}`);
  return duration;
}
