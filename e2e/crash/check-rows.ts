import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { expect } from 'vitest';
import { FAULTS } from './faults.ts';
import { type Journal, missing } from './journal.ts';
import { PROMISES, type Promised } from './promises.ts';

type Row = Readonly<Record<string, unknown>>;
type Query = (sql: string) => Promise<Row[]>;

/** What stands in the database of a service that is stopped. */
export async function checkRows(
  database: { readonly databaseUrl?: string; readonly directory: string },
  journal: Journal,
  witness: string,
): Promise<void> {
  const { query, close } = await openRows(database);
  try {
    for (const [promise, sql] of Object.entries(PROMISES))
      expect(await query(sql), promise).toEqual([]);
    const admitted = await query('select id from sessions where admitted_at is not null');
    checkWitness(new Set(admitted.map((row) => String(row.id))), journal, witness);
    const events = await query('select id from audit_events');
    const ids = new Set(events.map((row) => String(row.id)));
    expect(missing(journal.events, ids), 'lost events').toEqual([]);
    for (const promise of Object.keys(PROMISES) as Promised[]) await provesItself(promise, query);
  } finally {
    await close();
  }
}

/** The check of a promise that is broken on purpose must find it. */
async function provesItself(promise: Promised, query: Query): Promise<void> {
  await query('begin');
  await query('set local session_replication_role = replica');
  for (const fault of FAULTS[promise]) await query(fault);
  const found = await query(PROMISES[promise]);
  await query('rollback');
  expect(found.length, `broken on purpose, and not seen: ${promise}`).toBeGreaterThan(0);
}

/** The target's own account of who was there: in each session once, and admitted. */
function checkWitness(admitted: ReadonlySet<string>, journal: Journal, witness: string): void {
  const seen = readFileSync(witness, 'utf8').trim().split('\n');
  expect(new Set(seen).size, 'no session ran twice').toBe(seen.length);
  expect(missing(seen, admitted), 'ran without admission').toEqual([]);
  expect(missing(journal.ran, new Set(seen)), 'ran, and left no trace').toEqual([]);
}

async function openRows({
  databaseUrl,
  directory,
}: {
  readonly databaseUrl?: string;
  readonly directory: string;
}): Promise<{ query: Query; close(): Promise<void> }> {
  if (databaseUrl === undefined) {
    const db = await PGlite.create(join(directory, 'data/db'));
    return { query: async (sql) => (await db.query<Row>(sql)).rows, close: () => db.close() };
  }
  const db = new pg.Client(databaseUrl);
  await db.connect();
  return { query: async (sql) => (await db.query<Row>(sql)).rows, close: () => db.end() };
}
