import { instant, plus, seconds } from '@postern/shared';
import { describe, expect, it } from 'vitest';
import { durationInWords, itsLines, oneLine, timeInWords } from '../../src/requests/card-words.ts';

const NOW = instant(Date.UTC(2026, 2, 2, 9));
const ago = (minutes: number) => plus(NOW, seconds(-60 * minutes));
const later = (minutes: number) => plus(NOW, seconds(60 * minutes));

describe('words for times', () => {
  it.each([
    [0, '0 seconds'],
    [1, '1 second'],
    [1800, '30 minutes'],
    [5400, '1 hour 30 minutes'],
    [86_400 * 2 + 61, '2 days 1 minute 1 second'],
  ])('%i s is %s', (n, words) => expect(durationInWords(seconds(n))).toBe(words));

  it.each([
    [NOW, '2026-03-02 09:00 UTC (now)'],
    [plus(NOW, seconds(59)), '2026-03-02 09:00 UTC (in 59 seconds)'],
    [later(119), '2026-03-02 10:59 UTC (in 119 minutes)'],
    [later(121), '2026-03-02 11:01 UTC (in 2 hours)'],
    [ago(60 * 49), '2026-02-28 08:00 UTC (2 days ago)'],
  ])('%i is %s', (at, words) => expect(timeInWords(at, NOW)).toBe(words));
});

describe('words of people', () => {
  it.each([
    ['a\n\tb  c ', 'a b c'],
    ['\u001b[2Jx\u202e', '\ufffd[2Jx\ufffd'],
    [' \r\n', ''],
  ])('one line of %j is %j', (text, line) => expect(oneLine(text)).toBe(line));

  it.each([
    ['a\r\nb\rc', ['a', 'b', 'c']],
    ['\n\na  \n\n\n\nb\n', ['a', '', 'b']],
    ['  indented\n\tx', ['indented', ' x']],
    ['', ['']],
  ])('the lines of %j are %j', (text, lines) => expect(itsLines(text)).toEqual(lines));
});
