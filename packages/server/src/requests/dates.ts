import { type Instant, instant } from '@postern/shared';

const HOUR = 3_600_000;

export function isZone(zone: string): boolean {
  // Intl also takes bare offsets; a name keeps its rules when a country changes them.
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    formatFor(zone);
    return true;
  } catch {
    return false;
  }
}

/** Later than any time that RFC 3339 can write, in some zone or other: its years have four digits. */
const TOO_LATE = '9999';

/**
 * The first instant after a calendar date in a zone: the end of the last day that counts.
 *
 * @param date an RFC 3339 full-date, `2026-03-31`
 * @returns undefined when there is no such date, or its end could not be written down.
 */
export function endOfDate(date: string, zone: string): Instant | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || date >= TOO_LATE) return undefined;
  const midnight = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date)
    return undefined;
  // Zones are at most 14 h ahead and 12 h behind UTC. Searching needs no care for days
  // that are 23 or 25 hours long, or that begin at one o'clock.
  const local = formatFor(zone);
  let inside = midnight - 15 * HOUR;
  let beyond = midnight + 40 * HOUR;
  while (beyond - inside > 1) {
    const middle = Math.floor((inside + beyond) / 2);
    if (local.format(new Date(middle)) > date) beyond = middle;
    else inside = middle;
  }
  return instant(beyond);
}

const formatFor = (timeZone: string): Intl.DateTimeFormat =>
  // Of the built-in locales this one writes a Gregorian date as RFC 3339 does.
  new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
