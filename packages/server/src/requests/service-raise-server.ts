import type { NewAccessRequest } from '@postern/shared';
import type { Actor } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import { lockDeciding } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { type AccessMethod, type Evaluation, evaluateFresh, isWanted } from '../policy/index.ts';
import { jobOfToken, peopleBehind } from '../workload/index.ts';
import type { Card } from './card.ts';
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
import { findPending, lastDenied } from './store.ts';

type ForServer = NewAccessRequest & {
  readonly target: Extract<NewAccessRequest['target'], { type: 'server_access' }>;
};

const noSuchAccess = () =>
  new Refusal('not_found', 'There is no such server, or no access to it that could be requested.', {
    next: 'See what you can reach: sft list-servers',
  });

/**
 * Raises an access request for a method that policy offers this person on condition of
 * one. The pending one for the same target is answered as it is.
 *
 * @param clientAddress undefined: unknown, which meets no condition on it.
 */
export async function raiseForServer(
  tx: Tx,
  caller: Actor,
  input: ForServer,
  clientAddress: string | undefined,
): Promise<Raised> {
  const { target } = input;
  await lockDeciding(tx.sql, [caller.user_id, target.server_id]);
  const evaluation = await evaluateFresh(tx, {
    user_id: caller.user_id,
    server_id: target.server_id,
    client_address: clientAddress,
    binding: caller.binding,
  });
  const offered = offeredBy(evaluation, input);
  if (evaluation === undefined || offered.length === 0) throw noSuchAccess();
  const tuple = tupleOf(caller, evaluation, offered[0]!, input);
  const pending = await findPending(tx.sql, tuple);
  if (pending !== undefined) return answerPending(tx, pending.id);
  refuseTooSoon(tx, await lastDenied(tx.sql, tuple));
  await refuseTooMany(tx, caller);
  const { memberships } = evaluation.user;
  const type = await publishedType(tx, input.request_type_id, memberships);
  if (type === undefined) throw noSuchAccess();
  refuseAnswers(type.definition, input.answers, tx.now);
  const job = await jobOnCard(tx, caller);
  const card = { ...cardFor(caller, evaluation, offered, input, type), ...(job && { job }) };
  const credential = target.access_credential;
  const { request_type_id: _type, requester_id: _requester, ...wanted } = tuple;
  const row = {
    ...wanted,
    server_identity_revision: evaluation.server.identity_revision,
    account_id: credential.type === 'vaulted_account' ? credential.account_id : null,
    group_ids: null,
  };
  return keepRequest(tx, caller, card, type, row, clientAddress);
}

/** The job that asks, and whether everybody who had a hand in it is known; undefined: no job asks. */
async function jobOnCard(tx: Tx, caller: Actor): Promise<Card['job']> {
  if (caller.binding === null) return undefined;
  const job = caller.token_id === null ? undefined : await jobOfToken(tx, caller.token_id);
  if (job === undefined) throw new Error('a login of a job without its job');
  const { people, unknown } = await peopleBehind(tx, job, tx.now);
  return { ...job, people, needs_two: unknown };
}

/** The methods for the wanted account that this request type would open. */
function offeredBy(evaluation: Evaluation | undefined, input: ForServer): readonly AccessMethod[] {
  return (evaluation?.methods ?? []).filter(
    (method) =>
      isWanted(method, input.target) &&
      method.conditionals.some(
        (c) => c.type === 'access_request' && c.request_type.id === input.request_type_id,
      ),
  );
}

const tupleOf = (
  caller: Actor,
  { server }: Evaluation,
  method: AccessMethod,
  input: ForServer,
) => ({
  requester_id: caller.user_id,
  server_id: server.id,
  identity: method.identity,
  credential_type: method.access_credential.type,
  privilege: method.privilege as string,
  admin_level:
    method.access_credential.type === 'principal_account' &&
    method.access_credential.admin_level_permissions,
  request_type_id: input.request_type_id,
  binding: caller.binding,
});

function cardFor(
  caller: Actor,
  { server }: Evaluation,
  offered: readonly AccessMethod[],
  input: ForServer,
  type: PublishedType,
): Card {
  const first = offered[0]!;
  const periods: Record<string, number> = {};
  for (const method of offered)
    for (const c of method.conditionals)
      if (c.type === 'access_request' && c.request_type.id === input.request_type_id)
        for (const rule of method.rule_ids) periods[rule] = c.expires_after_seconds;
  return {
    ...headOfCard(caller, type),
    target: {
      type: 'server_access',
      server: {
        id: server.id,
        name: server.hostname,
        os_type: server.os_type,
        project_name: server.project_name,
        labels: server.labels,
        identity_revision: server.identity_revision,
      },
      identity: first.identity,
      access_credential: first.access_credential,
      privilege: first.privilege,
      channels: [...new Set(offered.flatMap((method) => method.channels))].sort(),
      periods,
    },
    answers: input.answers,
  };
}
