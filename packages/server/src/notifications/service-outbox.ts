import { plus, seconds } from '@postern/shared';
import { failure, SYSTEM } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import type { Tx } from '../platform/tx.ts';
import {
  MAIL,
  type MessageSettings,
  type Notice,
  type Outcome,
  webhookDestination,
} from './model.ts';
import { afterFailure } from './retry.ts';
import {
  type ClaimedRow,
  claimNext,
  findRecipient,
  forget,
  listDestinations,
  markDead,
  markDelivered,
  markWaiting,
  replaceDestinations,
} from './store.ts';
import { buryUnsendable } from './store-list.ts';

/**
 * For so long nobody else sends what was claimed; longer than any attempt is let last, and
 * than the clocks of two replicas may be apart.
 */
const LEASE = seconds(180);

export interface Claimed extends ClaimedRow {
  readonly claim: string;
}

/** What is to be said is found out when it leaves: by then there may be nothing left to say. */
export type Describe = (tx: Tx, message: Leaving) => Promise<Notice | undefined>;

export interface Leaving {
  readonly kind: string;
  readonly request_id: string | null;
  /** The reader of a mail; of a webhook's message the person it is about, if it is one. */
  readonly person: { readonly id: string; readonly name: string } | null;
  /** Whether that person reads it, alone. */
  readonly personal: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Ready {
  readonly notice: Notice;
  /** Of a mail. */
  readonly address: string | null;
}

/** Tells the database where this deployment sends to, so that rows are made for that. */
export const declareDestinations = (tx: Tx, { mail, webhooks }: MessageSettings): Promise<void> =>
  replaceDestinations(tx.sql, [
    ...(mail === null ? [] : [MAIL]),
    ...webhooks.map(({ name }) => webhookDestination(name)),
  ]);

/** The next message that is due for the mailboxes (null) or for a webhook, for this caller alone. */
export async function claimMessage(tx: Tx, webhook: string | null): Promise<Claimed | undefined> {
  const claim = tx.ids.uuid();
  const row = await claimNext(tx.sql, { webhook, claim, now: tx.now, until: plus(tx.now, LEASE) });
  return row === undefined ? undefined : { ...row, claim };
}

/**
 * What the message says now. A person who cannot be told any more, or a matter that is
 * settled: the message is forgotten.
 */
export async function prepareMessage(
  tx: Tx,
  message: Claimed,
  describe: Describe,
): Promise<Ready | undefined> {
  const person =
    message.to_user_id === null ? undefined : await findRecipient(tx.sql, message.to_user_id);
  const personal = message.webhook === null;
  const reachable = !personal || (person?.status === 'ACTIVE' && person.email !== null);
  const notice = reachable
    ? await describe(tx, {
        kind: message.kind,
        request_id: message.request_id,
        person: person === undefined ? null : { id: person.id, name: person.name },
        personal,
        body: message.body as Readonly<Record<string, unknown>>,
      })
    : undefined;
  if (notice === undefined) {
    await forget(tx.sql, message.id, message.claim);
    return undefined;
  }
  return { notice, address: personal ? (person?.email ?? null) : null };
}

/** Records what became of an attempt. One whose claim was lost records nothing. */
export async function finishMessage(
  tx: Tx,
  message: Claimed,
  outcome: Outcome,
): Promise<'delivered' | 'waiting' | 'dead' | 'lost'> {
  const { id, claim } = message;
  if (outcome.result === 'delivered')
    return (await markDelivered(tx.sql, id, claim, tx.now)) ? 'delivered' : 'lost';
  const next = afterFailure(message, outcome.permanent, tx.now);
  if (next !== 'dead') {
    const fields = { next_at: next.next_at, last_error: outcome.error };
    return (await markWaiting(tx.sql, id, claim, fields)) ? 'waiting' : 'lost';
  }
  if (!(await markDead(tx.sql, id, claim, outcome.error))) return 'lost';
  await auditDeath(tx, message, outcome.permanent ? 'refused' : 'gave_up', outcome.error);
  return 'dead';
}

/** What is addressed to a webhook that was taken out of the configuration, or to mail without any. */
export async function buryOrphans(tx: Tx): Promise<void> {
  const names = await listDestinations(tx.sql);
  const webhooks = names.flatMap((name) => /^webhook:(.+)$/.exec(name)?.[1] ?? []);
  const error = 'its destination is no longer configured';
  const settings = { mail: names.includes(MAIL), webhooks };
  for (const message of await buryUnsendable(tx.sql, settings, tx.now, error))
    await auditDeath(tx, message, 'no_destination', error);
}

const auditDeath = (
  tx: Tx,
  message: Pick<ClaimedRow, 'id' | 'kind' | 'webhook' | 'to_user_id' | 'request_id' | 'attempts'>,
  reason: string,
  error: string,
): Promise<void> =>
  tx.audit({
    type: 'pam.message.dead',
    actor: SYSTEM,
    targets: messageRefs(message),
    outcome: failure(reason),
    request_id: message.request_id,
    details: { kind: message.kind, attempts: message.attempts, error },
  });

export const messageRefs = (message: {
  readonly id: string;
  readonly kind: string;
  readonly webhook: string | null;
  readonly to_user_id: string | null;
}): EventReference[] => [
  { type: 'message', id: message.id, name: message.kind },
  ...(message.webhook === null ? [] : [{ type: 'webhook', id: null, name: message.webhook }]),
  ...(message.to_user_id === null ? [] : [{ type: 'user', id: message.to_user_id, name: null }]),
];
