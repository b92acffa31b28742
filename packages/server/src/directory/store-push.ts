import type { Insertable, Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { PushTables } from '../platform/tables-push.ts';

type Sql = Kysely<Database>;

/** Who is told of a group. */
export async function targetsOf(sql: Sql, groupId: string): Promise<string[]> {
  const rows = await sql
    .selectFrom('push_target_groups as g')
    .innerJoin('push_targets as t', 't.id', 'g.target_id')
    .select('t.id')
    .where('g.group_id', '=', groupId)
    .where('t.removed_at', 'is', null)
    .orderBy('t.id')
    .execute();
  return rows.map((row) => row.id);
}

/** There is one row for each (target, group, user): another change counts it up. @returns its id */
export async function notePush(sql: Sql, row: Insertable<PushTables['pushes']>): Promise<string> {
  const { id } = await sql
    .insertInto('pushes')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['target_id', 'group_id', 'user_id']).doUpdateSet((e) => ({
        state: 'waiting',
        change_count: e('pushes.change_count', '+', 1),
        request_id: row.request_id,
        attempts: 0,
        next_at: row.next_at,
        give_up_at: row.give_up_at,
        last_error: null,
      })),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
