import type { NewAccessRequest } from '@postern/shared';
import { findGroup, membershipsOf, refuseRequestInto } from '../directory/index.ts';
import type { Actor } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import { lockDeciding } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import type { Card } from './card.ts';
import { type AskedMembership, type GroupTarget, groupKey, membershipsFor } from './membership.ts';
import {
  answerPending,
  headOfCard,
  keepRequest,
  type PublishedType,
  publishedType,
  type Raised,
  refuseAnswers,
  refuseTooMany,
  refuseTooSoon,
} from './service-raise-row.ts';
import { findPendingForGroups, lastDeniedForGroups } from './store.ts';

const notInCatalogue = () =>
  new Refusal('not_found', 'There is no such request type in your catalogue.', {
    next: 'See what you can ask for: sft request catalog',
  });

/**
 * Raises a request for membership in the groups that the answers choose. The pending one for
 * the same groups is answered as it is.
 */
export async function raiseForGroups(
  tx: Tx,
  caller: Actor,
  input: NewAccessRequest,
  clientAddress: string | undefined,
): Promise<Raised> {
  await lockDeciding(tx.sql, [caller.user_id]);
  const held = await membershipsOf(tx.sql, caller.user_id, tx.now);
  const type = await typeFor(tx, input.request_type_id, held);
  refuseAnswers(type.definition, input.answers, tx.now);
  const memberships = membershipsFor(type.definition, input.answers);
  if (memberships === undefined) throw twice();
  refuseStanding(memberships, held);
  const target: GroupTarget = { type: 'group_membership', memberships };
  const tuple = {
    requester_id: caller.user_id,
    request_type_id: input.request_type_id,
    group_ids: groupKey(target),
  };
  const pending = await findPendingForGroups(tx.sql, tuple);
  if (pending !== undefined) return answerPending(tx, pending.id);
  refuseTooSoon(tx, await lastDeniedForGroups(tx.sql, tuple));
  await refuseTooMany(tx, caller);
  for (const { group } of memberships) {
    await refuseRequestInto(tx, group.id, type.definition);
    if ((await findGroup(tx.sql, group.id)) === undefined) throw gone(group.name);
  }
  const card: Card = { ...headOfCard(caller, type), target, answers: input.answers };
  const { group_ids } = tuple;
  return keepRequest(tx, caller, card, type, { ...NO_SERVER, group_ids }, clientAddress);
}

const NO_SERVER = {
  server_id: null,
  server_identity_revision: null,
  identity: null,
  credential_type: null,
  account_id: null,
  privilege: null,
  binding: null,
};

/** What is not for this person is not there for him. */
async function typeFor(
  tx: Tx,
  id: string,
  held: readonly { readonly group_id: string }[],
): Promise<PublishedType> {
  const type = await publishedType(tx, id, held).catch((error: unknown) => {
    if (error instanceof Refusal) throw notInCatalogue();
    throw error;
  });
  if (type?.definition.purpose !== 'group_membership') throw notInCatalogue();
  return type;
}

const twice = () =>
  new Refusal('invalid_request', 'These answers ask for the same group twice.', {
    errors: [
      { pointer: '/answers', code: 'invalid_value', detail: 'must choose different groups' },
    ],
    next: 'Choose another group in one of them.',
  });

const gone = (name: string) =>
  new Refusal('state_conflict', `The group ${name} is gone.`, {
    next: 'See what you can ask for: sft request catalog',
  });

/** Who stays anyhow gains nothing; who asks for more time does. */
function refuseStanding(
  asked: readonly AskedMembership[],
  held: readonly { readonly group_id: string; readonly valid_until: unknown }[],
): void {
  const stands = ({ group }: AskedMembership) =>
    held.some((m) => m.group_id === group.id && m.valid_until === null);
  if (!asked.every(stands)) return;
  const names = asked.map(({ group }) => group.name).join(', ');
  throw new Refusal('state_conflict', `You are in ${names} already, without an end.`, {
    next: 'See your groups: sft whoami',
  });
}
