import { type ApprovalCard, plus, type Relation, seconds } from '@postern/shared';
import { rolesOfGroups } from '../directory/index.ts';
import { type Caller, rolesOf } from '../identity/index.ts';
import type { Tx } from '../platform/tx.ts';
import { policiesOfGroups } from '../policy/index.ts';
import { sessionsOn } from '../sessions/index.ts';
import { approversOfAny } from './approvers.ts';
import { type Background, type CardFacts, composeCard, type VoteFact } from './card-view.ts';
import type { OnTimeout, RequestState } from './model.ts';
import { humansBehindAll, isActive, requesterSide, shares } from './people.ts';
import { cardOf } from './service-facts.ts';
import { type Loaded, loadCircumstances } from './service-load.ts';
import { findVisible, relationTo } from './service-view.ts';
import { stillNeeded } from './still-needed.ts';
import { type DecisionRow, findRequest, type RequestRow } from './store.ts';
import {
  accountOf,
  approvedUntil,
  decisionsOn,
  deniedSince,
  namesOf,
  requestsLike,
} from './store-card.ts';

/** How many requests of the same person are shown. */
const EARLIER = 5;
/** For how long a denial is told to whoever is asked for the same again. */
const DENIAL_IS_RECENT = seconds(7 * 86_400);

/** Who reads a card. */
interface Viewer {
  readonly user_id: string;
  readonly token_issued_by: string | null;
  /** He may see every request: security_admin, auditor. */
  readonly sees_all: boolean;
}

/** The card for a caller. @throws Refusal `not_found` */
export async function readCard(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
): Promise<ApprovalCard> {
  const { row } = await findVisible(tx, caller, relations, id);
  const { user_id, token_issued_by } = caller;
  return cardFor(tx, row, { user_id, token_issued_by, sees_all: relations.has('any') });
}

/**
 * The card for somebody who is told of a request by mail or chat; with null for a place
 * where anybody may read it, so without what only some may know.
 *
 * @returns undefined when there is no such request, or it is not his to see now.
 */
export async function describeCard(
  tx: Tx,
  request_id: string,
  viewer_user_id: string | null,
): Promise<ApprovalCard | undefined> {
  const row = await findRequest(tx.sql, request_id);
  if (row === undefined) return undefined;
  if (viewer_user_id === null) return cardFor(tx, row, null);
  const roles = await rolesOf(tx.sql, viewer_user_id, tx.now);
  const sees_all = roles.has('security_admin') || roles.has('auditor');
  const loaded = await loadCircumstances(tx, row, [viewer_user_id]);
  if (!isActive(viewer_user_id, loaded.circumstances.roster)) return undefined;
  if (!sees_all && relationTo(loaded, { user_id: viewer_user_id }).size === 0) return undefined;
  return cardFor(tx, row, { user_id: viewer_user_id, token_issued_by: null, sees_all });
}

/** All of one moment, as {@link describeRequest}: its ETag is that of what it shows. */
async function cardFor(tx: Tx, row: RequestRow, viewer: Viewer | null): Promise<ApprovalCard> {
  for (let before = row; ; ) {
    const card = composeCard(await factsFor(tx, before, viewer));
    const now = await findRequest(tx.sql, row.id);
    if (now === undefined || now.seq === before.seq) return card;
    before = now;
  }
}

async function factsFor(tx: Tx, row: RequestRow, viewer: Viewer | null): Promise<CardFacts> {
  const loaded = await loadCircumstances(tx, row, [
    viewer?.user_id ?? null,
    viewer?.token_issued_by ?? null,
  ]);
  const { definition, decisions } = loaded;
  const pending = row.state === 'pending';
  const account = row.account_id === null ? undefined : await accountOf(tx.sql, row.account_id);
  const running = pending ? await approvedUntil(tx.sql, row, tx.now) : undefined;
  const names = await namesOf(tx.sql, peopleIn(decisions));
  const stepName = (index: number) => definition.steps[index]?.name ?? String(index);
  return {
    request_id: row.id,
    etag: String(row.seq),
    state: row.state as RequestState,
    end_reason: row.end_reason,
    ends_at: row.ends_at,
    card: cardOf(row),
    fields: definition.fields,
    credential: account?.credential ?? null,
    running_until: running?.ends_at ?? null,
    votes: decisions.map((d) => voteFact(d, names, stepName(d.step))),
    steps: pending ? openSteps(loaded) : [],
    waits:
      pending && row.step_expires_at !== null
        ? { until: row.step_expires_at, next: nextIfNobody(loaded) }
        : null,
    background: mayKnowBackground(loaded, viewer) ? await backgroundOf(tx, row) : null,
    now: tx.now,
  };
}

