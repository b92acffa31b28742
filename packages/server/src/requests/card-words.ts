import {
  type ApprovalCard,
  type Instant,
  parseDuration,
  printable,
  printableLines,
  type Seconds,
} from '@postern/shared';
import type { Field } from './model.ts';

/** Somebody's text as one line, whatever it holds. */
export const oneLine = (text: string): string => printable(text.replace(/\s+/g, ' ').trim());

export type Row = ApprovalCard['rows'][number];

export const row = (label: string, lines: readonly string[]): Row => ({
  label: oneLine(label),
  lines: lines.map(oneLine),
});

/** Somebody's text as the lines he wrote; of blank ones in a row one is left, at the ends none. */
export const itsLines = (text: string): readonly string[] =>
  printableLines(text)
    .trim()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line, i, all) => line !== '' || all[i - 1] !== '');

/** What was answered, as whoever asked meant it: a choice by its label, a time in words. */
export function answerInWords(field: Field, answer: string): readonly string[] {
  if (answer.trim() === '') return ['(not answered)'];
  switch (field.type) {
    case 'text':
      return itsLines(answer);
    case 'choice':
      return [oneLine(field.options.find(({ value }) => value === answer)?.label ?? answer)];
    case 'date':
      return [oneLine(`${answer}, until the end of that day (${field.zone})`)];
    case 'duration': {
      const duration = parseDuration(answer);
      return [duration === undefined ? oneLine(answer) : durationInWords(duration)];
    }
  }
}

const UNITS = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const;

/** `30 minutes`, `1 hour 30 minutes`, `2 days`: exactly, however many units that takes. */
export function durationInWords(duration: Seconds): string {
  const words: string[] = [];
  let left = Math.max(0, Math.floor(duration));
  for (const [size, unit] of UNITS) {
    const count = Math.floor(left / size);
    if (count > 0) words.push(counted(count, unit));
    left -= count * size;
  }
  return words.join(' ') || '0 seconds';
}

/** `2026-03-02 09:00 UTC (in 23 hours)`, rounded down: never more time left than there is. */
export function timeInWords(at: Instant, now: Instant): string {
  const text = `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const span = Math.floor(Math.abs(at - now) / 1000);
  if (span === 0) return `${text} (now)`;
  return `${text} (${at > now ? `in ${roughly(span)}` : `${roughly(span)} ago`})`;
}

function roughly(span: number): string {
  if (span < 60) return counted(span, 'second');
  if (span < 120 * 60) return counted(Math.floor(span / 60), 'minute');
  if (span < 48 * 3600) return counted(Math.floor(span / 3600), 'hour');
  return counted(Math.floor(span / 86_400), 'day');
}

const counted = (n: number, unit: string): string => `${n} ${unit}${n === 1 ? '' : 's'}`;
