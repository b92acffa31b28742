import { expect, test } from 'vitest';
import { createCachedAuth } from '../../src/platform/cached-auth.ts';
import { createBell } from '../../src/platform/signals.ts';
import type { Transact, Tx } from '../../src/platform/tx.ts';

const ID = '0199d3a5-0000-7000-8000-000000000001';

function world() {
  const state = { now: 0, asked: 0 };
  const signals = createBell((error) => {
    throw error;
  });
  const transact: Transact = (fn) => fn({} as Tx);
  const answer = async (_: Tx, token: string) => {
    state.asked++;
    if (token === 'wrong') throw new Error('unauthenticated');
    return `${token} ${state.asked}`;
  };
  const monotonic = () => state.now;
  const keyOf = (token: string) => token;
  const auth = createCachedAuth({ transact, signals, recognize: answer, keyOf, monotonic });
  return { state, signals, auth };
}

test('one question for a second, another after it', async () => {
  const { state, auth } = world();
  expect([await auth('a'), await auth('a')]).toEqual(['a 1', 'a 1']);
  state.now = 999;
  expect(await auth('a')).toBe('a 1');
  state.now = 1_000;
  expect(await auth('a')).toBe('a 2');
});

test.each([{ kind: 'user', id: ID }, { kind: 'reload' }] as const)(
  'nothing is remembered from before $kind was heard, an answer on its way included',
  async (heard) => {
    const { auth, signals } = world();
    const before = auth('a');
    signals.ring(heard);
    expect(await auth('a')).toBe('a 2');
    expect(await before).toBe('a 1');
    expect(await auth('a')).toBe('a 2');
  },
);

test('a refusal is not remembered', async () => {
  const { state, auth } = world();
  await expect(auth('wrong')).rejects.toThrow('unauthenticated');
  await expect(auth('wrong')).rejects.toThrow('unauthenticated');
  expect(state.asked).toBe(2);
});
