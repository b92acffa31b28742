import type { ApprovalCard } from '@postern/shared';
import type { Tx } from '../platform/tx.ts';
import type { Describe } from './service-outbox.ts';
import { asksToDecide, wordsOf } from './texts.ts';

/** What the requests say of a request that waits for a decision; given by deps.ts. */
export interface Pending {
  readonly card: ApprovalCard | null;
  readonly step: number | null;
  /** Whether its type lets a chat decide. */
  readonly chat: boolean;
}

export interface DescribePorts {
  /** As the viewer may see it (null: a channel). @returns undefined when nothing is asked any more. */
  pendingFor(
    tx: Tx,
    request_id: string,
    viewer_user_id: string | null,
  ): Promise<Pending | undefined>;
  /** A signed link to the decision, for this person; null where there is none. */
  linkFor(tx: Tx, request_id: string, user_id: string): Promise<string | null>;
}

/** Words from the table of texts, and for what asks for a decision the card and the link. */
export function createDescribe({ pendingFor, linkFor }: DescribePorts): Describe {
  return async (tx, { kind, request_id, person, personal, body }) => {
    const told = { you: personal, name: person?.name ?? 'Somebody' };
    const words = wordsOf(kind, body, told);
    if (words === undefined) return undefined;
    const plain = { ...words, card: null, link: null, chat: false, step: null };
    if (request_id === null || !asksToDecide(kind)) return plain;
    const viewer = personal ? (person?.id ?? null) : null;
    const pending = await pendingFor(tx, request_id, viewer);
    if (pending === undefined) return undefined;
    const link = viewer === null ? null : await linkFor(tx, request_id, viewer);
    return { ...words, ...pending, link };
  };
}
