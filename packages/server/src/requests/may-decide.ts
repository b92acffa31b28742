import type { Instant, ProblemCode } from '@postern/shared';
import type { Decision, Delegation, RequestFacts, Roster, UserId, Vote } from './model.ts';
import { leavesOf, needsOf } from './needs.ts';
import { allActive, humansBehind, humansBehindAll, isActive, isHuman, shares } from './people.ts';
import { approvalsOf, spentBefore } from './quorum.ts';
import { REASONS, type Reason } from './reasons.ts';
import { madeBySide, standingIn, type View, viewOf } from './roster.ts';

export interface Circumstances {
  readonly request: RequestFacts;
  readonly roster: Roster;
  /** All that have the actor, or anybody who voted, at either end. */
  readonly delegations: readonly Delegation[];
  readonly now: Instant;
}

export interface Attempt extends Circumstances {
  /** The step the actor believes is being decided. */
  readonly step: number;
  readonly actor: UserId;
  /** The person the actor stands in for; absent, null or himself: nobody. */
  readonly for_user?: UserId | null;
  /** Who issued the token the actor came with, if not the actor. */
  readonly token_issued_by?: UserId | null;
  /** Default approve. A denial may also come from somebody who approved an earlier step. */
  readonly decision?: Decision;
}

export type MayDecide =
  | { readonly ok: true; readonly persons: readonly UserId[]; readonly for: UserId | null }
  | { readonly ok: false; readonly code: ProblemCode; readonly reason: Reason };

export type Checked =
  | { readonly stands: true; readonly persons: readonly UserId[] }
  | { readonly stands: false; readonly reason: Reason };

/** One attempt with what the rules ask about it worked out once. */
interface Case extends Required<Attempt> {
  readonly view: View;
  /** Whose eligibility it uses. */
  readonly as: UserId;
  /** Everybody it would spend; undefined when that cannot be told. */
  readonly persons: ReadonlySet<UserId> | undefined;
}

/** Undefined when the rule is kept. */
type Rule = (c: Case) => Reason | undefined;

const requestIsPending: Rule = (c) =>
  c.request.state === 'pending' ? undefined : 'request_resolved';

const stepIsCurrent: Rule = (c) =>
  c.step === c.request.step && c.request.steps[c.step] !== undefined
    ? undefined
    : 'another_step_is_current';

const actorIsActive: Rule = (c) => (isActive(c.actor, c.roster) ? undefined : 'actor_inactive');

const actorIsNotTheRequester: Rule = (c) =>
  c.actor === c.request.requester.id ? 'is_requester' : undefined;

const notInThePlaceOfTheRequester: Rule = (c) =>
  c.for_user === c.request.requester.id ? 'stands_in_for_requester' : undefined;

const notAServiceUserOfTheRequester: Rule = (c) =>
  !isHuman(c.roster.accounts.get(c.actor)) &&
  shares(humansBehind(c.actor, c.roster) ?? [], c.view.side)
    ? 'owned_by_requester'
    : undefined;

const notThroughATokenOfTheRequester: Rule = (c) =>
  c.token_issued_by !== null &&
  shares([c.token_issued_by, ...(humansBehind(c.token_issued_by, c.roster) ?? [])], c.view.side)
    ? 'token_from_requester'
    : undefined;

const notThePersonBehindTheRequester: Rule = (c) =>
  shares([c.actor, c.as, ...(c.persons ?? [])], c.view.side)
    ? 'same_person_as_requester'
    : undefined;

const standInIsInForce: Rule = (c) =>
  c.for_user === null || standInsOf(c).length > 0 ? undefined : 'no_delegation';

/** Whenever it was made: a token that he issued earlier could have made it. */
const standInWasNotMadeByTheRequester: Rule = (c) =>
  c.for_user === null || standInsOf(c).some((d) => !madeBySide(d, c.view))
    ? undefined
    : 'delegation_by_requester';

const everyPersonIsActive: Rule = (c) =>
  c.persons !== undefined && c.persons.size > 0 && allActive(c.persons, c.roster)
    ? undefined
    : 'person_inactive';

