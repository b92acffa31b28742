import { describe, expect, test } from 'vitest';
import { Leases } from '../src/lease.ts';

const A = '00000000-0000-7000-8000-00000000000a';
const B = '00000000-0000-7000-8000-00000000000b';
const LEASE = 15_000;

const answer = (sessions: Record<string, number>, more = {}) => ({
  lease_seconds: 15,
  sessions: Object.entries(sessions).map(([id, seconds_left]) => ({ id, seconds_left })),
  cut: [],
  ...more,
});

function leasesWith(sessions: Record<string, number>): Leases {
  const leases = new Leases(LEASE, 0);
  for (const [id, left] of Object.entries(sessions)) leases.add(id, left, 0);
  return leases;
}

describe('the lease', () => {
  test('lost: 15 s after the last renewal all sessions end', () => {
    const leases = leasesWith({ [A]: 3600, [B]: 3600 });
    expect(leases.tick(14_999)).toEqual([]);
    expect(leases.tick(15_000)).toEqual([
      expect.objectContaining({ id: A, do: 'end', reason: 'lease_lost' }),
      expect.objectContaining({ id: B, do: 'end', reason: 'lease_lost' }),
    ]);
  });

  test('counted from when the question was sent, not from the answer', () => {
    const leases = leasesWith({ [A]: 3600 });
    const renewal = leases.startRenewal(5_000);
    leases.renewed(renewal, answer({ [A]: 3600 }));
    expect(leases.tick(19_999)).toEqual([]);
    expect(leases.tick(20_000)).toMatchObject([{ reason: 'lease_lost' }]);
  });

  test('the service may shorten it, never lengthen it', () => {
    const short = leasesWith({ [A]: 3600 });
    short.renewed(short.startRenewal(10_000), answer({ [A]: 3600 }, { lease_seconds: 8 }));
    expect(short.tick(18_000)).toMatchObject([{ reason: 'lease_lost' }]);
    const long = leasesWith({ [A]: 3600 });
    long.renewed(long.startRenewal(10_000), answer({ [A]: 3600 }, { lease_seconds: 900 }));
    expect(long.tick(25_000)).toMatchObject([{ reason: 'lease_lost' }]);
  });

  test('deny: a session the answer does not list ends', () => {
    const leases = leasesWith({ [A]: 3600, [B]: 3600 });
    const dues = leases.renewed(leases.startRenewal(5_000), answer({ [B]: 3600 }));
    expect(dues).toMatchObject([{ id: A, do: 'end', reason: 'terminated' }]);
  });

  test('is lost from its end on, and not before', () => {
    const leases = leasesWith({});
    expect([leases.isLost(14_999), leases.isLost(15_000)]).toEqual([false, true]);
  });

  test('a session admitted while the renewal was under way is not missing from its answer', () => {
    const leases = leasesWith({ [A]: 3600 });
    const renewal = leases.startRenewal(5_000);
    leases.add(B, 3600, 5_001);
    expect(leases.renewed(renewal, answer({ [A]: 3600 }))).toEqual([]);
  });

  test('cut: with the reason and the line of the service; an unknown reason is `terminated`', () => {
    const leases = leasesWith({ [A]: 3600, [B]: 3600 });
    const cut = [
      { id: A, reason: 'revoked', message: 'revoked by Dana Reyes' },
      { id: B, reason: 'something new', message: 'because' },
    ];
    const dues = leases.renewed(leases.startRenewal(5_000), answer({ [A]: 9, [B]: 9 }, { cut }));
    expect(dues).toEqual([
      { id: A, do: 'end', reason: 'revoked', message: 'revoked by Dana Reyes' },
      { id: B, do: 'end', reason: 'terminated', message: 'because' },
    ]);
  });
});

