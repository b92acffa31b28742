import { plus } from '@postern/shared';
import { json } from '../platform/columns.ts';
import type { Tx } from '../platform/tx.ts';
import { MAIL, type MessageKind } from './model.ts';
import { PATIENCE } from './retry.ts';
import { insertMessages, listDestinations, type NewRow, reachableByMail } from './store.ts';

export interface NewMessage {
  readonly to: string;
  readonly kind: MessageKind;
  readonly request_id: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Puts messages into the outbox with the change that they are about: one for the mailbox of
 * each recipient that has one, and one for each webhook, however many recipients a notice has.
 * They leave after the commit, at least once; the id lets the receiver see a second copy. Of
 * one request they leave in this order, if the caller holds the request's row.
 */
export async function sendLater(tx: Tx, messages: readonly NewMessage[]): Promise<void> {
  if (messages.length === 0) return;
  const destinations = await listDestinations(tx.sql);
  const people = messages.map(({ to }) => to);
  const reachable = destinations.includes(MAIL) ? await reachableByMail(tx.sql, people) : [];
  const rows: NewRow[] = [];
  for (const message of messages)
    if (reachable.includes(message.to)) rows.push(rowOf(tx, message, message.to, null));
  for (const notice of noticesOf(messages))
    for (const destination of destinations) {
      const webhook = /^webhook:(.+)$/.exec(destination)?.[1];
      if (webhook !== undefined) rows.push(rowOf(tx, notice.message, notice.about, webhook));
    }
  const [first] = rows;
  if (first === undefined) return;
  await insertMessages(tx.sql, rows);
  await tx.enqueue({ name: 'message.send', payload: { message_id: first.id } });
}

const rowOf = (
  tx: Tx,
  { kind, request_id, body }: NewMessage,
  to_user_id: string | null,
  webhook: string | null,
): NewRow => ({
  id: tx.ids.uuid(),
  to_user_id,
  webhook,
  kind,
  request_id,
  body: json(body),
  created_at: tx.now,
  next_at: tx.now,
  give_up_at: plus(tx.now, PATIENCE),
});

/** The same news to several people is one notice; about one person only if it goes to one. */
function noticesOf(messages: readonly NewMessage[]) {
  const groups = Map.groupBy(messages, ({ kind, request_id, body }) =>
    JSON.stringify([kind, request_id, body]),
  );
  return [...groups.values()].flatMap((same) => {
    const [message] = same;
    if (message === undefined) return [];
    const people = new Set(same.map(({ to }) => to));
    return [{ message, about: people.size === 1 ? message.to : null }];
  });
}
