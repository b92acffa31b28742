import type { ProblemCode } from '@postern/shared';

interface ReasonFacts {
  readonly code: ProblemCode;
  /** For the person who is refused: what is so, and what can be done. */
  readonly detail: string;
}

/** The closed list of why somebody may not decide; the order is that of the rules. */
export const REASONS = {
  request_resolved: {
    code: 'request_already_resolved',
    detail: 'This request is no longer pending; nothing can be decided any more.',
  },
  another_step_is_current: {
    code: 'wrong_step',
    detail: 'Another step of this request is being decided; read it again and decide that one.',
  },
  actor_inactive: {
    code: 'not_permitted',
    detail: 'Only an active user decides; ask an administrator to enable the account.',
  },
  is_requester: {
    code: 'requester_cannot_decide',
    detail: 'You raised this request; somebody else must decide it. You may cancel it.',
  },
  stands_in_for_requester: {
    code: 'requester_cannot_decide',
    detail: 'Nobody decides in the place of the requester; decide for yourself instead.',
  },
  owned_by_requester: {
    code: 'requester_cannot_decide',
    detail: 'The requester owns, or owned, this service user; somebody else must decide.',
  },
  token_from_requester: {
    code: 'requester_cannot_decide',
    detail:
      'Whoever issued this token, or invited you, stands behind the request as well; somebody else must decide.',
  },
  same_person_as_requester: {
    code: 'requester_cannot_decide',
    detail: 'You stand behind the account that raised this request; somebody else must decide.',
  },
  no_delegation: {
    code: 'not_an_approver',
    detail: 'No stand-in from that person to you is in force; ask for one, or decide for yourself.',
  },
  delegation_by_requester: {
    code: 'not_an_approver',
    detail: 'The requester arranged this stand-in after raising; the person must decide in person.',
  },
  person_inactive: {
    code: 'not_permitted',
    detail: 'Somebody this decision would stand for is not active; an active approver must decide.',
  },
  decided_already: {
    code: 'already_decided',
    detail:
      'You, or a person this decision would stand for, decided this step already; it needs somebody else.',
  },
  counted_in_earlier_step: {
    code: 'already_decided',
    detail: 'You approved an earlier step; this one needs somebody else. You may still deny it.',
  },
  not_in_step: {
    code: 'not_an_approver',
    detail: 'This step does not ask you; it shows whose decision is still needed.',
  },
  eligibility_by_requester: {
    code: 'not_an_approver',
    detail: 'The requester made you an approver after raising; somebody else must decide.',
  },
} as const satisfies Record<string, ReasonFacts>;

export type Reason = keyof typeof REASONS;
