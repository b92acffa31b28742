import { type Seconds, seconds } from './units.ts';

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** `90s`, `30m`, `24h`, `7d`; a day is 24 hours. @returns undefined for anything else. */
export function parseDuration(text: string): Seconds | undefined {
  const parts = /^([1-9][0-9]{0,7})([smhd])$/.exec(text);
  const unit = UNITS.find(([letter]) => letter === parts?.[2]);
  if (parts === null || unit === undefined) return undefined;
  return seconds(Number(parts[1]) * unit[1]);
}

/** As {@link parseDuration} reads it, in the largest unit that needs no fraction: `90d`. */
export function durationText(length: number): string {
  const [letter, unit] = UNITS.find(([, size]) => length % size === 0) ?? UNITS[3];
  return `${length / unit}${letter}`;
}
