import type { Instant } from '@postern/shared';
import type { Defaulted, Jsonb } from './columns.ts';

/** The tables of SCIM as Kysely sees them; 0007-scim.sql is the truth. */
export interface ScimTables {
  scim_connections: {
    id: string;
    name: string;
    authoritative: Jsonb<string[]>;
    made_by: Jsonb<string[]>;
    created_by: string;
    created_at: Instant;
    revoked_at: Defaulted<Instant | null>;
  };
  scim_tokens: {
    id: string;
    connection_id: string;
    hash: string;
    made_by: Jsonb<string[]>;
    created_at: Instant;
    revoked_at: Defaulted<Instant | null>;
  };
  former_logins: { login: string; user_id: string };
  scim_users: {
    user_id: string;
    connection_id: string;
    external_id: string | null;
    resource: Jsonb<Record<string, unknown>>;
    inactive_since: Defaulted<Instant | null>;
    version: Defaulted<number>;
    created_at: Instant;
    updated_at: Instant;
  };
  scim_groups: {
    group_id: string;
    connection_id: string;
    external_id: string | null;
    version: Defaulted<number>;
    created_at: Instant;
    updated_at: Instant;
    taken_at: Defaulted<Instant | null>;
  };
}
