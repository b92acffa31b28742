import { type Instant, instant } from '@postern/shared';
import { describe, expect, test, vi } from 'vitest';
import { nonces } from '../../src/access/nonce.ts';
import type { Api } from '../../src/api/client.ts';

function world() {
  let now = 0;
  let made = 0;
  const call = vi.fn(async () => ({
    nonce: `nonce-${++made}`,
    user_id: 'ana',
    expires_in_seconds: 60,
  }));
  const clock = { now: (): Instant => instant(now), sleep: async () => undefined };
  const taken = nonces({ call } as unknown as Api, clock);
  return { call, taken, pass: (seconds: number) => (now += seconds * 1000) };
}

describe('the nonce of a session', () => {
  test('is asked for before anybody takes it, and that one is taken', async () => {
    const { call, taken } = world();
    expect(call).toHaveBeenCalledTimes(1);
    expect(await taken.take()).toMatchObject({ nonce: 'nonce-1' });
    expect(call).toHaveBeenCalledTimes(1);
  });

  test('is another one each time: the service takes none twice', async () => {
    const { taken } = world();
    const all = [await taken.take(), await taken.take(), await taken.take()];
    expect(all.map(({ nonce }) => nonce)).toEqual(['nonce-1', 'nonce-2', 'nonce-3']);
  });

  test.each([
    [29, 'nonce-1'],
    [30, 'nonce-2'],
  ])('%s s after it was asked for, of 60, is %s', async (passed, expected) => {
    const { taken, pass } = world();
    pass(passed);
    expect(await taken.take()).toMatchObject({ nonce: expected });
  });

  test('that could not be had is told to whoever takes it, and to nobody else', async () => {
    const call = vi.fn(() => Promise.reject(new Error('unreachable')));
    const clock = { now: () => instant(0), sleep: async () => undefined };
    const taken = nonces({ call } as unknown as Api, clock);
    await new Promise((turn) => setImmediate(turn));
    await expect(taken.take()).rejects.toThrow('unreachable');
  });
});
