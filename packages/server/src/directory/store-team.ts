import type { Insertable, Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';

type Sql = Kysely<Database>;

/** The one team of this database; undefined while it is empty. */
export const findTeam = (sql: Sql) =>
  sql.selectFrom('team').select(['id', 'name', 'demo', 'keyring_check']).executeTakeFirst();

export const insertTeam = (sql: Sql, row: Insertable<DomainTables['team']>): Promise<unknown> =>
  sql.insertInto('team').values(row).execute();
