import type { AccessRequest, NewAccessRequest } from '@postern/shared';
import { type Instant, instant, plus, printable, seconds } from '@postern/shared';
import { type Caller, makersOf } from '../identity/index.ts';
import { sendLater } from '../notifications/index.ts';
import { SUCCESS, userRef } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { lockDeciding } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { type AccessMethod, type Evaluation, evaluateFresh, isWanted } from '../policy/index.ts';
import { checkAnswers } from './answers.ts';
import { type Card, digestOf, longestPeriod } from './card.ts';
import { canBeMet } from './liveness.ts';
import type { Definition } from './model.ts';
import { cardOf } from './service-facts.ts';
import { loadCircumstances } from './service-load.ts';
import { targetsOf } from './service-state.ts';
import { approversOfNext } from './service-tell.ts';
import { describeRequest } from './service-view.ts';
import {
  countPending,
  findPending,
  findRequest,
  insertRequest,
  lastDenied,
  lockRaising,
  type RequestRow,
  recordTransition,
} from './store.ts';
import { findType, findVersion } from './store-types.ts';

const MAX_PENDING = 20;
const COOL_DOWN = seconds(15 * 60);

const noSuchAccess = () =>
  new Refusal('not_found', 'There is no such server, or no access to it that could be requested.', {
    next: 'See what you can reach: sft list-servers',
  });

export interface Raised {
  readonly created: boolean;
  readonly request: AccessRequest;
}

/**
 * Raises an access request for a method that policy offers this person on condition of
 * one. The pending one for the same target is answered as it is.
 */
export async function raiseRequest(
  tx: Tx,
  caller: Caller,
  input: NewAccessRequest,
  clientAddress: string,
): Promise<Raised> {
  const { target } = input;
  await lockRaising(tx.sql, caller.user_id);
  await lockDeciding(tx.sql, [caller.user_id, target.server_id]);
  const evaluation = await evaluateFresh(tx, {
    user_id: caller.user_id,
    server_id: target.server_id,
    client_address: clientAddress,
  });
  const offered = offeredBy(evaluation, input);
  if (evaluation === undefined || offered.length === 0) throw noSuchAccess();
  const tuple = tupleOf(caller, evaluation, offered[0]!, input);
  const pending = await findPending(tx.sql, tuple);
  if (pending !== undefined) {
    const row = await findRequest(tx.sql, pending.id);
    return { created: false, request: await describeRequest(tx, row!) };
  }
  await refuseTooSoon(tx, tuple);
  await refuseTooMany(tx, caller);
  const { definition, version } = await publishedType(tx, input.request_type_id, evaluation);
  refuseAnswers(definition, input, tx.now);
  const card = cardFor(caller, evaluation, offered, input, version);
  const row = await insertRequest(tx.sql, {
    ...tuple,
    id: tx.ids.uuid(),
    state: 'pending',
    seq: 1,
    purpose: 'server_access',
    request_type_version: version.version,
    requester_token_issued_by: caller.token_issued_by,
    server_identity_revision: evaluation.server.identity_revision,
    account_id:
      target.access_credential.type === 'vaulted_account'
        ? target.access_credential.account_id
        : null,
    answers: json(input.answers),
    card: json(card),
    card_digest: digestOf(card),
    step_since: tx.now,
    escalated: json([]),
    step_expires_at: plus(tx.now, definition.steps[0]!.timeout),
    created_at: tx.now,
  });
  await recordTransition(
    tx.sql,
    { id: row.id, seq: 0 },
    { from: 'new', to: 'pending', at: tx.now, actor_id: caller.user_id },
  );
  await refuseUnapprovable(tx, row, definition);
  await tell(tx, caller, row, clientAddress);
  return { created: true, request: await describeRequest(tx, row) };
}

/** The methods for the wanted account that this request type would open. */
function offeredBy(
  evaluation: Evaluation | undefined,
  input: NewAccessRequest,
): readonly AccessMethod[] {
  return (evaluation?.methods ?? []).filter(
    (method) =>
      isWanted(method, input.target) &&
      method.conditionals.some(
        (c) => c.type === 'access_request' && c.request_type.id === input.request_type_id,
      ),
  );
}

const tupleOf = (
  caller: Caller,
  { server }: Evaluation,
  method: AccessMethod,
  input: NewAccessRequest,
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
});

