/** Who answers, and for whom. */
export interface Answering {
  readonly member_id: string;
  /** Every person behind the caller: himself, who issued his token, whom he stands for as a service user. */
  readonly persons: readonly string[];
  readonly review_state: 'open' | 'done' | 'canceled';
  /** Whether its time is over, though nothing has closed it yet. */
  readonly is_over: boolean;
  readonly outcome: 'kept' | 'removed' | 'left' | null;
}

export type MayAnswer =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'himself' | 'closed' | 'gone' };

/** Whether an answer counts. Until the end a kept member may still be removed, and never the reverse. */
export function mayAnswer(answering: Answering): MayAnswer {
  const { member_id, persons, review_state, is_over, outcome } = answering;
  if (persons.includes(member_id)) return { ok: false, reason: 'himself' };
  if (review_state !== 'open' || is_over) return { ok: false, reason: 'closed' };
  if (outcome === 'removed' || outcome === 'left') return { ok: false, reason: 'gone' };
  return { ok: true };
}
