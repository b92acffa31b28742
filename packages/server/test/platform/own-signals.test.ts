import { expect, test } from 'vitest';
import { hearingOwn } from '../../src/platform/own-signals.ts';
import { createBell } from '../../src/platform/signals.ts';
import type { Transact, Tx } from '../../src/platform/tx.ts';

const ID = '0199d3a5-0000-7000-8000-000000000001';
const unexpected = (error: unknown) => {
  throw error;
};

/** Transactions that do nothing, run as often as they are told. */
function world(runs = 1) {
  const sent: unknown[] = [];
  const heard: string[] = [];
  const signal = async (one: unknown) => void sent.push(one);
  const transact: Transact = async (fn) => {
    for (let run = 1; run < runs; run++) await fn({ signal } as Tx).catch(() => {});
    return fn({ signal } as Tx);
  };
  const others = createBell(unexpected);
  const own = hearingOwn({ transact, signals: others }, unexpected);
  const stop = own.signals.on('user', ({ id }) => heard.push(id));
  return { ...{ others, own, sent, heard, stop } };
}

test('heard when it has committed, before whoever committed goes on; and sent to all', async () => {
  const { own, sent, heard } = world();
  await own.transact(async (tx) => {
    await tx.signal({ kind: 'user', id: ID });
    await tx.signal({ kind: 'policy' });
    expect(heard).toEqual([]);
  });
  expect(heard).toEqual([ID]);
  expect(sent).toEqual([{ kind: 'user', id: ID }, { kind: 'policy' }]);
});

test('what was rolled back is not heard', async () => {
  const { own, heard } = world();
  await own
    .transact(async (tx) => {
      await tx.signal({ kind: 'user', id: ID });
      throw new Error('no');
    })
    .catch(() => {});
  expect(heard).toEqual([]);
});

test('what ran again is heard once', async () => {
  const { own, heard } = world(3);
  await own.transact((tx) => tx.signal({ kind: 'user', id: ID }));
  expect(heard).toEqual([ID]);
});

test('other processes are heard too, until it is stopped', () => {
  const { others, heard, stop } = world();
  others.ring({ kind: 'user', id: ID });
  stop();
  others.ring({ kind: 'user', id: ID });
  expect(heard).toEqual([ID]);
});
