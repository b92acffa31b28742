import type { AccessRequest, Relation } from '@postern/shared';
import type { Actor } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import { type Tx, withEvents } from '../platform/tx.ts';
import { decideRequest } from '../requests/index.ts';
import type { DecisionForm } from './form.ts';
import { hashOfLink } from './secret.ts';
import type { Link } from './standing.ts';
import { findLiveLink, useLinks } from './store.ts';

/**
 * The decision of whoever holds the link and is logged in as the person it was made for. All
 * else is decided where every decision is; it and the use of the link commit together.
 */
export async function decideByLink(
  tx: Tx,
  caller: Actor,
  relations: ReadonlySet<Relation>,
  secret: string,
  { decision, comment, step, etag }: DecisionForm,
): Promise<AccessRequest> {
  const link = await findLiveLink(tx.sql, hashOfLink(secret), tx.now);
  if (link === undefined) throw linkOver();
  refuseOthers(caller, link);
  if (step !== link.step)
    throw new Refusal('wrong_step', 'This link was made for another step of the request.', {
      next: 'Open the link again.',
    });
  const input = { decision, step: link.step, ...(comment === null ? {} : { comment }) };
  const request = await decideRequest(
    namingLink(tx, link),
    caller,
    relations,
    link.request_id,
    input,
    etag,
  );
  // Read without a lock above: it may have been used, by a decision that this one waited for.
  const used = await useLinks(tx.sql, link, tx.now);
  if (!used.includes(link.id)) throw linkOver();
  return request;
}

const linkOver = (): Refusal =>
  new Refusal('state_conflict', 'This link was used meanwhile.', {
    next: 'See what waits for you: sft-admin requests list',
  });

/** Whoever got hold of somebody's link does not get further with a login of his own. */
function refuseOthers({ user_id }: Actor, link: Link): void {
  if (user_id === link.user_id) return;
  if (user_id === link.requester_id)
    throw new Refusal(
      'requester_cannot_decide',
      'You raised this request; somebody else must decide it.',
    );
  throw new Refusal('not_permitted', 'This link was made for somebody else.', {
    next: 'If you are asked as well, you have a link of your own: sft-admin requests list',
  });
}

/** The decision's event says by which link it came. */
const namingLink = (tx: Tx, { id: link_id }: Link): Tx =>
  withEvents(tx, (event) =>
    event.type === 'access.request.decide'
      ? { ...event, details: { ...event.details, link_id } }
      : event,
  );
