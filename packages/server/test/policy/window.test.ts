import { instant } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import type { ConditionOf, Weekday } from '../../src/policy/model.ts';
import { WEEKDAYS } from '../../src/policy/model.ts';
import { isZone, timeWindow } from '../../src/policy/window.ts';

const WORKDAYS = WEEKDAYS.slice(0, 5);

const window = (zone: string, days: readonly Weekday[], from: string, to: string) =>
  ({ condition_type: 'time_window', zone, days, from, to }) satisfies ConditionOf<'time_window'>;

/** `closed`, `never closes`, or when it closes. */
function at(condition: ConditionOf<'time_window'>, time: string): string {
  const closesAt = timeWindow(condition)?.closesAt(instant(Date.parse(time)));
  if (closesAt === undefined) return 'closed';
  return closesAt === null ? 'never closes' : new Date(closesAt).toISOString().slice(0, 16);
}

describe('a window that means nothing never opens', () => {
  test.each([
    ['zone', window('Mars/Olympus', WORKDAYS, '08:00', '18:00')],
    ['offset for a zone', window('+02:00', WORKDAYS, '08:00', '18:00')],
    ['days', window('UTC', [], '08:00', '18:00')],
    ['day', window('UTC', ['someday' as Weekday], '08:00', '18:00')],
    ['from', window('UTC', WORKDAYS, '8:00', '18:00')],
    ['to', window('UTC', WORKDAYS, '08:00', '24:01')],
    ['length', window('UTC', WORKDAYS, '08:00', '08:00')],
    ['start', window('UTC', WORKDAYS, '24:00', '08:00')],
  ])('%s', (_, condition) => {
    expect(timeWindow(condition)).toBeUndefined();
  });
});

describe('by the clock on the wall of its zone', () => {
  const berlin = window('Europe/Berlin', WORKDAYS, '08:00', '18:00');
  test.each([
    ['2026-05-04T05:59:59.999Z', 'closed'],
    ['2026-05-04T06:00:00Z', '2026-05-04T16:00'],
    ['2026-05-04T15:59:59.999Z', '2026-05-04T16:00'],
    ['2026-05-04T16:00:00Z', 'closed'],
    ['2026-05-09T10:00:00Z', 'closed'], // Saturday
    ['2026-01-05T06:59:59Z', 'closed'], // winter time
    ['2026-01-05T07:00:00Z', '2026-01-05T17:00'],
  ])('08:00–18:00 in Berlin at %s: %s', (time, expected) => {
    expect(at(berlin, time)).toBe(expected);
  });

  test('the day is the zone’s day, not that of UTC', () => {
    const auckland = window('Pacific/Auckland', ['mon'], '00:00', '06:00');
    expect(at(auckland, '2026-05-03T12:00:00Z')).toBe('2026-05-03T18:00');
    expect(at(auckland, '2026-05-04T13:00:00Z')).toBe('closed');
  });

  test('a zone of a quarter of an hour', () => {
    const kathmandu = window('Asia/Kathmandu', WORKDAYS, '08:00', '18:00');
    expect(at(kathmandu, '2026-05-04T02:14:00Z')).toBe('closed');
    expect(at(kathmandu, '2026-05-04T02:15:00Z')).toBe('2026-05-04T12:15');
  });
});

describe('over midnight it belongs to the day on which it starts', () => {
  const night = window('UTC', ['fri'], '22:00', '06:00');
  test.each([
    ['2026-05-08T21:59:00Z', 'closed'],
    ['2026-05-08T22:00:00Z', '2026-05-09T06:00'],
    ['2026-05-09T05:59:00Z', '2026-05-09T06:00'],
    ['2026-05-09T06:00:00Z', 'closed'],
    ['2026-05-08T02:00:00Z', 'closed'], // the night from Thursday
    ['2026-05-09T22:00:00Z', 'closed'],
  ])('Friday 22:00–06:00 at %s: %s', (time, expected) => {
    expect(at(night, time)).toBe(expected);
  });
});