/**
 * What else is open on the server and how the requester's earlier requests went is for
 * those who decide this one, and for those who see all; never for the requester, who is
 * also whoever stands behind him, and whoever comes with a token of his.
 */
function mayKnowBackground(loaded: Loaded, viewer: Viewer | null): boolean {
  if (viewer === null) return false;
  const { request, roster } = loaded.circumstances;
  const behind = humansBehindAll([viewer.user_id, viewer.token_issued_by], roster);
  if (behind === undefined) return false;
  const side = requesterSide(request.requester, roster);
  if (shares([viewer.user_id, ...behind], side)) return false;
  return viewer.sees_all || couldBeAsked(loaded, viewer);
}

/** By any step, today, himself or as a stand-in: that he voted once shows him only what he voted on. */
function couldBeAsked({ circumstances }: Loaded, { user_id }: Viewer): boolean {
  const { request, roster, delegations, now } = circumstances;
  const asked = approversOfAny(request, roster);
  const standsIn = delegations.some(
    (d) => d.to === user_id && asked.has(d.from) && d.starts_at <= now,
  );
  return asked.has(user_id) || standsIn;
}

async function backgroundOf(tx: Tx, row: RequestRow): Promise<Background> {
  const earlier = await requestsLike(tx.sql, row, EARLIER);
  const denied = await deniedSince(tx.sql, row, plus(tx.now, seconds(-DENIAL_IS_RECENT)));
  const decisions = await decisionsOn(tx.sql, [
    ...earlier.map((r) => r.id),
    ...(denied === undefined ? [] : [denied.id]),
  ]);
  const names = await namesOf(tx.sql, peopleIn(decisions));
  const votesOn = (id: string): VoteFact[] =>
    decisions.filter((d) => d.request_id === id).map((d) => voteFact(d, names, ''));
  const sessions = row.server_id === null ? [] : await sessionsOn(tx, row.server_id);
  return {
    sessions,
    groups: await groupsOn(tx, row),
    earlier: earlier.map((r) => ({
      raised_at: r.created_at,
      identity: r.identity ?? '',
      state: r.state as RequestState,
      end_reason: r.end_reason,
      votes: votesOn(r.id),
    })),
    denial:
      denied?.resolved_at == null ? null : { at: denied.resolved_at, votes: votesOn(denied.id) },
  };
}

/** What the groups of a request open today: roles, and policies by name. */
async function groupsOn(tx: Tx, row: RequestRow): Promise<Background['groups']> {
  const ids = row.group_ids?.split(',') ?? [];
  if (ids.length === 0) return [];
  const roles = await rolesOfGroups(tx.sql, ids);
  const policies = await policiesOfGroups(tx, ids);
  return ids.map((id) => ({
    id,
    roles: roles.filter((r) => r.group_id === id).map((r) => r.role),
    policies: policies.get(id) ?? [],
  }));
}

const peopleIn = (decisions: readonly DecisionRow[]): (string | null)[] =>
  decisions.flatMap((d) => [d.by_user_id, d.for_user_id]);

function voteFact(row: DecisionRow, names: ReadonlyMap<string, string>, step: string): VoteFact {
  const nameOf = (id: string) => names.get(id) ?? 'somebody who is gone';
  return {
    decision: row.decision,
    by: nameOf(row.by_user_id),
    for: row.for_user_id === null ? null : nameOf(row.for_user_id),
    at: row.decided_at,
    step,
    comment: row.comment,
    void: row.voided_at !== null,
  };
}

function openSteps({ circumstances }: Loaded): CardFacts['steps'] {
  const { request } = circumstances;
  return request.steps
    .map((step, index) => ({
      name: step.name,
      needed: stillNeeded({ ...circumstances, request: { ...request, step: index } }),
    }))
    .slice(request.step);
}

/** What the time-out of the current step brings; an escalated one only expires. */
function nextIfNobody({ circumstances: { request } }: Loaded): OnTimeout {
  const then = request.steps[request.step]?.on_timeout ?? 'expire';
  return typeof then === 'object' && request.escalated.includes(request.step) ? 'expire' : then;
}
