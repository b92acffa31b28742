import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Watch, watched } from '../watched.ts';

const watch = (over: Partial<Watch> = {}): Watch & { text(): string } => {
  let text = '';
  return {
    cwd: process.cwd(),
    env: process.env,
    quietMs: 60_000,
    hangMs: 60_000,
    ...over,
    print: (part) => {
      text += part;
    },
    text: () => text,
  };
};
const node = (script: string, w: Watch) => watched(process.execPath, ['-e', script], w);

describe('a watched program', () => {
  test('its output is passed on and its exit code returned', async () => {
    const w = watch();
    const ended = await node("console.log('out'); console.error('err'); process.exit(3)", w);
    expect(ended).toEqual({ code: 3, hung: false });
    expect(w.text()).toContain('out\n');
    expect(w.text()).toContain('err\n');
  });

  test('lines come whole, the last one too', async () => {
    const parts: string[] = [];
    const w = { ...watch(), print: (text: string) => parts.push(text) };
    const script =
      "process.stdout.write('a'); setTimeout(() => process.stdout.write('b\\nc'), 100)";
    await node(script, w);
    expect(parts).toEqual(['ab\n', 'c\n']);
  });

  test('a silent one is said to be still running', async () => {
    const w = watch({ quietMs: 50 });
    await node('setTimeout(() => {}, 400)', w);
    expect(w.text()).toContain('still running after');
  });

  test('one that hangs is ended with everything it started, and counts as failed', async () => {
    const w = watch({ hangMs: 5_000 });
    const child = "require('child_process').spawn('sleep', ['61.7'], { stdio: 'inherit' }).pid";
    const ended = await node(`console.log(${child}); setInterval(() => {}, 1000)`, w);
    expect(ended).toMatchObject({ code: 70, hung: true });
    expect(w.text()).toContain('no sign of life');
    const pid = Number.parseInt(w.text(), 10);
    expect(pid).toBeGreaterThan(1);
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  test('one that cannot be started has failed', async () => {
    const w = watch();
    expect(await watched('/nowhere/at/all', [], w)).toMatchObject({ code: 127 });
    expect(w.text()).toContain('ENOENT');
  });
});

/** A zombie that nobody has waited for has ended. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
