import type { ApproverSet, Eligibility, Requester, Roster, UserId } from './model.ts';
import { setKey } from './needs.ts';
import {
  allActive,
  humansBehind,
  humansBehindAll,
  isActive,
  isHuman,
  requesterSide,
  shares,
} from './people.ts';

/** The roster as one request sees it: without its requester and without what he made himself. */
export interface View {
  readonly roster: Roster;
  readonly requester: Requester;
  readonly side: ReadonlySet<UserId>;
}

export const viewOf = (requester: Requester, roster: Roster): View => ({
  roster,
  requester,
  side: requesterSide(requester, roster),
});

/** Why somebody who is in a set still does not count there. */
export type Standing = 'eligible' | 'not_in_set' | 'made_by_requester';

/** The accounts that count in `set`: active, not the requester, humans unless the set names a service user. */
export function eligibleIn(set: ApproverSet, view: View): ReadonlySet<UserId> {
  const found = new Set<UserId>();
  for (const entry of entriesOf(set, view.roster))
    if (mayStandIn(set, entry.user_id, view) && !madeByRequester(entry, view))
      found.add(entry.user_id);
  return found;
}

/** As {@link eligibleIn} for one user, telling why not. */
export function standingIn(set: ApproverSet, user: UserId, view: View): Standing {
  const entries = entriesOf(set, view.roster).filter((entry) => entry.user_id === user);
  if (entries.length === 0 || !mayStandIn(set, user, view)) return 'not_in_set';
  return entries.some((entry) => !madeByRequester(entry, view)) ? 'eligible' : 'made_by_requester';
}

function mayStandIn(set: ApproverSet, user: UserId, view: View): boolean {
  const named = set.kind === 'user' || isHuman(view.roster.accounts.get(user));
  if (!named || !isActive(user, view.roster) || view.side.has(user)) return false;
  const humans = humansBehind(user, view.roster);
  return humans !== undefined && !shares(humans, view.side) && allActive(humans, view.roster);
}

/**
 * Made by the requester's side, after the request was raised. What was made before
 * counts; what was made in the same instant, or nobody knows when or by whom, does not.
 */
export function madeByRequester(
  made: Pick<Eligibility, 'made_by' | 'made_at'>,
  view: View,
): boolean {
  if (made.made_at !== null && made.made_at < view.requester.raised_at) return false;
  return madeBySide(made, view);
}

/** Made by the requester's side, whenever; true also when a maker is unknown. */
export function madeBySide(made: Pick<Eligibility, 'made_by'>, view: View): boolean {
  const makers = humansBehindAll(made.made_by, view.roster);
  return makers === undefined || shares([...made.made_by, ...makers], view.side);
}

function entriesOf(set: ApproverSet, roster: Roster): readonly Eligibility[] {
  if (set.kind === 'user') return [{ user_id: set.id, made_by: [], made_at: null }];
  return roster.members.get(setKey(set)) ?? [];
}
