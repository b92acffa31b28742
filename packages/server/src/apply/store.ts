import { type Kysely, sql as raw } from 'kysely';
import type { Database } from '../platform/schema.ts';

/** Does `act` and undoes all it wrote, what it would have told other processes included. */
export async function undone<T>(sql: Kysely<Database>, act: () => Promise<T>): Promise<T> {
  await raw`savepoint dry_run`.execute(sql);
  const result = await act();
  await raw`rollback to savepoint dry_run`.execute(sql);
  return result;
}
