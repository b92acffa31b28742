/** Milliseconds since the Unix epoch, UTC. On the wire an Instant is an RFC 3339 string. */
export type Instant = number & { readonly __unit: 'Instant' };

/** A whole number of seconds. Durations are seconds everywhere; nothing is in milliseconds but an Instant. */
export type Seconds = number & { readonly __unit: 'Seconds' };

export const instant = (ms: number): Instant => ms as Instant;
export const seconds = (s: number): Seconds => s as Seconds;

/** `at` moved by `by` (negative moves back). */
export const plus = (at: Instant, by: Seconds): Instant => (at + by * 1000) as Instant;

/** Whole seconds from `a` to `b`, rounded down; negative when `b` is earlier. */
export const secondsBetween = (a: Instant, b: Instant): Seconds =>
  Math.floor((b - a) / 1000) as Seconds;

/** RFC 3339, UTC, milliseconds. */
export const toRfc3339 = (at: Instant): string => new Date(at).toISOString();

/** @returns undefined when `text` is not an RFC 3339 date-time with an offset. */
export function fromRfc3339(text: string): Instant | undefined {
  if (!/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text))
    return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : (ms as Instant);
}
