import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeToken } from '../../packages/server/src/identity/token.ts';
import { systemClock } from '../../packages/server/src/platform/clock.ts';
import { openDatabase } from '../../packages/server/src/platform/db.ts';
import { createIds } from '../../packages/server/src/platform/ids.ts';
import { migrate } from '../../packages/server/src/platform/migrate.ts';
import { json } from '../../packages/server/src/platform/schema.ts';
import { startSignals } from '../../packages/server/src/platform/signals.ts';
import { createTransact, type Tx } from '../../packages/server/src/platform/tx.ts';
import { createPolicyCache } from '../../packages/server/src/policy/index.ts';
import { authenticateConnection } from '../../packages/server/src/scim/service-authenticate.ts';
import { getGroup, modifyGroup } from '../../packages/server/src/scim/service-groups.ts';
import { bar, measured, number, printTable } from '../table.ts';

const MEMBERS = 10_000;
const GROUPS = 1_000;
const ROUNDS = 100;
const BASE = 'https://service.invalid/scim/v2';
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/**
 * A PATCH of one member of a group of ten thousand, among a thousand groups: what the service
 * itself takes, from authentication to commit, on PGlite on this disk.
 */
export async function benchScim(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-scim-'));
  const db = await openDatabase({ data_dir: join(directory, 'data') });
  try {
    await migrate(db);
    const ids = createIds(systemClock);
    const jobs = { enqueue: async () => {} };
    const transact = createTransact({ db, clock: systemClock, ids, jobs, secrets: 'refuse' });
    const { token, users, group } = await transact(populate);
    const through = async <T>(act: Parameters<typeof transact<T>>[0]): Promise<T> => transact(act);
    const signals = await startSignals(db, (error) => {
      throw error;
    });
    const cache = createPolicyCache({ transact, signals, monotonic: () => performance.now() });
    /** How long after the commit the compiled index still answers by what was before. */
    const follows = async (user: string, isMember: boolean): Promise<void> => {
      const began = performance.now();
      const here = async () =>
        (await cache.view(user)).person?.facts.memberships.some((m) => m.group_id === group);
      while ((await here()) !== isMember) await new Promise((again) => setTimeout(again, 1));
      timed['policy index follows']?.push(performance.now() - began);
    };
    const timed: Record<string, number[]> = {
      add: [],
      remove: [],
      'get without members': [],
      'policy index follows': [],
    };
    const once = async (name: string, operation?: object): Promise<void> => {
      const began = performance.now();
      await through(async (tx) => {
        const connection = await authenticateConnection(tx, token, BASE);
        if (operation === undefined)
          await getGroup(tx, connection, group, { only: null, without: ['members'] });
        else {
          const body = { schemas: [PATCH_OP], Operations: [operation] };
          await modifyGroup(tx, connection, group, body, undefined);
        }
      });
      timed[name]?.push(performance.now() - began);
    };
    for (let round = 0; round < ROUNDS; round++) {
      const id = users[(round * 97) % MEMBERS] ?? '';
      await cache.view(id);
      await once('remove', { op: 'remove', path: `members[value eq "${id}"]` });
      await follows(id, false);
      await once('add', { op: 'add', path: 'members', value: [{ value: id }] });
      await follows(id, true);
      await once('get without members');
    }
    printTable(
      `SCIM: one member of ${number(MEMBERS)}, ${number(GROUPS)} groups, ms in the service`,
      ['call', 'median', 'p99', 'bar'],
      Object.entries(timed).map(([name, values]) => {
        const m = measured(values);
        const most = name === 'policy index follows' ? 1_000 : 50;
        return [name, number(m.median, 1), number(m.p99, 1), bar(m.p99, 'at most', most, 'ms')];
      }),
    );
    cache.stop();
    await signals.close();
  } finally {
    await db.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Written as rows: pushed one by one it would take longer than it is measured. */
async function populate({ sql, ids, now }: Tx) {
  const users = Array.from({ length: MEMBERS }, () => ids.uuid());
  const groups = Array.from({ length: GROUPS }, () => ids.uuid());
  const [creator = ''] = users;
  const group = groups[0] ?? '';
  const connection_id = ids.uuid();
  const tokenId = ids.uuid();
  const { token, hash } = makeToken(tokenId, ids.random(32));
  const made_by = json([creator]);
  const common = { connection_id, created_at: now, updated_at: now };
  const insert = async (
    all: readonly string[],
    rows: (id: string, index: number) => [table: string, row: object][],
  ): Promise<void> => {
    for (let at = 0; at < all.length; at += 1_000) {
      const byTable = Map.groupBy(
        all.slice(at, at + 1_000).flatMap((id, i) => rows(id, at + i)),
        ([table]) => table,
      );
      for (const [table, list] of byTable)
        await sql
          .insertInto(table as 'users')
          .values(list.map(([, row]) => row) as never)
          .execute();
    }
  };
  await insert(users, (id, n) => [
    [
      'users',
      {
        id,
        login: `user-${n}`,
        name: `User ${n}`,
        type: 'human',
        manager_made_by: json([]),
        attributes: json({}),
        master: 'scim',
        created_at: now,
      },
    ],
    ['revisions', { id, kind: 'user' }],
  ]);
  await sql
    .insertInto('scim_connections')
    .values({
      id: connection_id,
      name: 'bench',
      authoritative: json([]),
      made_by,
      created_by: creator,
      created_at: now,
    })
    .execute();
  await sql
    .insertInto('scim_tokens')
    .values({ id: tokenId, connection_id, hash, made_by, created_at: now })
    .execute();
  await insert(users, (user_id, n) => [
    ['scim_users', { user_id, ...common, resource: json({ userName: `user-${n}` }) }],
  ]);
  await insert(groups, (id, n) => [
    ['groups', { id, name: `Group ${n}`, source: 'scim', created_at: now }],
    ['scim_groups', { group_id: id, ...common, taken_at: now }],
  ]);
  await insert(users, (user_id) => [
    [
      'memberships',
      { id: ids.uuid(), group_id: group, user_id, source: 'scim', made_by, created_at: now },
    ],
  ]);
  return { token, users, group };
}
