import type { Jobs } from '../platform/jobs.ts';
import type { Transact } from '../platform/tx.ts';
import type { Keyring } from '../vault/index.ts';
import { createTell, type Tell } from './jobs-client.ts';
import type { PushSettings } from './model.ts';
import { claimPush, finishPush } from './service-pushes.ts';
import { countPushes } from './store.ts';

interface World {
  readonly transact: Transact;
  readonly keyring: Keyring;
  readonly settings: PushSettings;
  readonly counted: (result: 'told' | 'failed') => void;
  readonly log: { info(facts: object, line: string): void };
  readonly onError: (error: unknown) => void;
  /** For tests. */
  readonly tell?: Tell;
}

export interface Pusher {
  /** Tells whatever is due now, one after the other, and waits for it. */
  send(): Promise<void>;
  counts(): { readonly waiting: number; readonly dead: number };
  stop(): Promise<void>;
}

/** Retries, and what a lost job left, are looked for this often. */
const SWEEP_MS = 10_000;
const AT_ONCE = 4;

/** A job only says that something waits; whoever is free tells whatever is due. */
export function createPusher(world: World): Pusher {
  const { transact, keyring, settings, counted, log, onError } = world;
  const tell = world.tell ?? createTell(settings);
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  let counts = { waiting: 0, dead: 0 };
  const next = async (): Promise<boolean> => {
    if (stopping.signal.aborted) return false;
    const claimed = await transact((tx) => claimPush(tx, keyring));
    if (claimed === undefined || claimed === 'dead') return claimed === 'dead';
    using token = claimed.token;
    const target = { url: claimed.url, token: token.expose().toString('utf8') };
    const outcome = await tell(target, claimed.told, stopping.signal);
    const state = await transact((tx) => finishPush(tx, claimed, outcome));
    counted(outcome.result);
    const { id, target_id, group_id, user_id, request_id, attempts } = claimed.push;
    const facts = { push_id: id, target_id, group_id, user_id, request_id, attempts, state };
    if (outcome.result === 'told')
      log.info({ ...facts, told: claimed.told.operation }, 'group pushed');
    else log.info({ ...facts, error: outcome.error }, 'group not pushed');
    return true;
  };
  const lane = async (): Promise<void> => {
    while (await next());
  };
  return {
    send: async () => {
      const lanes = Array.from({ length: AT_ONCE }, () => lane().catch(onError));
      const all = Promise.all(lanes).then(() => {});
      running.add(all);
      await all.finally(() => running.delete(all));
      counts = await transact((tx) => countPushes(tx.sql));
    },
    counts: () => counts,
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

export async function startPushes(
  world: World & { readonly jobs: Pick<Jobs, 'work'> },
): Promise<Pusher> {
  const pusher = createPusher(world);
  await world.jobs.work('membership.push', async () => void pusher.send().catch(world.onError));
  const timer = setInterval(() => void pusher.send().catch(world.onError), SWEEP_MS);
  timer.unref();
  return {
    ...pusher,
    stop: async () => {
      clearInterval(timer);
      await pusher.stop();
    },
  };
}