async function refuseTooSoon(tx: Tx, tuple: ReturnType<typeof tupleOf>): Promise<void> {
  const denied = await lastDenied(tx.sql, tuple);
  const until = plus(denied?.resolved_at ?? instant(0), COOL_DOWN);
  if (denied === undefined || tx.now >= until) return;
  const minutes = Math.ceil((until - tx.now) / 60_000);
  throw new Refusal('state_conflict', 'The same access was denied less than 15 minutes ago.', {
    next: `Raise it again in ${minutes} min, or see why: sft request show ${denied.id}`,
  });
}

async function refuseTooMany(tx: Tx, caller: Caller): Promise<void> {
  if ((await countPending(tx.sql, caller.user_id)) < MAX_PENDING) return;
  throw new Refusal('state_conflict', `You have ${MAX_PENDING} pending access requests.`, {
    next: 'Cancel one first: sft request list, sft request cancel <id>',
  });
}

async function publishedType(tx: Tx, id: string, { user }: Evaluation) {
  const type = await findType(tx.sql, id);
  if (type?.state !== 'published' || type.published_version === null)
    throw new Refusal('state_conflict', 'The request type is not published.', {
      next: 'A security_admin publishes it: sft-admin apply -f FILE',
    });
  const version = await findVersion(tx.sql, id, type.published_version);
  if (version === undefined) throw new Error(`request type ${id}: its published version is gone`);
  const definition = version.definition as Definition;
  const { audience } = definition;
  const isMeant =
    audience === 'everyone' ||
    audience.groups.some((g) => user.memberships.some((m) => m.group_id === g.id));
  if (!isMeant) throw noSuchAccess();
  return { definition, version };
}

function refuseAnswers(definition: Definition, input: NewAccessRequest, now: Instant): void {
  const errors = checkAnswers(definition.fields, input.answers, now);
  if (errors.length === 0) return;
  throw new Refusal('invalid_request', errors[0]!.detail, {
    errors,
    next: 'Answer what the request type asks, and send it again.',
  });
}

function cardFor(
  caller: Caller,
  { server }: Evaluation,
  offered: readonly AccessMethod[],
  input: NewAccessRequest,
  version: { request_type_id: string; version: number; digest: string; definition: unknown },
): Card {
  const first = offered[0]!;
  const periods: Record<string, number> = {};
  for (const method of offered)
    for (const c of method.conditionals)
      if (c.type === 'access_request' && c.request_type.id === input.request_type_id)
        for (const rule of method.rule_ids) periods[rule] = c.expires_after_seconds;
  return {
    requester: { id: caller.user_id, name: caller.name, login: caller.login },
    request_type: {
      id: version.request_type_id,
      name: (version.definition as Definition).name,
      version: version.version,
      digest: version.digest,
    },
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

/** Raised for nobody to approve it would wait for ever: refused, and told which step and who is missing. */
async function refuseUnapprovable(tx: Tx, row: RequestRow, definition: Definition): Promise<void> {
  const { circumstances } = await loadCircumstances(tx, row);
  const alive = canBeMet(definition.steps, circumstances.roster, circumstances.request.requester);
  if (alive.ok) return;
  const missing = alive.missing
    .map((m) => `${m.any} of ${m.of.map(setName).join(', ')} (${m.eligible} could)`)
    .join('; ');
  throw new Refusal(
    'no_eligible_approver',
    `Nobody could approve step "${printable(alive.name)}" for you: it needs ${printable(missing)}.`,
    { next: 'Ask an administrator: the approvers of this step are missing, or are only you.' },
  );
}

const setName = (set: { kind: string; name?: string }): string =>
  set.name === undefined ? set.kind : `${set.kind}:${set.name}`;

async function tell(tx: Tx, caller: Caller, row: RequestRow, address: string): Promise<void> {
  const card = cardOf(row);
  await tx.audit({
    type: 'access.request.create',
    actor: userRef(caller),
    targets: targetsOf(row),
    outcome: SUCCESS,
    request_id: row.id,
    rule_ids: Object.keys(card.target.periods),
    client_address: address,
    details: {
      answers: row.answers,
      card_digest: row.card_digest,
      period_seconds: longestPeriod(card),
      made_by: makersOf(caller),
    },
  });
  await sendLater(tx, await approversOfNext(tx, row));
  await tx.enqueue({
    name: 'request.timeout',
    payload: { request_id: row.id },
    ...(row.step_expires_at === null ? {} : { start_at: row.step_expires_at }),
  });
  await tx.signal({ kind: 'request', id: row.id });
}
