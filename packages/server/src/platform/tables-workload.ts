import type { Instant } from '@postern/shared';
import type { Defaulted, Jsonb } from './columns.ts';

/** The tables of workload identity as Kysely sees them; 0016-workload.sql is the truth. */
export interface WorkloadTables {
  workload_connections: {
    id: string;
    name: string;
    provider: 'github' | 'gitlab' | 'generic';
    issuer: string;
    jwks_url: string;
    audience: string;
    unnamed_people: 'need_two' | 'accepted';
    rules: Jsonb<unknown>;
    made_by: Jsonb<string[]>;
    created_by: string;
    created_at: Instant;
    updated_at: Instant;
    removed_at: Defaulted<Instant | null>;
  };
  workload_people: {
    id: string;
    issuer: string;
    actor_id: string;
    user_id: string;
    made_by: Jsonb<string[]>;
    created_at: Instant;
    removed_at: Defaulted<Instant | null>;
  };
  workload_logins: { token_id: string; connection_id: string; job: Jsonb<unknown> };
  used_assertions: { scope: string; jti_hash: string; expires_at: Instant };
  service_user_keys: {
    id: string;
    user_id: string;
    name: string;
    thumbprint: string;
    jwk: Jsonb<Record<string, unknown>>;
    alg: string;
    added_by: string;
    made_by: Jsonb<string[]>;
    created_at: Instant;
    removed_at: Defaulted<Instant | null>;
  };
  service_logins: { token_id: string; key_id: string };
}
