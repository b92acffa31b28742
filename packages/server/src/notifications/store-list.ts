import type { Instant } from '@postern/shared';
import type { Kysely } from 'kysely';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';

type Sql = Kysely<Database>;
export type MessageState = 'waiting' | 'delivered' | 'dead';

/** Without the body: who may list messages need not know what they say. */
const views = (sql: Sql) =>
  sql
    .selectFrom('messages')
    .leftJoin('users', 'users.id', 'messages.to_user_id')
    .select([
      'messages.id',
      'messages.state',
      'messages.kind',
      'messages.webhook',
      'messages.to_user_id',
      'users.name as to_name',
      'messages.request_id',
      'messages.attempts',
      'messages.last_error',
      'messages.created_at',
      'messages.next_at',
      'messages.delivered_at',
    ]);
export type MessageView = Awaited<ReturnType<ReturnType<typeof views>['execute']>>[number];

/** Newest first. */
export function listMessageViews(
  sql: Sql,
  { state, after, limit }: PageRequest & { readonly state: MessageState | undefined },
): Promise<MessageView[]> {
  let query = views(sql);
  if (state !== undefined) query = query.where('messages.state', '=', state);
  if (after !== undefined) query = query.where('messages.id', '<', after);
  return query
    .orderBy('messages.id', 'desc')
    .limit(limit + 1)
    .execute();
}

export const findMessageView = (sql: Sql, id: string): Promise<MessageView | undefined> =>
  views(sql).where('messages.id', '=', id).executeTakeFirst();

/** @returns false when it is not dead. */
export async function reviveMessage(
  sql: Sql,
  id: string,
  fields: { readonly next_at: Instant; readonly give_up_at: Instant },
): Promise<boolean> {
  const done = await sql
    .updateTable('messages')
    .set({ ...fields, state: 'waiting', attempts: 0 })
    .where('id', '=', id)
    .where('state', '=', 'dead')
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

/** Those that no replica can send, because the configuration no longer names where they go. */
export const buryUnsendable = (
  sql: Sql,
  { mail, webhooks }: { readonly mail: boolean; readonly webhooks: readonly string[] },
  now: Instant,
  last_error: string,
) =>
  sql
    .updateTable('messages')
    .set({ state: 'dead', last_error })
    .where('state', '=', 'waiting')
    .where('give_up_at', '<=', now)
    .where((e) =>
      e.or([
        e.and([e('webhook', 'is', null), e.val(!mail)]),
        webhooks.length === 0 ? e('webhook', 'is not', null) : e('webhook', 'not in', webhooks),
      ]),
    )
    .returning(['id', 'to_user_id', 'webhook', 'kind', 'request_id', 'attempts'])
    .execute();

export async function countMessages(sql: Sql): Promise<{ waiting: number; dead: number }> {
  const rows = await sql
    .selectFrom('messages')
    .select((e) => ['state', e.fn.countAll<number>().as('count')])
    .where('state', 'in', ['waiting', 'dead'])
    .groupBy('state')
    .execute();
  const of = (state: MessageState) => rows.find((row) => row.state === state)?.count ?? 0;
  return { waiting: of('waiting'), dead: of('dead') };
}
