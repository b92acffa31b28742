import { instant } from '@postern/shared';
import { standingVotes } from './decide.ts';
import { canFill } from './matching.ts';
import type { Circumstances } from './may-decide.ts';
import type {
  Account,
  ApproverSet,
  Eligibility,
  Need,
  Requester,
  RequestFacts,
  Roster,
  Step,
  UserId,
} from './model.ts';
import { leavesOf, needsOf, setsOf } from './needs.ts';
import { shares } from './people.ts';
import { demandOf, everyYes, spentBefore } from './quorum.ts';
import { eligibleIn, type View, viewOf } from './roster.ts';

/** A leaf of the step that cannot be met, with how many persons could answer it at all. */
export interface Shortfall {
  readonly any: number;
  readonly of: readonly ApproverSet[];
  readonly eligible: number;
}

export type Liveness =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** The first step that cannot be met after those before it. */
      readonly step: number;
      readonly name: string;
      /** Its leaves; when each has enough, there are not enough distinct people. */
      readonly missing: readonly Shortfall[];
    };

/** Whether this requester's request could be approved: some distinct people could meet all steps. */
export const canBeMet = (steps: readonly Step[], roster: Roster, requester: Requester): Liveness =>
  canStillBeMet({
    request: {
      purpose: 'server_access',
      state: 'pending',
      requester,
      steps,
      step: 0,
      escalated: [],
      votes: [],
    },
    roster,
    delegations: [],
    now: requester.raised_at,
  });

/**
 * Whether a running request can still be approved, with the votes it has and everybody
 * else who is eligible voting yes. Stand-ins add nothing here: whoever can be stood in
 * for can vote himself.
 */
export function canStillBeMet(circumstances: Circumstances): Liveness {
  const { request, roster } = circumstances;
  const view = viewOf(request.requester, roster);
  const given = standingVotes(circumstances).standing;
  const spent = new Set([
    ...spentBefore(request, request.step),
    ...given.flatMap((vote) => vote.persons),
  ]);
  const fresh = everyYes(setsOf(request.steps), view).filter((yes) => !shares(yes.persons, spent));
  // `fresh` comes first, so that an index into it is the same in both lists.
  const voters = [...fresh, ...given];
  const demands = remainingNeeds(request).map((need, i) =>
    demandOf(need, i === 0 ? voters : fresh, view),
  );
  const stuck = demands.findIndex((_, i) => !canFill({ all: demands.slice(0, i + 1) }, voters));
  if (stuck < 0 && demands.length > 0) return { ok: true };
  return stuckAt(request, request.step + Math.max(stuck, 0), view);
}

/**
 * Whether anybody's request could ever be approved, asked when a type is published.
 * `manager` counts as one unknown person and owners as enough unknown people, since who
 * they are depends on the request; groups and users are as they are now.
 */
export function canEverBeMet(steps: readonly Step[], roster: Roster): Liveness {
  const anybody: Requester = {
    ...{ id: '', token_issued_by: null, made_by: [] },
    raised_at: instant(0),
  };
  return canBeMet(steps, withUnknownPeople(steps, roster), anybody);
}

const remainingNeeds = (request: RequestFacts): readonly Need[] =>
  request.steps.slice(request.step).map((_, i) => needsOf(request, request.step + i)!);

function stuckAt(request: RequestFacts, step: number, view: View): Liveness {
  const need = needsOf(request, step);
  const missing = (need === undefined ? [] : leavesOf(need)).map(({ any, of }) => ({
    any,
    of,
    eligible: new Set(of.flatMap((set) => [...eligibleIn(set, view)])).size,
  }));
  return { ok: false, step, name: request.steps[step]?.name ?? '', missing };
}

function withUnknownPeople(steps: readonly Step[], roster: Roster): Roster {
  const leaves = steps.flatMap((step) => leavesOf(step.needs));
  const asked = leaves.reduce((sum, leaf) => sum + leaf.any, 0);
  const accounts = new Map<UserId, Account>(roster.accounts);
  const members = new Map<string, readonly Eligibility[]>();
  for (const [key, entries] of roster.members)
    members.set(
      key,
      entries.map((entry) => ({ ...entry, made_by: [] })),
    );
  for (const [kind, count] of [
    ['manager', 1],
    ['resource_owner', asked],
    ['group_owner', asked],
  ] as const) {
    const ids = Array.from({ length: count }, (_, i) => `${kind}:${i}`);
    for (const id of ids)
      accounts.set(id, { id, name: kind, kind: 'human', active: true, owners: [] });
    members.set(
      kind,
      ids.map((id) => ({ user_id: id, made_by: [], made_at: null })),
    );
  }
  return { accounts, members };
}
