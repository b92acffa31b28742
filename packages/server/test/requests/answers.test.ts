import { instant, seconds, toRfc3339 } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { checkAnswers, untilOf } from '../../src/requests/answers.ts';
import { endOfDate } from '../../src/requests/dates.ts';
import type { DateField, DurationField, Field } from '../../src/requests/model.ts';

const NOW = instant(Date.UTC(2026, 2, 10, 12));
const text: Field = { key: 'why', prompt: 'Why?', required: true, type: 'text', max_length: 10 };
const choice: Field = {
  key: 'which',
  prompt: 'Which?',
  required: false,
  type: 'choice',
  options: [{ value: 'linux', label: 'Linux' }],
};
const date: DateField = {
  key: 'until',
  prompt: 'Until?',
  required: false,
  type: 'date',
  zone: 'Europe/Berlin',
  max_ahead: seconds(30 * 86_400),
};
const duration: DurationField = {
  key: 'length',
  prompt: 'How long?',
  required: false,
  type: 'duration',
  min: seconds(3600),
  max: seconds(86_400),
};
const FIELDS = [text, choice, date, duration];

const faults = (answers: Record<string, unknown>) =>
  checkAnswers(FIELDS, answers, NOW).map((f) => `${f.pointer} ${f.code}`);
const why = { why: 'because' };

describe('answers', () => {
  test('that are right have no fault', () => {
    expect(faults({ why: 'new\nlogs', which: 'linux', until: '2026-03-31', length: '8h' })).toEqual(
      [],
    );
    expect(faults(why)).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['a required answer is left out', {}, '/answers/why missing'],
    ['a required answer is blank', { why: ' \n' }, '/answers/why missing'],
    [
      'a required answer comes from a prototype',
      Object.create({ why: 'x' }),
      '/answers/why missing',
    ],
    ['an answer is too long', { why: 'x'.repeat(11) }, '/answers/why out_of_range'],
    ['an answer hides characters', { why: 'a\u202eb' }, '/answers/why invalid_value'],
    ['an answer is no text', { why: 7 }, '/answers/why invalid_type'],
    ['an answer is null', { why: null }, '/answers/why invalid_type'],
    ['nobody asked for it', { ...why, sudo: 'yes' }, '/answers/sudo unknown_field'],
    [
      'nobody asked for __proto__',
      JSON.parse('{"why":"x","__proto__":"x"}'),
      '/answers/__proto__ unknown_field',
    ],
    ['it is none of the choices', { ...why, which: 'Linux' }, '/answers/which invalid_value'],
    ['it is no date', { ...why, until: 'tomorrow' }, '/answers/until invalid_value'],
    [
      'it is a date that does not exist',
      { ...why, until: '2026-02-30' },
      '/answers/until invalid_value',
    ],
    [
      'it is a date-time',
      { ...why, until: '2026-03-31T10:00:00Z' },
      '/answers/until invalid_value',
    ],
    ['the date is past', { ...why, until: '2026-03-09' }, '/answers/until out_of_range'],
    ['the date is too far ahead', { ...why, until: '2026-04-10' }, '/answers/until out_of_range'],
    ['it is no duration', { ...why, length: '8 hours' }, '/answers/length invalid_value'],
    ['the duration is too short', { ...why, length: '59m' }, '/answers/length out_of_range'],
    ['the duration is too long', { ...why, length: '25h' }, '/answers/length out_of_range'],
  ])('refuse: %s', (_, answers, expected) => {
    expect(faults(answers)).toEqual([expected]);
  });

  test('an optional answer may be empty', () => {
    expect(faults({ ...why, which: '', until: '', length: '' })).toEqual([]);
  });

  test('today is not past, to its end in the zone of the field', () => {
    expect(faults({ ...why, until: '2026-03-10' })).toEqual([]);
    const late = instant(Date.UTC(2026, 2, 10, 22, 59, 59, 999));
    expect(checkAnswers([date], { until: '2026-03-10' }, late)).toEqual([]);
    const over = instant(Date.UTC(2026, 2, 10, 23));
    expect(checkAnswers([date], { until: '2026-03-10' }, over)).toHaveLength(1);
  });

  test('the bounds themselves are within', () => {
    for (const length of ['1h', '24h', '1d']) expect(faults({ ...why, length })).toEqual([]);
    expect(faults({ why: 'x'.repeat(10) })).toEqual([]);
  });
});

describe('the end of a date', () => {
  const end = (day: string, zone: string) => {
    const at = endOfDate(day, zone);
    return at === undefined ? 'none' : toRfc3339(at);
  };

  test.each([
    ['2026-03-31', 'UTC', '2026-04-01T00:00:00.000Z'],
    ['2026-03-10', 'Europe/Berlin', '2026-03-10T23:00:00.000Z'],
    ['2026-03-29', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
    ['2026-12-31', 'Pacific/Kiritimati', '2026-12-31T10:00:00.000Z'],
    ['2026-12-31', 'Etc/GMT+12', '2027-01-01T12:00:00.000Z'],
    ['2028-02-29', 'Asia/Kathmandu', '2028-02-29T18:15:00.000Z'],
    // The day after begins at one o'clock: its midnight does not exist.
    ['2026-04-23', 'Africa/Cairo', '2026-04-23T22:00:00.000Z'],
  ])('%s in %s is %s', (day, zone, expected) => {
    expect(end(day, zone)).toBe(expected);
  });

  test.each([
    '2026-02-29',
    '2026-13-01',
    '2026-3-1',
    '26-03-01',
    '',
    '2026-03-01 ',
    '+02026-03-01',
  ])('%j is no date', (day) => {
    expect(end(day, 'UTC')).toBe('none');
  });

  test('a date field ends with its date, a duration counts from when it is granted', () => {
    expect(toRfc3339(untilOf(date, '2026-03-31', NOW)!)).toBe('2026-03-31T22:00:00.000Z');
    expect(untilOf(duration, '8h', NOW)).toBe(NOW + 8 * 3_600_000);
    expect(untilOf(duration, 'soon', NOW)).toBeUndefined();
    expect(untilOf(date, 'soon', NOW)).toBeUndefined();
  });
});
