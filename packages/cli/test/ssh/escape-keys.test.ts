import { describe, expect, test } from 'vitest';
import { EscapeKeys } from '../../src/ssh/escape-keys.ts';

async function typed(...chunks: string[]): Promise<{ sent: string; closed: boolean }> {
  let closed = false;
  let sent = '';
  const keys = new EscapeKeys(() => {
    closed = true;
  });
  keys.on('data', (chunk: Buffer) => {
    sent += chunk.toString('latin1');
  });
  for (const chunk of chunks) keys.write(Buffer.from(chunk, 'latin1'));
  await new Promise<void>((resolve) => keys.end(resolve));
  return { sent, closed };
}

describe('escape keys', () => {
  test.each([['~.'], ['ls\r~.'], ['ls\r', '~', '.']])(
    '%j at the start of a line closes',
    async (...chunks) => {
      expect((await typed(...chunks)).closed).toBe(true);
    },
  );

  test.each([
    ['a~.', 'a~.'],
    ['cd ~\r', 'cd ~\r'],
    ['~~x', '~x'],
    ['~a', '~a'],
    ['\u0003\u0004\u001a', '\u0003\u0004\u001a'],
    ['~\r~a', '~\r~a'],
  ])('%j is sent as %j', async (input, sent) => {
    expect(await typed(input)).toEqual({ sent, closed: false });
  });

  test('every byte passes', async () => {
    const all = `x${Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('')}`;
    expect((await typed(all)).sent).toBe(all);
  });
});
