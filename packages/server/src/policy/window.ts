import type { Instant } from '@postern/shared';
import { type ConditionOf, minutesOf, WEEKDAYS } from './model.ts';

const MINUTE = 60_000;
const DAY = 24 * 60;
/** Touching days and changes of offset to look over: more than any week has. */
const LOOK_AHEAD = 12;

/** When a time window is open. Both answers are for a zone the platform knows. */
export interface TimeWindow {
  /**
   * The instant at which the window that is open at `now` closes; null when it never does;
   * undefined while it is closed. It is open as long as a clock on the wall in that zone shows a time in it, so a
   * change to or from summer time is followed. Windows that touch are one.
   */
  closesAt(now: Instant): Instant | null | undefined;
}

/** undefined when the zone, a time or the list of days means nothing: such a window never opens. */
export function timeWindow(condition: ConditionOf<'time_window'>): TimeWindow | undefined {
  const from = minutesOf(condition.from);
  const to = minutesOf(condition.to);
  const days = [...new Set(condition.days)].map((day) => WEEKDAYS.indexOf(day));
  if (from === undefined || to === undefined || from === to || from === DAY) return undefined;
  if (!isZone(condition.zone) || days.length === 0 || days.includes(-1)) return undefined;
  const wall = wallClock(condition.zone);
  const span = { from, to, days: new Set(days) };
  if (days.length === 7 && from === 0 && to === DAY) return { closesAt: () => null };
  let remembered: { minute: number; closesAt: Instant | undefined } | undefined;
  return {
    // Windows open and close on whole minutes: within one minute the answer is the same.
    closesAt(now) {
      const minute = Math.floor(now / MINUTE);
      if (remembered?.minute !== minute)
        remembered = { minute, closesAt: closing(span, wall, minute * MINUTE, LOOK_AHEAD) };
      return remembered.closesAt;
    },
  };
}

/** Whether `zone` is an IANA name the platform knows. Bare offsets such as `+02:00` are none. */
export function isZone(zone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(zone)) return false;
  try {
    wallClock(zone);
    return true;
  } catch {
    return false;
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly days: ReadonlySet<number>;
}

/** Milliseconds to add to UTC for what a clock on the wall shows at that instant. */
type WallClock = (at: number) => number;

function wallClock(zone: string): WallClock {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  return (at) => {
    const name = format.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? '';
    const match = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name);
    if (match === null) return Number.NaN;
    const [, sign, hours = 0, minutes = 0, seconds = 0] = match;
    const offset = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -offset : offset;
  };
}

/** When the span that is open at `at` closes; undefined while it is closed. */
function closing(span: Span, wall: WallClock, at: number, looks: number): Instant | undefined {
  const offset = wall(at);
  const left = minutesLeft(span, at + offset);
  if (left === undefined || looks === 0) return undefined;
  let end = at + left * MINUTE;
  // A change of the zone's offset before the end: look again from there.
  if (wall(end - 1) !== offset) end = firstChange(wall, at, end - 1);
  return closing(span, wall, end, looks - 1) ?? (end as Instant);
}

/** Whole minutes until the span ends by the wall clock; undefined when the time is outside it. */
function minutesLeft(span: Span, wallTime: number): number | undefined {
  if (Number.isNaN(wallTime)) return undefined;
  const date = new Date(wallTime);
  const minute = date.getUTCHours() * 60 + date.getUTCMinutes();
  const today = (date.getUTCDay() + 6) % 7;
  const yesterday = (today + 6) % 7;
  if (span.from < span.to) {
    const isOpen = span.days.has(today) && minute >= span.from && minute < span.to;
    return isOpen ? span.to - minute : undefined;
  }
  if (span.days.has(today) && minute >= span.from) return DAY - minute + span.to;
  if (span.days.has(yesterday) && minute < span.to) return span.to - minute;
  return undefined;
}

/** The first minute in (from, to] whose offset is not that of `from`, knowing that there is one. */
function firstChange(wall: WallClock, from: number, to: number): number {
  const before = wall(from);
  let [low, high] = [Math.floor(from / MINUTE), Math.ceil(to / MINUTE)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (wall(middle * MINUTE) === before) low = middle;
    else high = middle;
  }
  return high * MINUTE;
}
