import type { Instant } from '@postern/shared';
import type { Kysely } from 'kysely';
import type { JsonText } from '../platform/columns.ts';
import type { Database } from '../platform/schema.ts';

/** @returns the message, or undefined when it has left already. */
export const findWaiting = (sql: Kysely<Database>, id: string) =>
  sql
    .selectFrom('messages')
    .select(['id', 'to_user_id', 'kind', 'request_id'])
    .where('id', '=', id)
    .where('delivered_at', 'is', null)
    .executeTakeFirst();

export const markDelivered = (sql: Kysely<Database>, id: string, now: Instant) =>
  sql.updateTable('messages').set({ delivered_at: now }).where('id', '=', id).execute();

export const insertMessage = (
  sql: Kysely<Database>,
  row: {
    id: string;
    to_user_id: string;
    kind: string;
    request_id: string | null;
    body: JsonText;
    created_at: Instant;
  },
): Promise<unknown> => sql.insertInto('messages').values(row).execute();
