import type { Instant } from '@postern/shared';
import type { Defaulted, Jsonb } from './columns.ts';

/** The tables of group push as Kysely sees them; 0009-push.sql is the truth. */
export interface PushTables {
  push_targets: {
    id: string;
    name: string;
    url: string;
    sealed: Jsonb<unknown>;
    created_by: string;
    created_at: Instant;
    removed_at: Defaulted<Instant | null>;
  };
  push_target_groups: { target_id: string; group_id: string; remote_id: Defaulted<string | null> };
  push_target_users: { target_id: string; user_id: string; remote_id: string };
  pushes: {
    id: string;
    target_id: string;
    group_id: string;
    user_id: string;
    request_id: string | null;
    change_count: Defaulted<number>;
    state: Defaulted<'waiting' | 'done' | 'dead'>;
    attempts: Defaulted<number>;
    next_at: Instant;
    give_up_at: Instant;
    claim: Defaulted<string | null>;
    claimed_until: Defaulted<Instant | null>;
    told: Defaulted<'add' | 'remove' | null>;
    last_error: Defaulted<string | null>;
    created_at: Instant;
    pushed_at: Defaulted<Instant | null>;
  };
}
