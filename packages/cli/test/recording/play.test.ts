import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { readCast } from '../../src/recording/cast.ts';
import { script } from '../fake/script.ts';
import { id } from '../fake/things.ts';

const { service, admin } = script();
const CAST = [
  '{"version":3,"term":{"cols":100,"rows":30},"title":"Ana as pamadmin1 on opa-demo-linux"}',
  '# a comment',
  '[0.5,"o","\\u001b[1mhello\\u001b[0m\\r\\n"]',
  '[60,"r","80x24"]',
  '[1.5,"o","\\u001b]52;c;eA==\\u0007\\u001b[?1049hbye"]',
  '[0,"x","0"]',
  '[0.1,"o","cut sh',
].join('\n');

describe('sft-admin sessions play', () => {
  const records = (text: string) =>
    service().on('getRecording', () => ({
      body: text,
      headers: { 'content-type': 'application/x-asciicast' },
    }));

  test('in a terminal: drawn at its pace, pauses cut, the terminal put back', async () => {
    records(CAST);
    const slept: number[] = [];
    const clock = { sleep: async (ms: number) => void slept.push(ms) };
    const { exit, out } = await admin(`sessions play ${id(60)} --speed 2 --idle 4`, {
      isTerminal: true,
      clock,
    });
    expect(exit).toBe(0);
    expect(slept).toEqual([250, 2000, 750, 0]);
    expect(out).toBe(
      '\u001b[1mhello\u001b[0m\r\n\u001b[?1049hbye\u001b[m\u001b(B\u001b[?7h\u001b[?25h\u001b[?1049l\n',
    );
  });

  test('without a terminal: its text', async () => {
    records(CAST);
    const { exit, out } = await admin(`sessions play ${id(60)}`);
    expect([exit, out]).toEqual([0, 'hello\nbye']);
  });

  test('what is no asciicast v3: 69', async () => {
    records('{"version":2}');
    expect((await admin(`sessions play ${id(60)}`)).exit).toBe(EXIT.unavailable);
  });

  test.each(['--speed 0', '--speed fast', '--idle -1', '--speed 1e9'])('%s: 64', async (flags) => {
    expect((await admin(`sessions play ${id(60)} ${flags}`)).exit).toBe(EXIT.usage);
  });

  test('the help says what is left out', async () => {
    expect((await admin('sessions play --help')).out).toContain('clipboard');
  });

  test('a broken line is left out, the rest is read', () => {
    expect(readCast(CAST)?.events).toHaveLength(4);
    expect(readCast('')).toBeUndefined();
    expect(readCast('{"version":3}\n[1,2,3]\n["x","o","y"]\n[-1,"o","y"]')?.events).toEqual([
      { interval: 0, code: 'o', data: 'y' },
    ]);
  });
});
