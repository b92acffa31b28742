import { readFileSync } from 'node:fs';
import { deserialize, setFlagsFromString } from 'node:v8';
import { fromRfc3339, type Instant } from '@postern/shared';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import type { DatabaseKind } from '../../src/platform/backend.ts';
import { type SimulatedClock, simulatedClock } from '../../src/platform/clock.ts';
import { type DatabaseHandle, type DatabaseSettings, openDatabase } from '../../src/platform/db.ts';
import { createIds, type Ids } from '../../src/platform/ids.ts';
import type { Job } from '../../src/platform/jobs.ts';
import { createTransact, type Transact } from '../../src/platform/tx.ts';
import { type Snapshot, SnapshotFS } from './snapshot-fs.ts';

// A PGlite has 170 MB outside of V8's heap. Counted apart, they bring a full collection with each
// one that is opened, which takes longer than opening it. A Node that has no such flag says so.
setFlagsFromString('--external-memory-accounted-in-global-limit');

/** Where every kit's clock starts; it stands still until a test moves it. */
export const KIT_START = fromRfc3339('2026-03-02T09:00:00Z') as Instant;

export interface Kit {
  readonly kind: DatabaseKind;
  readonly db: DatabaseHandle;
  readonly clock: SimulatedClock;
  readonly ids: Ids;
  readonly transact: Transact;
  /** What transactions enqueued, in order, those that rolled back included: no pg-boss runs. */
  readonly enqueued: Job[];
  /** How the database was opened, for a second handle on PostgreSQL. */
  readonly settings: DatabaseSettings;
}

/** A fresh migrated database. The caller closes `db`. */
export const openKit = async (kind: DatabaseKind): Promise<Kit> =>
  kitOn(kind, await freshDatabase(kind));

export async function kitOn(kind: DatabaseKind, settings: DatabaseSettings): Promise<Kit> {
  const db = await openDatabase(settings);
  const clock = simulatedClock(KIT_START);
  const ids = createIds(clock);
  const enqueued: Job[] = [];
  const jobs = {
    enqueue: async (_: unknown, job: Job) => {
      enqueued.push(job);
    },
  };
  const transact = createTransact({ db, clock, ids, jobs, secrets: 'refuse' });
  return { kind, db, clock, ids, transact, enqueued, settings };
}

let migrated: Snapshot | undefined;

async function freshDatabase(kind: DatabaseKind): Promise<DatabaseSettings> {
  if (kind === 'postgres') return { database_url: await databaseLike('template_postern') };
  migrated ??= deserialize(readFileSync(await ask('/pglite'))) as Snapshot;
  return { files: new SnapshotFS(migrated) };
}

/** A copy of a database of the run's PostgreSQL that nobody has open. @returns its URL */
export const databaseLike = (name: string): Promise<string> => ask(`/postgres?template=${name}`);

/** Asks the run's own process for what it has made for all workers. */
async function ask(path: string): Promise<string> {
  const response = await fetch(inject('posternTestDatabases') + path);
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  return answer;
}

type OpenKit = (kind: DatabaseKind) => Promise<Kit>;
const openers = new WeakMap<Kit, OpenKit>();

/** Said while the suite is described: its kit is opened so. */
export const openedBy = (kit: Kit, open: OpenKit): void => void openers.set(kit, open);

/** A fresh database for the suite around it; the kit is filled in before its tests run. */
export function withDatabase(kind: DatabaseKind): Kit {
  const kit = {} as Kit;
  beforeAll(async () => {
    const open = openers.get(kit) ?? openKit;
    Object.assign(kit, await open(kind));
  });
  afterAll(async () => {
    await kit.db?.close();
    forget(kit);
  });
  return kit;
}

/**
 * What a suite was given, taken back: the runner keeps its tests until the run ends, and a
 * database that they keep is one more for every collection to go through.
 */
export function forget(given: object): void {
  for (const key of Object.keys(given)) Reflect.deleteProperty(given, key);
}

const KINDS: Record<string, DatabaseKind[]> = {
  pglite: ['pglite'],
  postgres: ['postgres'],
  both: ['pglite', 'postgres'],
};

/** The databases this run is about: POSTERN_TEST_DB = pglite | postgres | both (the default). */
export function testedKinds(): DatabaseKind[] {
  const wanted = process.env.POSTERN_TEST_DB ?? 'both';
  const kinds = KINDS[wanted];
  if (!kinds) throw new Error(`POSTERN_TEST_DB is ${wanted}; it must be pglite, postgres or both`);
  return kinds;
}

/**
 * How a property is tried on a kit's database: each of the two tries half of `runs`, from
 * a seed of its own, so that together they try as many different inputs.
 */
export const halfOf = (kit: Kit, seed: number, runs: number) => ({
  seed: kit.kind === 'pglite' ? seed : seed + 1,
  numRuns: Math.ceil(runs / 2),
});

/** The same suite on PGlite and on PostgreSQL, each with a fresh database. */
export function onBoth(name: string, suite: (kit: Kit) => void): void {
  describe.each(testedKinds())(`${name} [%s]`, (kind) => suite(withDatabase(kind)));
}
