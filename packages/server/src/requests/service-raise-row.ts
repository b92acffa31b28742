import type { AccessRequest, NewAccessRequest } from '@postern/shared';
import { type Instant, instant, plus, printable, seconds } from '@postern/shared';
import { type Actor, makersOf } from '../identity/index.ts';
import { sendLater } from '../notifications/index.ts';
import { SUCCESS, userRef } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { checkAnswers } from './answers.ts';
import { type Card, digestOf, longestPeriod } from './card.ts';
import { canBeMet } from './liveness.ts';
import { missingIn } from './missing.ts';
import type { Definition } from './model.ts';
import { cardOf } from './service-facts.ts';
import { loadCircumstances } from './service-load.ts';
import { targetsOf } from './service-state.ts';
import { awaitStep, timesOf } from './service-step.ts';
import { approversOfNext } from './service-tell.ts';
import { describeRequest } from './service-view.ts';
import {
  countPending,
  findRequest,
  insertRequest,
  type NewRequestRow,
  type RequestRow,
  recordTransition,
} from './store.ts';
import { findType, findVersion, type VersionRow } from './store-types.ts';

const MAX_PENDING = 20;
const COOL_DOWN = seconds(15 * 60);

export interface Raised {
  readonly created: boolean;
  readonly request: AccessRequest;
}

/** The one that is there, as it is. */
export async function answerPending(tx: Tx, id: string): Promise<Raised> {
  const row = await findRequest(tx.sql, id);
  return { created: false, request: await describeRequest(tx, row!) };
}

export interface PublishedType {
  readonly definition: Definition;
  readonly version: VersionRow;
}

/** @returns undefined when this person is not in its audience */
export async function publishedType(
  tx: Tx,
  id: string,
  memberships: readonly { readonly group_id: string }[],
): Promise<PublishedType | undefined> {
  const type = await findType(tx.sql, id);
  if (type?.state !== 'published' || type.published_version === null)
    throw new Refusal('state_conflict', 'The request type is not published.', {
      next: 'A security_admin publishes it: sft-admin apply -f FILE',
    });
  const version = await findVersion(tx.sql, id, type.published_version);
  if (version === undefined) throw new Error(`request type ${id}: its published version is gone`);
  const definition = version.definition as Definition;
  return isMeant(definition, memberships) ? { definition, version } : undefined;
}

/** Whether somebody with these memberships is in the audience. */
export const isMeant = (
  { audience }: Pick<Definition, 'audience'>,
  memberships: readonly { readonly group_id: string }[],
): boolean =>
  audience === 'everyone' ||
  audience.groups.some((group) => memberships.some((m) => m.group_id === group.id));

/** @param denied the last denial of the same, if there was one */
export function refuseTooSoon(
  tx: Tx,
  denied: { readonly id: string; readonly resolved_at: Instant | null } | undefined,
): void {
  const until = plus(denied?.resolved_at ?? instant(0), COOL_DOWN);
  if (denied === undefined || tx.now >= until) return;
  const minutes = Math.ceil((until - tx.now) / 60_000);
  throw new Refusal('state_conflict', 'The same access was denied less than 15 minutes ago.', {
    next: `Raise it again in ${minutes} min, or see why: sft request show ${denied.id}`,
  });
}

export async function refuseTooMany(tx: Tx, caller: Actor): Promise<void> {
  if ((await countPending(tx.sql, caller.user_id)) < MAX_PENDING) return;
  throw new Refusal('state_conflict', `You have ${MAX_PENDING} pending access requests.`, {
    next: 'Cancel one first: sft request list, sft request cancel <id>',
  });
}

export function refuseAnswers(
  { fields }: Definition,
  answers: NewAccessRequest['answers'],
  now: Instant,
): void {
  const errors = checkAnswers(fields, answers, now);
  if (errors.length === 0) return;
  throw new Refusal('invalid_request', errors[0]!.detail, {
    errors,
    next: 'Answer what the request type asks, and send it again.',
  });
}

/** What the card says of who asks, and through what. */
export const headOfCard = (caller: Actor, { version, definition }: PublishedType) => ({
  requester: { id: caller.user_id, name: caller.name, login: caller.login },
  request_type: {
    id: version.request_type_id,
    name: definition.name,
    version: version.version,
    digest: version.digest,
  },
});

type Target = Pick<
  NewRequestRow,
  | 'server_id'
  | 'server_identity_revision'
  | 'identity'
  | 'credential_type'
  | 'account_id'
  | 'privilege'
  | 'admin_level'
  | 'group_ids'
  | 'binding'
>;

/**
 * Writes the request, checks that somebody could approve it, and tells whom it asks.
 *
 * @throws Refusal `no_eligible_approver`
 */
export async function keepRequest(
  tx: Tx,
  caller: Actor,
  card: Card,
  { definition }: PublishedType,
  target: Target,
  clientAddress: string | undefined,
): Promise<Raised> {
  const times = timesOf(definition.steps[0]!, card.target, tx.now);
  const row = await insertRequest(tx.sql, {
    ...target,
    id: tx.ids.uuid(),
    state: 'pending',
    seq: 1,
    purpose: card.target.type,
    request_type_id: card.request_type.id,
    request_type_version: card.request_type.version,
    requester_id: caller.user_id,
    requester_token_issued_by: caller.token_issued_by,
    made_by: json(caller.token_made_by),
    least_approvers: card.job?.needs_two ? 2 : 1,
    answers: json(card.answers),
    card: json(card),
    card_digest: digestOf(card),
    ...times,
    escalated: json([]),
    created_at: tx.now,
  });
  await recordTransition(
    tx.sql,
    { id: row.id, seq: 0 },
    { from: 'new', to: 'pending', at: tx.now, actor_id: caller.user_id },
  );
  await refuseUnapprovable(tx, row);
  await tell(tx, caller, row, clientAddress);
  await awaitStep(tx, row.id, times);
  return { created: true, request: await describeRequest(tx, row) };
}

/** Raised for nobody to approve it would wait for ever: refused, and told which step and who is missing. */
async function refuseUnapprovable(tx: Tx, row: RequestRow): Promise<void> {
  const { circumstances } = await loadCircumstances(tx, row);
  const alive = canBeMet(
    circumstances.request.steps,
    circumstances.roster,
    circumstances.request.requester,
  );
  if (alive.ok) return;
  throw new Refusal(
    'no_eligible_approver',
    `Nobody could approve step "${printable(alive.name)}" for you: it needs ${missingIn(alive.missing)}.`,
    { next: 'Ask an administrator: the approvers of this step are missing, or are only you.' },
  );
}

async function tell(
  tx: Tx,
  caller: Actor,
  row: RequestRow,
  address: string | undefined,
): Promise<void> {
  const card = cardOf(row);
  const { target } = card;
  await tx.audit({
    type: 'access.request.create',
    actor: userRef(caller),
    targets: targetsOf(row),
    outcome: SUCCESS,
    request_id: row.id,
    ...(target.type === 'server_access' ? { rule_ids: Object.keys(target.periods) } : {}),
    ...(address === undefined ? {} : { client_address: address }),
    details: {
      answers: row.answers,
      card_digest: row.card_digest,
      ...(target.type === 'server_access' ? { period_seconds: longestPeriod(target) } : {}),
      made_by: makersOf(caller),
      ...(card.job === undefined ? {} : { job: card.job }),
    },
  });
  await sendLater(tx, await approversOfNext(tx, row));
  await tx.signal({ kind: 'request', id: row.id });
}
