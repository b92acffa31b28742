import type { Card } from './card.ts';
import type { Definition, RequestFacts, RequestState, Step, Vote } from './model.ts';
import { byTwo } from './needs.ts';
import type { DecisionRow, RequestRow } from './store.ts';

/** The rows of a request as the rules of deciding want them. */
export function factsOf(
  row: RequestRow,
  definition: Definition,
  decisions: readonly DecisionRow[],
  /** Who is behind the job it was raised by, known since then. */
  behind: readonly string[],
): RequestFacts {
  return {
    purpose: row.purpose,
    state: row.state as RequestState,
    requester: {
      id: row.requester_id,
      token_issued_by: row.requester_token_issued_by,
      made_by: [...new Set([...row.made_by, ...behind])],
      raised_at: row.created_at,
    },
    steps: stepsFor(row, definition),
    step: row.current_step,
    escalated: row.escalated,
    votes: decisions.map(voteOf),
  };
}

/** The steps as this request is held to them. */
const stepsFor = ({ least_approvers }: RequestRow, { steps }: Definition): readonly Step[] =>
  least_approvers < 2 ? steps : steps.map((step) => ({ ...step, needs: byTwo(step.needs) }));

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
