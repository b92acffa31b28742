import type { Instant, Role } from '@postern/shared';
import type { Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { TokenKind } from './caller.ts';

export interface TokenRow {
  id: string;
  user_id: string;
  /** null: what is presented is another text, which names this row. */
  hash: string | null;
  issued_by: string | null;
  expires_at: Instant;
  revoked_at: Instant | null;
  kind: TokenKind;
  binding: string | null;
  made_by: string[];
}

export const findToken = (sql: Kysely<Database>, id: string): Promise<TokenRow | undefined> =>
  sql
    .selectFrom('tokens')
    .select(['id', 'user_id', 'hash', 'issued_by', 'expires_at', 'revoked_at'])
    .select(['kind', 'binding', 'made_by'])
    .where('id', '=', id)
    .executeTakeFirst();

export const findUser = (sql: Kysely<Database>, id: string) =>
  sql
    .selectFrom('users')
    .select(['id', 'login', 'name', 'type', 'status'])
    .where('id', '=', id)
    .executeTakeFirst();

/** Roles the user holds now, through live memberships only. */
export async function rolesOf(
  sql: Kysely<Database>,
  userId: string,
  now: Instant,
): Promise<ReadonlySet<Role>> {
  const rows = await sql
    .selectFrom('memberships as m')
    .innerJoin('role_bindings as b', 'b.group_id', 'm.group_id')
    .innerJoin('groups as g', 'g.id', 'm.group_id')
    .select('b.role')
    .distinct()
    .where('m.user_id', '=', userId)
    .where('m.ended_at', 'is', null)
    .where('g.deleted_at', 'is', null)
    .where((e) => e.or([e('m.expires_at', 'is', null), e('m.expires_at', '>', now)]))
    .execute();
  return new Set(rows.map((row) => row.role));
}
