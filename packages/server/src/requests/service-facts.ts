import type { Card } from './card.ts';
import type { Definition, RequestFacts, RequestState, Vote } from './model.ts';
import type { DecisionRow, RequestRow } from './store.ts';

/** The rows of a request as the rules of deciding want them. */
export function factsOf(
  row: RequestRow,
  definition: Definition,
  decisions: readonly DecisionRow[],
): RequestFacts {
  return {
    purpose: row.purpose,
    state: row.state as RequestState,
    requester: {
      id: row.requester_id,
      token_issued_by: row.requester_token_issued_by,
      raised_at: row.created_at,
    },
    steps: definition.steps,
    step: row.current_step,
    escalated: row.escalated,
    votes: decisions.map(voteOf),
  };
}

const voteOf = (row: DecisionRow): Vote => ({
  id: row.id,
  step: row.step,
  decision: row.decision,
  by: row.by_user_id,
  for: row.for_user_id,
  token_issued_by: row.token_issued_by,
  persons: row.persons,
  void: row.voided_at !== null,
});

export const cardOf = (row: RequestRow): Card => row.card as Card;
