import {
  type AccessRequest,
  type Instant,
  instant,
  type Relation,
  type RequestStep,
  type RequestTarget,
  toRfc3339,
} from '@postern/shared';
import type { Actor } from '../identity/index.ts';
import type { Tx } from '../platform/tx.ts';
import { approversNow, revokers } from './approvers.ts';
import { longestPeriod } from './card.ts';
import { endOf, type GroupTarget } from './membership.ts';
import { cardOf } from './service-facts.ts';
import { type Loaded, loadCircumstances, noSuchRequest } from './service-load.ts';
import { stillNeeded } from './still-needed.ts';
import { approvalOf, commentsOf, findRequest, type RequestRow } from './store.ts';

const orNull = (at: Instant | null): string | null => (at === null ? null : toRfc3339(at));

/**
 * A request as everybody who may see it sees it: all of one moment. Its parts are read one
 * after the other, so what changed meanwhile is read again; every change counts `seq` up.
 */
export async function describeRequest(tx: Tx, row: RequestRow): Promise<AccessRequest> {
  for (let before = row; ; ) {
    const described = await describe(tx, before);
    const now = await findRequest(tx.sql, row.id);
    if (now === undefined || now.seq === before.seq) return described;
    before = now;
  }
}

async function describe(tx: Tx, row: RequestRow): Promise<AccessRequest> {
  const loaded = await loadCircumstances(tx, row);
  const { circumstances, decisions } = loaded;
  const nameOf = (id: string) => ({ id, name: circumstances.roster.accounts.get(id)?.name ?? id });
  const card = cardOf(row);
  const approval = await approvalOf(tx.sql, row.id);
  const comments = await commentsOf(tx.sql, row.id);
  return {
    id: row.id,
    state: row.state,
    etag: String(row.seq),
    request_type: {
      id: card.request_type.id,
      name: card.request_type.name,
      version: card.request_type.version,
    },
    requester: { id: card.requester.id, name: card.requester.name },
    target: targetOf(row),
    answers: row.answers,
    steps: stepsOf(loaded),
    decisions: decisions.map((d) => ({
      id: d.id,
      step: d.step,
      decision: d.decision,
      by: nameOf(d.by_user_id),
      for: d.for_user_id === null ? null : nameOf(d.for_user_id),
      comment: d.comment,
      decided_at: toRfc3339(d.decided_at),
      voided_at: orNull(d.voided_at),
    })),
    comments: comments.map((c) => ({
      id: c.id,
      by: { id: c.user_id, name: c.name },
      text: c.text,
      created_at: toRfc3339(c.created_at),
    })),
    approval:
      approval === undefined
        ? null
        : {
            id: approval.id,
            approved_at: toRfc3339(approval.approved_at),
            revoked_at: orNull(approval.revoked_at),
            ended_at: orNull(approval.ended_at),
          },
    created_at: toRfc3339(row.created_at),
    resolved_at: orNull(row.resolved_at),
    ends_at: orNull(row.ends_at),
    end_reason: row.end_reason,
  };
}

function targetOf(row: RequestRow): RequestTarget {
  const { target } = cardOf(row);
  if (target.type === 'group_membership') return groupTarget(target, row);
  const { id, name, os_type, project_name, labels } = target.server;
  const { periods: _periods, server: _server, channels, ...rest } = target;
  return {
    ...rest,
    server: { id, name, os_type, project_name, labels: { ...labels } },
    channels: [...channels],
    period_seconds: longestPeriod(target),
  };
}

function groupTarget({ memberships }: GroupTarget, { state, resolved_at }: RequestRow) {
  const approved_at = state === 'denied' ? null : resolved_at;
  return {
    type: 'group_membership' as const,
    memberships: memberships.map((asked) => {
      const { group, until } = asked;
      const from = until.kind === 'date' ? instant(0) : approved_at;
      return {
        group: { ...group },
        date: until.kind === 'date' ? until.date : null,
        time_zone: until.kind === 'date' ? until.zone : null,
        duration_seconds: until.kind === 'date' ? null : until.seconds,
        ends_at: from === null ? null : toRfc3339(endOf(asked, from)),
      };
    }),
  };
}

function stepsOf({ row, circumstances }: Loaded): RequestStep[] {
  const { request } = circumstances;
  const pending = row.state === 'pending';
  return request.steps.map((step, index) => {
    const met = index < request.step || (row.resolved_at !== null && row.ends_at !== null);
    const current = pending && index === request.step;
    return {
      index,
      name: step.name,
      state: met ? 'met' : current ? 'current' : pending ? 'waiting' : 'skipped',
      still_needed:
        pending && !met
          ? [...stillNeeded({ ...circumstances, request: { ...request, step: index } })]
          : [],
      expires_at: current ? orNull(row.step_expires_at) : null,
    };
  });
}

/** How the caller stands to a request. */
export function relationTo(loaded: Loaded, caller: Pick<Actor, 'user_id'>): ReadonlySet<Relation> {
  const found = new Set<Relation>();
  const { request, roster, delegations, now } = loaded.circumstances;
  if (request.requester.id === caller.user_id) found.add('self');
  const approvers = new Set([...approversNow(request, roster), ...revokers(request, roster)]);
  const standsInFor = delegations
    .filter((d) => d.to === caller.user_id && d.starts_at <= now && now < d.ends_at)
    .map((d) => d.from);
  const voted = loaded.decisions.some((d) => d.by_user_id === caller.user_id);
  if (approvers.has(caller.user_id) || voted || standsInFor.some((id) => approvers.has(id)))
    found.add('approver_of');
  return found;
}

/** Whether the caller is one of those who may decide on the request, or could have. */
export async function isApproverOf(tx: Tx, caller: Actor, id: string): Promise<boolean> {
  const row = await findRequest(tx.sql, id);
  if (row === undefined) return false;
  return relationTo(await loadCircumstances(tx, row, [caller.user_id]), caller).has('approver_of');
}

/**
 * The request, if the caller may see it in one of the relations that the operation grants
 * him; a stranger is told the same as for a request that does not exist.
 */
export async function findVisible(
  tx: Tx,
  caller: Actor,
  relations: ReadonlySet<Relation>,
  id: string,
): Promise<Loaded> {
  const row = await findRequest(tx.sql, id);
  if (row === undefined) throw noSuchRequest();
  const loaded = await loadCircumstances(tx, row, [caller.user_id]);
  if (relations.has('any')) return loaded;
  for (const relation of relationTo(loaded, caller)) if (relations.has(relation)) return loaded;
  throw noSuchRequest();
}
