import { type Kysely, sql } from 'kysely';
import type { Listening } from './backend.ts';
import type { DatabaseHandle } from './db.ts';
import type { Database } from './schema.ts';

const KINDS = ['user', 'server', 'request', 'session', 'gateway', 'group'] as const;
export type ThingKind = (typeof KINDS)[number];

/** What every replica must hear within a second: something changed. Ids only; the receiver reads again. */
export type Signal =
  | { readonly kind: 'policy' }
  | { readonly [K in ThingKind]: { readonly kind: K; readonly id: string } }[ThingKind];

/** What arrives. `reload`: signals may have been lost, read everything again. */
export type Heard = Signal | { readonly kind: 'reload' };
export type HeardOf<K extends Heard['kind']> = Extract<Heard, { kind: K }>;

const CHANNEL = 'postern_signal';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** NOTIFY in the caller's transaction: it is sent when that commits, and only then. */
export async function notify(handle: Kysely<Database>, signal: Signal): Promise<void> {
  await sql`select pg_notify(${CHANNEL}, ${encode(signal)})`.execute(handle);
}

export function encode(signal: Signal): string {
  if (signal.kind === 'policy') return 'policy';
  if (!UUID.test(signal.id)) throw new Error(`signal ${signal.kind}: not an id`);
  return `${signal.kind}:${signal.id}`;
}

/** @returns undefined for what no version of us has sent. */
export function decode(payload: string): Signal | undefined {
  if (payload === 'policy') return { kind: 'policy' };
  const [name, id, more] = payload.split(':');
  const kind = KINDS.find((known) => known === name);
  if (!kind || id === undefined || more !== undefined || !UUID.test(id)) return undefined;
  return { kind, id };
}

export interface Signals {
  /**
   * Calls `callback` for each signal of that kind, from this process or another. A lost
   * signal is possible: read again at least every 5 s, and at `reload`.
   *
   * @returns how to stop it.
   */
  on<K extends Heard['kind']>(kind: K, callback: (heard: HeardOf<K>) => void): () => void;
  close(): Promise<void>;
}

export interface Bell extends Pick<Signals, 'on'> {
  ring(heard: Heard): void;
}

/** Tells each callback of its kind. One that throws does not silence the others. */
export function createBell(onError: (error: unknown) => void): Bell {
  const callbacks = new Map<Heard['kind'], Set<(heard: never) => void>>();
  return {
    on: (kind, callback) => {
      const set = callbacks.get(kind) ?? new Set();
      callbacks.set(kind, set.add(callback as (heard: never) => void));
      return () => {
        set.delete(callback as (heard: never) => void);
      };
    },
    ring: (heard) => {
      for (const callback of callbacks.get(heard.kind) ?? []) {
        try {
          callback(heard as never);
        } catch (error) {
          onError(error);
        }
      }
    },
  };
}

/** Starts to listen. `reload` is heard after each reconnection. */
export async function startSignals(
  db: Pick<DatabaseHandle, 'listen'>,
  onError: (error: unknown) => void,
): Promise<Signals> {
  const bell = createBell(onError);

  const listening: Listening = await db.listen(
    CHANNEL,
    (payload) => {
      const signal = decode(payload);
      if (signal) bell.ring(signal);
      else onError(new Error(`a signal that no version of this program sends: ${payload}`));
    },
    () => bell.ring({ kind: 'reload' }),
  );

  return { on: bell.on, close: () => listening.close() };
}
