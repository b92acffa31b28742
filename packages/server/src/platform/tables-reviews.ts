import type { Instant } from '@postern/shared';
import type { Defaulted } from './columns.ts';

/** The tables of reviews as Kysely sees them; 0017-reviews.sql is the truth. */
export interface ReviewTables {
  review_terms: {
    group_id: string;
    every_seconds: number;
    answer_within_seconds: number;
    unanswered: 'keep' | 'remove';
    counted_since: Instant;
  };
  reviews: {
    id: string;
    group_id: string;
    state: 'open' | 'done' | 'canceled';
    unanswered: 'keep' | 'remove';
    opened_at: Instant;
    due_at: Instant;
    closed_at: Defaulted<Instant | null>;
  };
  review_members: {
    review_id: string;
    user_id: string;
    outcome: Defaulted<'kept' | 'removed' | 'left' | null>;
    answered_by: Defaulted<string | null>;
    answered_at: Defaulted<Instant | null>;
    comment: Defaulted<string | null>;
    reason: Defaulted<string | null>;
  };
}
