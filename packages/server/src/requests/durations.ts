import { type Seconds, seconds } from '@postern/shared';
import { fault, type Place } from './faults.ts';

const UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90s`, `30m`, `24h`, `7d`; a day is 24 hours. @returns undefined for anything else. */
export function parseDuration(text: string): Seconds | undefined {
  const parts = /^([1-9][0-9]{0,7})([smhd])$/.exec(text);
  if (parts === null) return undefined;
  return seconds(Number(parts[1]) * UNIT[parts[2]!]!);
}

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
