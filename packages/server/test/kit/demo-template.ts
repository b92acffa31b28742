import type { Instant } from '@postern/shared';
import { sql } from 'kysely';
import type { DatabaseKind } from '../../src/platform/backend.ts';
import type { DatabaseSettings } from '../../src/platform/db.ts';
import { databaseLike, type Kit, kitOn, openKit } from './index.ts';
import { demoWorld, must, startService, type TestService, type Tokens } from './service.ts';
import { type Snapshot, SnapshotFS } from './snapshot-fs.ts';

/** The demo world as it was left in a database, and what one must know to go on with it. */
interface DemoTemplate extends Pick<TestService, 'keyring' | 'bootstrap'> {
  readonly tokens: Tokens;
  readonly ids: DemoIds;
  /** How a copy of the database is opened. */
  readonly copy: () => Promise<DatabaseSettings>;
  readonly at: Instant;
}

const made: Partial<Record<DatabaseKind, Promise<DemoTemplate>>> = {};

/** Made by the first suite of a worker that wants it; making the world takes a quarter of a second. */
export function demoTemplate(kind: DatabaseKind): Promise<DemoTemplate> {
  made[kind] ??= makeTemplate(kind);
  return made[kind];
}

/** A database with the demo world, just made. */
export async function openDemoKit(kind: DatabaseKind): Promise<Kit> {
  const { copy, at } = await demoTemplate(kind);
  const kit = await kitOn(kind, await copy());
  kit.clock.set(at);
  return kit;
}

async function makeTemplate(kind: DatabaseKind): Promise<DemoTemplate> {
  const kit = await openKit(kind);
  const service = await startService(kit);
  const tokens = await demoWorld(kit, service);
  const ids = await demoIds(service, tokens);
  await service.stop();
  if (service.faults.length > 0) throw new Error(JSON.stringify(service.faults));
  const copy = await copiesOf(kit);
  await kit.db.close();
  const { keyring, bootstrap } = service;
  return { ...{ keyring, bootstrap, tokens, ids, copy }, at: kit.clock.now() };
}

async function copiesOf({ db, settings }: Kit): Promise<DemoTemplate['copy']> {
  const { files, database_url } = settings;
  if (database_url !== undefined) {
    const name = new URL(database_url).pathname.slice(1);
    return async () => ({ database_url: await databaseLike(name) });
  }
  await sql`checkpoint`.execute(db.sql);
  const snapshot: Snapshot = (files as SnapshotFS).snapshot();
  return async () => ({ files: new SnapshotFS(snapshot) });
}

/** What stands in the demo world, by id. */
export interface DemoIds {
  readonly server: string;
  readonly users: Readonly<Record<string, string>>;
  readonly groups: Readonly<Record<string, string>>;
  readonly policy: string;
  readonly request_type: string;
}

export async function demoIds(service: TestService, tokens: Tokens): Promise<DemoIds> {
  const list = async (login: string, path: string): Promise<Record<string, string>[]> =>
    must(await service.call(tokens[login], 'GET', path)).list as Record<string, string>[];
  const by = (rows: Record<string, string>[], key: string): Record<string, string> =>
    Object.fromEntries(rows.map((row) => [row[key], row.id]));
  const [stored] = await list('sam', '/security_policy');
  const ids: DemoIds = {
    server: (await list('sam', '/inventory/servers'))[0]!.id!,
    users: by(await list('pat', '/users'), 'login'),
    groups: by(await list('pat', '/groups'), 'name'),
    policy: (stored as unknown as { policy: { id: string } }).policy.id,
    request_type: (await list('sam', '/request_types'))[0]!.id!,
  };
  return ids;
}
