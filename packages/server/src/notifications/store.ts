import type { Instant } from '@postern/shared';
import type { Insertable, Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';

type Sql = Kysely<Database>;
export type NewRow = Insertable<Database['messages']> & { readonly id: string };

export const insertMessages = (sql: Sql, rows: readonly NewRow[]): Promise<unknown> =>
  sql.insertInto('messages').values(rows).execute();

export async function listDestinations(sql: Sql): Promise<string[]> {
  const rows = await sql
    .selectFrom('message_destinations')
    .select('name')
    .orderBy('name')
    .execute();
  return rows.map(({ name }) => name);
}

export async function replaceDestinations(sql: Sql, names: readonly string[]): Promise<void> {
  await sql.deleteFrom('message_destinations').execute();
  if (names.length === 0) return;
  await sql
    .insertInto('message_destinations')
    .values(names.map((name) => ({ name })))
    .execute();
}

/** Those of the people that may be told by mail. */
export async function reachableByMail(sql: Sql, people: readonly string[]): Promise<string[]> {
  const rows = await sql
    .selectFrom('users')
    .select('id')
    .where('id', 'in', people)
    .where('email', 'is not', null)
    .where('status', '=', 'ACTIVE')
    .execute();
  return rows.map(({ id }) => id);
}

export const findRecipient = (sql: Sql, id: string) =>
  sql
    .selectFrom('users')
    .select(['id', 'name', 'email', 'status'])
    .where('id', '=', id)
    .executeTakeFirst();

/** What is due of one destination: of all mailboxes (null), or of one webhook. */
const dueOf = (sql: Sql, webhook: string | null, now: Instant) =>
  sql
    .selectFrom('messages as m')
    .select('m.id')
    .where('m.state', '=', 'waiting')
    .where('m.webhook', 'is not distinct from', webhook)
    .where('m.next_at', '<=', now)
    .where((e) => e.or([e('m.claimed_until', 'is', null), e('m.claimed_until', '<=', now)]))
    // In order: an earlier one of the same request to the same destination goes first.
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('messages as earlier')
            .select('earlier.id')
            .whereRef('earlier.request_id', '=', 'm.request_id')
            .whereRef('earlier.destination', '=', 'm.destination')
            .whereRef('earlier.place', '<', 'm.place')
            .where('earlier.state', '=', 'waiting'),
        ),
      ),
    )
    .orderBy('m.next_at')
    .orderBy('m.place')
    .limit(1);

/**
 * Takes the next one that is due, for whoever holds `claim`, until `until`: two processes
 * never have the same one, and nobody waits for another's.
 */
export const claimNext = (
  sql: Sql,
  { webhook, claim, now, until }: Claiming,
): Promise<ClaimedRow | undefined> =>
  sql
    .updateTable('messages')
    .set((e) => ({ claim, claimed_until: until, attempts: e('attempts', '+', 1) }))
    .where('id', '=', dueOf(sql, webhook, now).forUpdate().skipLocked())
    .returning(CLAIMED)
    .executeTakeFirst();

export interface Claiming {
  readonly webhook: string | null;
  readonly claim: string;
  readonly now: Instant;
  readonly until: Instant;
}

const CLAIMED = [
  'id',
  'to_user_id',
  'webhook',
  'kind',
  'request_id',
  'body',
  'created_at',
  'attempts',
  'give_up_at',
] as const;
export interface ClaimedRow {
  readonly id: string;
  readonly to_user_id: string | null;
  readonly webhook: string | null;
  readonly kind: string;
  readonly request_id: string | null;
  readonly body: unknown;
  readonly created_at: Instant;
  readonly attempts: number;
  readonly give_up_at: Instant;
}

const held = (sql: Sql, id: string, claim: string) =>
  sql
    .updateTable('messages')
    .where('id', '=', id)
    .where('claim', '=', claim)
    .where('state', '=', 'waiting');

/** Each of these: false when the claim has run out and somebody else has it. */
export async function markDelivered(sql: Sql, id: string, claim: string, now: Instant) {
  const done = held(sql, id, claim).set({
    state: 'delivered',
    delivered_at: now,
    ...FREE,
    last_error: null,
  });
  return (await done.executeTakeFirst()).numUpdatedRows > 0n;
}

export async function markWaiting(
  sql: Sql,
  id: string,
  claim: string,
  fields: { readonly next_at: Instant; readonly last_error: string },
) {
  const done = held(sql, id, claim).set({ ...fields, ...FREE });
  return (await done.executeTakeFirst()).numUpdatedRows > 0n;
}

export async function markDead(sql: Sql, id: string, claim: string, last_error: string) {
  const done = held(sql, id, claim).set({ state: 'dead', last_error, ...FREE });
  return (await done.executeTakeFirst()).numUpdatedRows > 0n;
}

const FREE = { claim: null, claimed_until: null } as const;

/** There is nothing left to say. */
export const forget = (sql: Sql, id: string, claim: string): Promise<unknown> =>
  sql.deleteFrom('messages').where('id', '=', id).where('claim', '=', claim).execute();