describe('the end of a session', () => {
  const kept = (leases: Leases, at: number, left: number) =>
    leases.renewed(leases.startRenewal(at), answer({ [A]: left }));

  test('expired: at its end, without any answer from the service', () => {
    const leases = leasesWith({ [A]: 10 });
    expect(leases.tick(9_999)).toEqual([]);
    expect(leases.tick(10_000)).toMatchObject([{ id: A, do: 'end', reason: 'expired' }]);
  });

  test('moved by a renewal, both ways', () => {
    const leases = leasesWith({ [A]: 10 });
    kept(leases, 5_000, 60);
    expect(leases.tick(12_000)).toEqual([]);
    kept(leases, 13_000, 1);
    expect(leases.tick(14_000)).toMatchObject([{ reason: 'expired' }]);
  });

  test('moved by a signal, and not moved back by the answer to an earlier question', () => {
    const leases = leasesWith({ [A]: 3600 });
    const renewal = leases.startRenewal(5_000);
    leases.signaled({ type: 'deadline', session_id: A, seconds_left: 2 }, 5_500);
    leases.renewed(renewal, answer({ [A]: 3600 }));
    expect(leases.tick(7_500)).toMatchObject([{ id: A, reason: 'expired' }]);
  });

  test('not moved by a late word of its opening', () => {
    const leases = leasesWith({ [A]: 3600 });
    const target = { host: 'a', port: 22, host_keys: [], allow_local_address: false };
    const signal = { type: 'opening', session_id: A, seconds_left: 60, target } as const;
    expect(leases.signaled(signal, 1_000)).toEqual([]);
    kept(leases, 1_000, 3599);
    kept(leases, 61_000, 3539);
    expect(leases.tick(61_500)).toEqual([]);
  });

  test('warned: 5 min and 1 min before, once each', () => {
    const leases = leasesWith({ [A]: 400 });
    const seen: unknown[] = [];
    for (let at = 1000; at < 400_000; at += 1000) {
      if (at % 5000 === 0) kept(leases, at, 400 - at / 1000);
      seen.push(...leases.tick(at));
    }
    expect(seen).toEqual([
      { id: A, do: 'warn', secondsLeft: 300 },
      { id: A, do: 'warn', secondsLeft: 60 },
    ]);
  });

  test('not warned of what lay behind when it began', () => {
    const leases = leasesWith({ [A]: 50 });
    expect(leases.tick(1_000)).toEqual([]);
  });

  test('warned again after an extension', () => {
    const leases = leasesWith({ [A]: 301 });
    expect(leases.tick(2_000)).toMatchObject([{ do: 'warn' }]);
    leases.signaled({ type: 'deadline', session_id: A, seconds_left: 400 }, 3_000);
    kept(leases, 4_000, 399);
    expect(leases.tick(4_000)).toEqual([]);
    kept(leases, 110_000, 293);
    expect(leases.tick(110_000)).toMatchObject([{ do: 'warn', secondsLeft: 293 }]);
  });
});

describe('cuts', () => {
  const cut = { type: 'cut', session_id: A, reason: 'revoked', message: 'revoked' } as const;

  test('a cut names one session only', () => {
    const leases = leasesWith({ [A]: 3600, [B]: 3600 });
    expect(leases.signaled(cut, 1)).toMatchObject([{ id: A, do: 'end', reason: 'revoked' }]);
  });

  test('a cut that overtakes the admission is not lost', () => {
    const leases = new Leases(LEASE, 0);
    expect(leases.signaled(cut, 1)).toEqual([]);
    expect(leases.add(A, 3600, 0)).toMatchObject({ do: 'end', reason: 'revoked' });
    expect(leases.has(A)).toBe(false);
  });

  test('`hello` and signals for sessions that are not here do nothing', () => {
    const leases = leasesWith({ [A]: 3600 });
    expect(leases.signaled({ type: 'hello' }, 1)).toEqual([]);
    expect(leases.signaled({ type: 'deadline', session_id: B, seconds_left: 1 }, 1)).toEqual([]);
  });
});
