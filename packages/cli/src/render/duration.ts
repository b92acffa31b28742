import { fromRfc3339, type Instant } from '@postern/shared';

/** `45 s`, `29 min`, `3 h`, `2 days`: rounded down, so that it never promises too much. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 120 * 60) return `${Math.floor(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} days`;
}

/** Seconds from `now` to a time of the service; undefined when there is no such time. */
export function secondsUntil(at: string | null, now: Instant): number | undefined {
  const end = at === null ? undefined : fromRfc3339(at);
  return end === undefined ? undefined : (end - now) / 1000;
}

/** `90s`, `10m`, `2h`, `1d` in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,5})(s|m|min|h|d)$/.exec(text);
  const unit = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 }[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit * 1000;
}

/** A time of the service as a person reads it here: `2026-11-24 14:05`, local time. */
export function localTime(at: string | null): string {
  const time = at === null ? undefined : fromRfc3339(at);
  if (time === undefined) return '-';
  const d = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  return `${date} ${two(d.getHours())}:${two(d.getMinutes())}`;
}
