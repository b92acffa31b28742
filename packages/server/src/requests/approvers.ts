import type { RequestFacts, Roster, UserId } from './model.ts';
import { leavesOf, needsOf } from './needs.ts';
import { eligibleIn, viewOf } from './roster.ts';

/** Whom the current step asks: for messages and inboxes. Stand-ins come on top. */
export const approversNow = (request: RequestFacts, roster: Roster): ReadonlySet<UserId> =>
  approversOf(request, request.step, roster);

/** Whom any of its steps would ask today. */
export const approversOfAny = (request: RequestFacts, roster: Roster): ReadonlySet<UserId> =>
  new Set(request.steps.flatMap((_, step) => [...approversOf(request, step, roster)]));

/**
 * Who may revoke what was approved: those who approved it, for themselves or for
 * somebody, and those whom any of its steps would ask today. (And security_admin, which
 * is a role, not a relation.)
 */
export function revokers(request: RequestFacts, roster: Roster): ReadonlySet<UserId> {
  const found = new Set<UserId>();
  for (const vote of request.votes)
    if (vote.decision === 'approve' && !vote.void)
      for (const id of [vote.by, vote.for]) if (id !== null) found.add(id);
  for (const id of approversOfAny(request, roster)) found.add(id);
  for (const id of found) if (roster.accounts.get(id)?.active !== true) found.delete(id);
  return found;
}

function approversOf(request: RequestFacts, step: number, roster: Roster): ReadonlySet<UserId> {
  const need = needsOf(request, step);
  const view = viewOf(request.requester, roster);
  const sets = need === undefined ? [] : leavesOf(need).flatMap((leaf) => leaf.of);
  return new Set(sets.flatMap((set) => [...eligibleIn(set, view)]));
}
