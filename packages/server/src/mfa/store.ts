import type { Instant } from '@postern/shared';
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { MfaTables } from '../platform/tables-mfa.ts';
import type { Proof } from './model.ts';

type Sql = Kysely<Database>;
type Challenges = MfaTables['mfa_challenges'];
export type ChallengeRow = Selectable<Challenges>;

export const insertProof = (db: Sql, row: Insertable<MfaTables['mfa_proofs']>): Promise<unknown> =>
  db.insertInto('mfa_proofs').values(row).execute();

/** Proofs of logins that stand: a revoked one, and one that has run out, has none. */
const standing = (db: Sql, now: Instant) =>
  db
    .selectFrom('mfa_proofs as p')
    .innerJoin('tokens as t', 't.id', 'p.token_id')
    .whereRef('t.user_id', '=', 'p.user_id')
    .where('t.kind', '=', 'login')
    .where('t.revoked_at', 'is', null)
    .where('t.expires_at', '>', now);

type Of = { readonly token_id: string } | { readonly user_id: string };

/** The latest proof of each strength of each login. */
export async function latestProofs(
  db: Sql,
  of: Of,
  since: Instant,
  now: Instant,
): Promise<(Proof & { readonly token_id: string })[]> {
  let query = standing(db, now)
    .select(['p.token_id', 'p.acr', (e) => e.fn.max('p.at').as('at')])
    .where('p.at', '>', since)
    .where('p.at', '<=', now)
    .groupBy(['p.token_id', 'p.acr']);
  query =
    'token_id' in of
      ? query.where('p.token_id', '=', of.token_id)
      : query.where('p.user_id', '=', of.user_id);
  const rows = await query.execute();
  return rows.map((row) => ({ ...row, at: row.at as Instant }));
}

/**
 * Proofs that were given for one connection, with what the person was told of it: those that
 * no session has used, or the one that `session_id` has.
 */
export async function connectionProofs(
  db: Sql,
  of: Of,
  session_id: string | null,
  since: Instant,
  now: Instant,
) {
  let query = standing(db, now)
    .innerJoin('mfa_challenges as c', 'c.id', 'p.challenge_id')
    .select([
      'p.id',
      'p.token_id',
      'p.user_id',
      'p.acr',
      'p.at',
      'c.server_id',
      'c.server_identity_revision',
      'c.identity',
      'c.credential_type',
      'c.account_id',
      'c.admin_level',
      'c.privilege',
    ])
    .where('c.server_id', 'is not', null)
    .where('p.at', '>', since)
    .where('p.session_id', session_id === null ? 'is' : '=', session_id);
  query =
    'token_id' in of
      ? query.where('p.token_id', '=', of.token_id)
      : query.where('p.user_id', '=', of.user_id);
  return query.orderBy('p.id').execute();
}

/** @returns whether it was unused: of two that use it at once, one does. */
export async function useProof(db: Sql, id: string, session_id: string): Promise<boolean> {
  const used = await db
    .updateTable('mfa_proofs')
    .set({ session_id })
    .where('id', '=', id)
    .where('session_id', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return used !== undefined;
}

export const kindOfToken = async (db: Sql, id: string) =>
  (await db.selectFrom('tokens').select('kind').where('id', '=', id).executeTakeFirst())?.kind;

/** One at a time for each person: what is counted stays as it was counted. */
export const lockPerson = (db: Sql, id: string): Promise<unknown> =>
  db.selectFrom('users').select('id').where('id', '=', id).forNoKeyUpdate().execute();

export const insertChallenge = (db: Sql, row: Insertable<Challenges>): Promise<ChallengeRow> =>
  db.insertInto('mfa_challenges').values(row).returningAll().executeTakeFirstOrThrow();

export const findChallenge = (
  db: Sql,
  by: { readonly id: string } | { readonly hash: string },
): Promise<ChallengeRow | undefined> => {
  const query = db.selectFrom('mfa_challenges').selectAll();
  return (
    'id' in by ? query.where('id', '=', by.id) : query.where('hash', '=', by.hash)
  ).executeTakeFirst();
};

export const lockChallenge = (db: Sql, id: string): Promise<ChallengeRow | undefined> =>
  db.selectFrom('mfa_challenges').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();

export const updateChallenge = (
  db: Sql,
  id: string,
  fields: Updateable<Challenges>,
): Promise<unknown> => db.updateTable('mfa_challenges').set(fields).where('id', '=', id).execute();

export async function countPending(db: Sql, user_id: string, now: Instant): Promise<number> {
  const { n } = await db
    .selectFrom('mfa_challenges')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('user_id', '=', user_id)
    .where('state', '=', 'pending')
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return n;
}

export async function countWrong(db: Sql, user_id: string, since: Instant): Promise<number> {
  const { n } = await db
    .selectFrom('mfa_challenges')
    .select((e) => e.fn.sum<number | null>('wrong_codes').as('n'))
    .where('user_id', '=', user_id)
    .where('created_at', '>', since)
    .executeTakeFirstOrThrow();
  return Number(n ?? 0);
}

/**
 * Removes some of what counts no more: proofs of logins that are over for so long, and then
 * challenges that are as old and have no proof.
 */
export async function dropOver(db: Sql, before: Instant, most: number): Promise<void> {
  await db
    .deleteFrom('mfa_proofs')
    .where('id', 'in', (e) =>
      e
        .selectFrom('mfa_proofs as p')
        .innerJoin('tokens as t', 't.id', 'p.token_id')
        .select('p.id')
        .where('p.at', '<', before)
        .where((t) => t.or([t('t.revoked_at', '<', before), t('t.expires_at', '<', before)]))
        .limit(most),
    )
    .execute();
  await db
    .deleteFrom('mfa_challenges')
    .where('id', 'in', (e) =>
      e
        .selectFrom('mfa_challenges as c')
        .leftJoin('mfa_proofs as p', 'p.challenge_id', 'c.id')
        .select('c.id')
        .where('c.expires_at', '<', before)
        .where('p.id', 'is', null)
        .limit(most),
    )
    .execute();
}

/** Who asks for what, as the page says it. */
export const describeRow = (db: Sql, id: string) =>
  db
    .selectFrom('mfa_challenges as c')
    .innerJoin('users as u', 'u.id', 'c.user_id')
    .leftJoin('servers as s', 's.id', 'c.server_id')
    .leftJoin('access_requests as r', 'r.id', 'c.request_id')
    .leftJoin('users as q', 'q.id', 'r.requester_id')
    .select([
      'u.name as user_name',
      'u.login as user_login',
      'u.status as user_status',
      's.hostname as server_name',
      'c.identity',
      'q.name as requester_name',
      'c.client_address',
      'c.created_at',
    ])
    .where('c.id', '=', id)
    .executeTakeFirst();

export type DescribedRow = NonNullable<Awaited<ReturnType<typeof describeRow>>>;
