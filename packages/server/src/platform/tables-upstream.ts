import type { Instant } from '@postern/shared';
import type { Defaulted, Jsonb } from './columns.ts';

/** The tables of the upstream login as Kysely sees them; 0018-upstream.sql is the truth. */
export interface UpstreamTables {
  oidc_identities: {
    issuer: string;
    subject: string;
    user_id: string;
    issued_by: string | null;
    masters: Jsonb<string[]>;
    created_at: Instant;
    last_login_at: Defaulted<Instant | null>;
  };
  oidc_starts: {
    hash: string;
    binding: string;
    next: string | null;
    fresh: boolean;
    asked_at: Instant;
    expires_at: Instant;
  };
}
