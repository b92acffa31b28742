import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cardLines, rowLines } from '../../src/render/card.ts';
import { widthOf } from '../../src/render/render.ts';
import { card } from '../fake/things.ts';

const row = (label: string, ...lines: string[]) => ({ label, lines });

describe('a card in a terminal', () => {
  test('labels on the left, lines in one column', () => {
    expect(rowLines([row('A', 'x', 'y'), row('Longer', 'z')])).toEqual([
      'A       x',
      '        y',
      'Longer  z',
    ]);
  });

  test('a long question stands in a line of its own, and moves no column', () => {
    const question = 'Which of the many things that one can do do you want to do?';
    expect(rowLines([row('Who', 'x'), row(question, 'y', 'z')])).toEqual([
      'Who  x',
      question,
      '     y',
      '     z',
    ]);
  });

  test('what is too long goes on under its own column', () => {
    const answer = `${'word '.repeat(9)}Who        Dana Reyes`;
    const lines = rowLines([row('Why', answer), row('Who', 'Ana')], 40);
    expect(lines).toEqual([
      'Why  word word word word word word word',
      '     word word Who        Dana Reyes',
      'Who  Ana',
    ]);
  });

  test('a word longer than the line is cut where the line ends', () => {
    const lines = rowLines([row('Why', 'x'.repeat(80))], 40);
    expect(lines).toEqual([
      `Why  ${'x'.repeat(35)}`,
      `     ${'x'.repeat(35)}`,
      `     ${'x'.repeat(10)}`,
    ]);
  });

  test('no row, no line; a row without lines is its label', () => {
    expect(rowLines([])).toEqual([]);
    expect(rowLines([row('Why')])).toEqual(['Why']);
  });

  test('whatever was answered, nothing of it begins at the left, and no line is too wide', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 120 }),
        (answers, width) => {
          const shown = card({ rows: [row('Why', ...answers), row('Who', 'Ana')] });
          const lines = cardLines(shown, width).slice(2 + (width < 42 ? 1 : 0));
          for (const line of lines) {
            if (line !== '') expect(line).toMatch(/^(Why|Who {2}Ana$| {5})/);
            expect(widthOf(line)).toBeLessThanOrEqual(Math.max(width, 40));
          }
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });
});
