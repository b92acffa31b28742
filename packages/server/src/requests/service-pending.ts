import type { ApprovalCard } from '@postern/shared';
import type { Tx } from '../platform/tx.ts';
import { approversNow } from './approvers.ts';
import { describeCard } from './service-card.ts';
import { loadCircumstances } from './service-load.ts';
import { findRequest } from './store.ts';

export interface PendingDecision {
  readonly card: ApprovalCard;
  readonly step: number;
  /** Whether its type lets a chat decide. */
  readonly chat: boolean;
}

/**
 * What the viewer is asked to decide; with null what anybody may read of it.
 *
 * @returns undefined when it is decided, or its current step does not ask him or whom he
 * stands in for: a message to him has come too late.
 */
export async function describePending(
  tx: Tx,
  request_id: string,
  viewer_user_id: string | null,
): Promise<PendingDecision | undefined> {
  const row = await findRequest(tx.sql, request_id);
  if (row?.state !== 'pending') return undefined;
  const { definition, circumstances } = await loadCircumstances(tx, row, [viewer_user_id]);
  const { request, roster, delegations } = circumstances;
  const asked = approversNow(request, roster);
  const forSomebody = delegations.some(
    (d) => d.to === viewer_user_id && asked.has(d.from) && d.starts_at <= tx.now,
  );
  if (viewer_user_id !== null && !asked.has(viewer_user_id) && !forSomebody) return undefined;
  const card = await describeCard(tx, request_id, viewer_user_id);
  if (card === undefined) return undefined;
  // A version from before there was such a field says nothing of it.
  const chat = (definition as { readonly chat?: boolean }).chat === true;
  return { card, step: row.current_step, chat };
}
