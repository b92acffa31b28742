import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainText, ScreenOnly } from '../../src/recording/screen-only.ts';

const through = (text: string) => new ScreenOnly().feed(text);

describe('what a recording may do to a terminal', () => {
  test.each([
    ['text', 'total 4\r\n\tdrwx – ü\b'],
    ['colours', '\u001b[1;31mred\u001b[0m'],
    ['colours of 24 bits', '\u001b[38;2;1;2;3m\u001b[4:3m'],
    ['cursor moves', '\u001b[H\u001b[2J\u001b[10;20H\u001b[3A\u001b7\u001b8'],
    ['scroll regions', '\u001b[2;20r\u001bM'],
    ['the alternate screen', '\u001b[?1049h\u001b[?25l'],
    ['line drawing', '\u001b(0lqk\u001b(B'],
  ])('allow: %s', (_what, text) => {
    expect(through(text)).toBe(text);
  });

  test.each([
    ['the clipboard', '\u001b]52;c;cm0gLXJm\u0007'],
    ['the title', '\u001b]0;owned\u001b\\'],
    ['a link', '\u001b]8;;http://evil.example\u0007'],
    ['who are you', '\u001b[c\u001b[>c\u001b[=c\u001bZ'],
    ['where is the cursor', '\u001b[6n\u001b[?6n'],
    ['window operations and the title as input', '\u001b[21t\u001b[8;1;1t'],
    ['a device string', '\u001bP$q"p\u001b\\\u001bP+q544e\u001b\\'],
    ['the mouse', '\u001b[?1000h\u001b[?1003h\u001b[?1006h'],
    ['focus and paste reports', '\u001b[?1004h\u001b[?2004h'],
    ['another keyboard protocol', '\u001b[>4;2m\u001b[>1u\u001b[=1u'],
    ['a full reset', '\u001bc'],
    ['C1 controls', '\u009b6n\u009d0;x\u0007\u0090q\u009c\u0085'],
    ['the bell and the answerback', '\u0007\u0005'],
    [
      'privacy, application and start-of-string',
      '\u001b^x\u001b\\\u001b_x\u001b\\\u001bXx\u001b\\',
    ],
    ['a sequence without an end', `\u001b[${'1;'.repeat(40)}`],
    ['an interrupted one', '\u001b[1\u001b]0;x\u0007'],
  ])('deny: %s', (_what, text) => {
    expect(through(`a${text}b`).replace(/;|\d/g, '')).toBe('ab');
  });

  const PIECES = fc.array(
    fc.oneof(
      fc.constantFrom(
        '\u001b',
        '[',
        ']',
        'P',
        '\\',
        '?',
        '>',
        '52;',
        'c',
        'n',
        '6',
        '\u0007',
        '\u009b',
        '\u009d',
        'h',
        't',
        '\u0018',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 30 },
  );
  const LET_THROUGH =
    /\u001b(\[[0-9;:]*[@A-HJKLMPSTXZ`abd-gmrsu]|\[(\?(6|7|12|25|47|104[789])|4|20)[hl]|[78DEHM=>]|[()*+][0AB])/g;

  test('whatever comes in, nothing comes out but what draws', () => {
    fc.assert(
      fc.property(PIECES, (pieces) => {
        const rest = through(pieces.join('')).replace(LET_THROUGH, '');
        expect(rest).not.toMatch(/[\u001b\u0005\u0007\u007f-\u009f]/);
      }),
      { seed: 7, numRuns: 2000 },
    );
  });

  test('how it is cut into chunks makes no difference', () => {
    fc.assert(
      fc.property(PIECES, (pieces) => {
        const screen = new ScreenOnly();
        expect(pieces.map((p) => screen.feed(p)).join('')).toBe(through(pieces.join('')));
      }),
      { seed: 7 },
    );
  });

  test('plain text has no controls but tab and line feed', () => {
    expect(plainText(['\u001b[1mbo', 'ld\u001b[', '0m\r\nnext\u001b]0;x', '\u0007\tend\r'])).toBe(
      'bold\nnext\tend\n',
    );
    fc.assert(
      fc.property(PIECES, (pieces) => {
        expect(plainText(pieces)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      }),
      { seed: 7 },
    );
  });
});
