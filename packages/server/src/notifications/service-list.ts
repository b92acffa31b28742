import { type Message, plus, type Query, toRfc3339 } from '@postern/shared';
import { SUCCESS } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import { Refusal } from '../platform/errors.ts';
import { cutPage, pageOf } from '../platform/paging.ts';
import type { Tx } from '../platform/tx.ts';
import { PATIENCE } from './retry.ts';
import { messageRefs } from './service-outbox.ts';
import {
  findMessageView,
  listMessageViews,
  type MessageView,
  reviveMessage,
} from './store-list.ts';

/** Messages, newest first; never what they say. */
export async function listMessages(
  tx: Tx,
  query: Query<'listMessages'>,
): Promise<{ readonly list: Message[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  const cut = cutPage(await listMessageViews(tx.sql, { ...page, state: query.state }), page);
  return { ...cut, list: cut.list.map(toMessage) };
}

/** A dead message waits again, from now on for as long as a new one. */
export async function retryMessage(tx: Tx, actor: EventReference, id: string): Promise<Message> {
  const found = await findMessageView(tx.sql, id);
  if (found === undefined) throw new Refusal('not_found', 'There is no such message.');
  const fields = { next_at: tx.now, give_up_at: plus(tx.now, PATIENCE) };
  if (!(await reviveMessage(tx.sql, id, fields)))
    throw new Refusal(
      'state_conflict',
      `The message is ${found.state}; only a dead one is retried.`,
      {
        next: 'See which are dead: sft-admin messages list --state dead',
      },
    );
  await tx.audit({
    type: 'pam.message.retry',
    actor,
    targets: messageRefs(found),
    outcome: SUCCESS,
    request_id: found.request_id,
    details: { kind: found.kind, error: found.last_error },
  });
  await tx.enqueue({ name: 'message.send', payload: { message_id: id } });
  const revived = await findMessageView(tx.sql, id);
  return toMessage(revived ?? found);
}

const toMessage = (row: MessageView): Message => ({
  id: row.id,
  state: row.state,
  kind: row.kind,
  destination:
    row.webhook === null ? { type: 'mail', name: null } : { type: 'webhook', name: row.webhook },
  to: row.to_user_id === null ? null : { id: row.to_user_id, name: row.to_name ?? '' },
  request_id: row.request_id,
  attempts: row.attempts,
  last_error: row.last_error,
  created_at: toRfc3339(row.created_at),
  next_at: row.state === 'waiting' ? toRfc3339(row.next_at) : null,
  delivered_at: row.delivered_at === null ? null : toRfc3339(row.delivered_at),
});
