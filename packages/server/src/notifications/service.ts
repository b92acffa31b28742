import { json } from '../platform/columns.ts';
import type { Tx } from '../platform/tx.ts';
import { insertMessage } from './store.ts';

export type MessageKind =
  | 'approval_needed'
  | 'request_approved'
  | 'request_denied'
  | 'request_canceled'
  | 'request_expired'
  | 'access_revoked'
  | 'access_ended'
  | 'token_made';

export interface NewMessage {
  readonly to: string;
  readonly kind: MessageKind;
  readonly request_id: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Puts messages into the outbox with the change that they are about. They leave after the
 * commit, at least once; the id lets the receiver see a second copy.
 */
export async function sendLater(tx: Tx, messages: readonly NewMessage[]): Promise<void> {
  for (const message of messages) {
    const id = tx.ids.uuid();
    await insertMessage(tx.sql, {
      id,
      to_user_id: message.to,
      kind: message.kind,
      request_id: message.request_id,
      body: json(message.body),
      created_at: tx.now,
    });
    await tx.enqueue({ name: 'message.send', payload: { message_id: id } });
  }
}