describe('windows that touch are one', () => {
  test.each([
    [
      'to midnight, and on the next day',
      window('UTC', WORKDAYS, '00:00', '24:00'),
      '2026-05-09T00:00',
    ],
    ['one day alone', window('UTC', ['mon'], '00:00', '24:00'), '2026-05-05T00:00'],
    [
      'not when there is a minute between',
      window('UTC', WORKDAYS, '00:00', '23:59'),
      '2026-05-04T23:59',
    ],
    [
      'six days of seven, from Monday',
      window('UTC', WEEKDAYS.slice(0, 6), '00:00', '24:00'),
      '2026-05-10T00:00',
    ],
    ['every day', window('UTC', WEEKDAYS, '00:00', '24:00'), 'never closes'],
    [
      'over midnight they never touch',
      window('UTC', WEEKDAYS, '08:00', '07:59'),
      '2026-05-05T07:59',
    ],
  ])('%s', (_, condition, expected) => {
    expect(at(condition, '2026-05-04T10:00:00Z')).toBe(expected);
  });
});

describe('when the clocks change (Berlin: 29 March 02:00→03:00, 25 October 03:00→02:00)', () => {
  const zone = 'Europe/Berlin';
  const all = WEEKDAYS;
  test.each([
    [
      'a day is 23 hours',
      window(zone, ['sun'], '00:00', '24:00'),
      '2026-03-28T23:30:00Z',
      '2026-03-29T22:00',
    ],
    [
      'a day is 25 hours',
      window(zone, ['sun'], '00:00', '24:00'),
      '2026-10-24T22:30:00Z',
      '2026-10-25T23:00',
    ],
    [
      'an end that is skipped is the change',
      window(zone, all, '01:00', '02:30'),
      '2026-03-29T00:30:00Z',
      '2026-03-29T01:00',
    ],
    [
      'a start that is skipped: open at once',
      window(zone, all, '02:30', '05:00'),
      '2026-03-29T01:00:00Z',
      '2026-03-29T03:00',
    ],
    [
      'before a start that is skipped',
      window(zone, all, '02:30', '05:00'),
      '2026-03-29T00:59:00Z',
      'closed',
    ],
    [
      'an end that comes twice: the first',
      window(zone, all, '01:00', '02:30'),
      '2026-10-25T00:10:00Z',
      '2026-10-25T00:30',
    ],
    [
      'and open again while the wall shows it',
      window(zone, all, '01:00', '02:30'),
      '2026-10-25T01:10:00Z',
      '2026-10-25T01:30',
    ],
    ['between the two', window(zone, all, '01:00', '02:30'), '2026-10-25T00:40:00Z', 'closed'],
    [
      'the night over the change',
      window(zone, ['sat'], '22:00', '06:00'),
      '2026-03-28T21:00:00Z',
      '2026-03-29T04:00',
    ],
  ])('%s', (_, condition, time, expected) => {
    expect(at(condition, time)).toBe(expected);
  });
});

test('the answer of a minute is not carried into the next one', () => {
  const open = timeWindow(window('UTC', WORKDAYS, '08:00', '18:00'));
  const ask = (time: string) => open?.closesAt(instant(Date.parse(time)));
  expect(ask('2026-05-04T17:59:59.999Z')).toBe(Date.parse('2026-05-04T18:00:00Z'));
  expect(ask('2026-05-04T18:00:00.000Z')).toBeUndefined();
  expect(ask('2026-05-04T17:59:00.000Z')).toBe(Date.parse('2026-05-04T18:00:00Z'));
  expect(ask('2026-05-05T17:59:00.000Z')).toBe(Date.parse('2026-05-05T18:00:00Z'));
});

test('zones', () => {
  for (const zone of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])
    expect(isZone(zone), zone).toBe(true);
  for (const zone of ['', 'Berlin', '+02:00', '-0500', 'Europe/Berlin ', '../etc', 'Local'])
    expect(isZone(zone), zone).toBe(false);
});
