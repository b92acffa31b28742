import type { Instant } from '@postern/shared';
import type { Defaulted, Jsonb } from './columns.ts';
import type { DomainTables } from './tables.ts';
import type { CredentialTables } from './tables-credentials.ts';
import type { MfaTables } from './tables-mfa.ts';
import type { OauthTables } from './tables-oauth.ts';
import type { PushTables } from './tables-push.ts';
import type { ReviewTables } from './tables-reviews.ts';
import type { ScimTables } from './tables-scim.ts';
import type { UpstreamTables } from './tables-upstream.ts';
import type { WorkloadTables } from './tables-workload.ts';

export * from './columns.ts';

export interface AuditEventsTable {
  id: string;
  at: Instant;
  type: string;
  actor: Jsonb<unknown>;
  targets: Jsonb<unknown>;
  outcome: Jsonb<unknown>;
  request_id: string | null;
  rule_ids: Jsonb<string[]>;
  session_id: string | null;
  client_address: string | null;
  details: Jsonb<Record<string, unknown>>;
  /** Null until the appender has numbered it: 1, 2, 3, … without gaps. */
  seq: Defaulted<number | null>;
}

export interface MigrationsTable {
  name: string;
  checksum: string;
  applied_at: Defaulted<Instant>;
}

/** Every table, one line each, the name as in SQL. Features add theirs by `extends`. */
export interface PlatformTables {
  audit_events: AuditEventsTable;
  schema_migrations: MigrationsTable;
}

export interface Database
  extends PlatformTables,
    DomainTables,
    ScimTables,
    PushTables,
    ReviewTables,
    CredentialTables,
    MfaTables,
    OauthTables,
    WorkloadTables,
    UpstreamTables {}