const hasNotDecidedThisStep: Rule = (c) =>
  approvalsOf(c.request, c.step).some((v) => shares([v.by, ...v.persons], actedBy(c)))
    ? 'decided_already'
    : undefined;

const wasNotCountedBefore: Rule = (c) =>
  c.decision === 'approve' && shares(actedBy(c), spentBefore(c.request, c.step))
    ? 'counted_in_earlier_step'
    : undefined;

const isAskedByTheStep: Rule = (c) => {
  const need = needsOf(c.request, c.step);
  const sets = need === undefined ? [] : leavesOf(need).flatMap((leaf) => leaf.of);
  const standings = sets.map((set) => standingIn(set, c.as, c.view));
  if (standings.includes('eligible')) return undefined;
  return standings.includes('made_by_requester') ? 'eligibility_by_requester' : 'not_in_step';
};

/** All rules of deciding, in the order in which they refuse. */
const RULES: readonly Rule[] = [
  requestIsPending,
  stepIsCurrent,
  actorIsActive,
  actorIsNotTheRequester,
  notInThePlaceOfTheRequester,
  notAServiceUserOfTheRequester,
  notThroughATokenOfTheRequester,
  notThePersonBehindTheRequester,
  standInIsInForce,
  standInWasNotMadeByTheRequester,
  everyPersonIsActive,
  hasNotDecidedThisStep,
  wasNotCountedBefore,
  isAskedByTheStep,
];

/** Those that a vote must still keep when its step completes: all that are not about giving it. */
const LASTING_RULES = RULES.filter(
  (rule) => ![requestIsPending, stepIsCurrent, hasNotDecidedThisStep].includes(rule),
);

/** Whether the actor may decide the current step, and whom the decision would spend. */
export function mayDecide(attempt: Attempt): MayDecide {
  const c = caseOf(attempt);
  const reason = firstBroken(RULES, c);
  if (reason !== undefined) return { ok: false, code: REASONS[reason].code, reason };
  return { ok: true, persons: [...(c.persons ?? [])].sort(), for: c.for_user };
}

/**
 * Holds a stored vote against the rules again, as things are now. It keeps spending
 * everybody it spent when it was given, and also whom its accounts stand for since.
 */
export function checkAgain(vote: Vote, circumstances: Circumstances): Checked {
  const c = caseOf({
    ...circumstances,
    step: vote.step,
    actor: vote.by,
    for_user: vote.for,
    token_issued_by: vote.token_issued_by,
    decision: vote.decision,
  });
  const persons = c.persons && new Set([...c.persons, ...vote.persons]);
  const reason = firstBroken(LASTING_RULES, { ...c, persons });
  if (reason !== undefined) return { stands: false, reason };
  return { stands: true, persons: [...(persons ?? [])].sort() };
}

function caseOf(attempt: Attempt): Case {
  const { actor, roster } = attempt;
  const forUser = attempt.for_user === actor ? null : (attempt.for_user ?? null);
  const issuer = attempt.token_issued_by === actor ? null : (attempt.token_issued_by ?? null);
  return {
    ...attempt,
    decision: attempt.decision ?? 'approve',
    for_user: forUser,
    token_issued_by: issuer,
    view: viewOf(attempt.request.requester, roster),
    as: forUser ?? actor,
    persons: humansBehindAll([actor, forUser, issuer], roster),
  };
}

function firstBroken(rules: readonly Rule[], c: Case): Reason | undefined {
  for (const rule of rules) {
    const reason = rule(c);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

const actedBy = (c: Case): ReadonlySet<UserId> => new Set([c.actor, ...(c.persons ?? [])]);

/** Stand-ins in force from the person to the actor; never through a third, never a service user. */
const standInsOf = (c: Case): readonly Delegation[] =>
  c.delegations.filter(
    (d) =>
      d.from === c.for_user &&
      d.to === c.actor &&
      d.starts_at <= c.now &&
      c.now < d.ends_at &&
      isHuman(c.roster.accounts.get(d.from)) &&
      isHuman(c.roster.accounts.get(d.to)),
  );
