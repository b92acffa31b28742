import type { Operation } from '@postern/shared';
import type { Actor } from './identity/index.ts';
import { failureOf, type LoginWorld } from './login/index.ts';
import { failure, userRef } from './platform/actor.ts';
import type { Refusal } from './platform/errors.ts';
import type { Refusals } from './platform/refusals.ts';
import { tokenIssuer } from './platform/route.ts';
import type { Transact } from './platform/tx.ts';

/** Refused operations and failed logins are events of their own: theirs were rolled back. */
const RECORDED = new Set([
  'unauthenticated',
  'not_permitted',
  'requester_cannot_decide',
  'not_an_approver',
  'no_eligible_approver',
]);

export async function recordRefusal(
  transact: Transact,
  refusals: Refusals,
  operation: Pick<Operation, 'id'>,
  refusal: Refusal,
  caller: Actor | undefined,
  address: string,
): Promise<void> {
  if (!RECORDED.has(refusal.code)) return;
  const type = refusal.code === 'unauthenticated' ? 'pam.login.fail' : 'pam.operation.refuse';
  const actor = caller === undefined ? { type: 'unknown', id: null, name: null } : userRef(caller);
  if (!refusals.take({ type, actor, address })) return;
  await transact((tx) =>
    tx.audit({
      type,
      actor,
      targets: [{ type: 'operation', id: operation.id, name: null }],
      outcome: failure(refusal.code),
      client_address: address,
      details: caller === undefined ? {} : tokenIssuer(caller),
    }),
  );
}

/** As a refusal: what was rolled back with the login that failed. */
export const recordFailedLogin =
  (transact: Transact, refusals: Refusals): LoginWorld['failed'] =>
  async (failed) => {
    const event = failureOf(failed);
    if (refusals.take({ ...event, address: failed.address }))
      await transact((tx) => tx.audit(event));
  };
