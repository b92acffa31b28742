import type { Instant } from '@postern/shared';
import type { GeneratedAlways } from 'kysely';
import type { Defaulted, DefaultedJsonb, Jsonb, NullableJsonb } from './columns.ts';

/** The domain's tables as Kysely sees them; 0001-domain.sql is the truth. */
export interface DomainTables {
  team: {
    id: string;
    name: string;
    demo: boolean;
    keyring_check: NullableJsonb<unknown>;
    created_at: Instant;
  };
  revisions: { id: string; kind: 'user' | 'server' | 'policy'; revision: Defaulted<number> };
  users: {
    id: string;
    login: string;
    name: string;
    email: string | null;
    type: 'human' | 'service';
    status: Defaulted<'ACTIVE' | 'DISABLED' | 'DELETED'>;
    manager_id: string | null;
    manager_made_by: Jsonb<string[]>;
    manager_made_at: Defaulted<Instant | null>;
    unix_name: string | null;
    attributes: Jsonb<Record<string, string>>;
    master: Defaulted<'local' | 'scim' | 'oidc'>;
    created_at: Instant;
    /** Kept by a trigger. */
    skeleton: GeneratedAlways<string | null>;
  };
  service_user_owners: {
    id: string;
    service_user_id: string;
    owner_id: string;
    created_at: Instant;
    ended_at: Defaulted<Instant | null>;
  };
  groups: {
    id: string;
    name: string;
    source: Defaulted<'local' | 'scim'>;
    created_at: Instant;
    deleted_at: Defaulted<Instant | null>;
    /** Kept by a trigger. */
    skeleton: GeneratedAlways<string | null>;
  };
  group_owners: {
    group_id: string;
    user_id: string;
    made_by: Jsonb<string[]>;
    created_at: Instant;
  };
  group_sources: {
    group_id: string;
    source: 'scim' | 'rule';
    made_by: Jsonb<string[]>;
    created_at: Instant;
  };
  group_rules: {
    id: string;
    name: string;
    group_id: string;
    condition: string;
    made_by: Jsonb<string[]>;
    created_at: Instant;
    updated_at: Instant;
  };
  memberships: {
    id: string;
    group_id: string;
    user_id: string;
    source: 'direct' | 'scim' | 'rule' | 'request';
    request_id: string | null;
    made_by: Jsonb<string[]>;
    created_at: Instant;
    expires_at: Instant | null;
    ended_at: Defaulted<Instant | null>;
  };
  role_bindings: {
    id: string;
    group_id: string;
    role: 'end_user' | 'resource_admin' | 'security_admin' | 'pam_admin' | 'auditor';
    created_by: string | null;
    created_at: Instant;
  };
  tokens: {
    id: string;
    user_id: string;
    kind: Defaulted<'static' | 'login' | 'service' | 'workload'>;
    hash: string | null;
    name: string;
    issued_by: string | null;
    created_at: Instant;
    expires_at: Instant;
    revoked_at: Defaulted<Instant | null>;
    binding: Defaulted<string | null>;
    made_by: DefaultedJsonb<string[]>;
  };
  resource_groups: { id: string; name: string; created_at: Instant };
  resource_owners: {
    resource_group_id: string;
    user_id: string;
    made_by: Jsonb<string[]>;
    created_at: Instant;
  };
  projects: { id: string; resource_group_id: string; name: string; created_at: Instant };
  servers: {
    id: string;
    project_id: string;
    hostname: string;
    canonical_name: string | null;
    alt_names: Jsonb<string[]>;
    access_address: string;
    access_port: number;
    os_type: string;
    labels: Jsonb<Record<string, string>>;
    host_keys: Jsonb<string[]>;
    via: 'gateway' | 'direct';
    state: Defaulted<'ACTIVE' | 'INACTIVE' | 'DELETED'>;
    admin_account_template: string | null;
    allow_local_address: Defaulted<boolean>;
    identity_revision: Defaulted<number>;
    created_at: Instant;
  };
  server_names: { name: string; server_id: string };
  accounts: {
    id: string;
    server_id: string;
    username: string;
    credential: 'password' | 'private_key' | 'certificate';
    created_at: Instant;
    deleted_at: Defaulted<Instant | null>;
  };
  account_secrets: {
    account_id: string;
    version: number;
    server_identity_revision: number;
    sealed: Jsonb<unknown>;
    created_at: Instant;
  };
  vault_keys: { purpose: string; sealed: Jsonb<unknown>; created_at: Instant };
  security_policies: {
    id: string;
    name: string;
    active: boolean;
    version: Defaulted<number>;
    definition: Jsonb<unknown>;
    created_at: Instant;
    updated_at: Instant;
  };
  request_types: {
    id: string;
    name: string;
    state: 'draft' | 'published' | 'retired';
    draft: Jsonb<unknown>;
    published_version: number | null;
    etag: Defaulted<number>;
    created_at: Instant;
  };
  request_type_versions: {
    request_type_id: string;
    version: number;
    source: Jsonb<unknown>;
    definition: Jsonb<unknown>;
    digest: string;
    published_by: string | null;
    published_at: Instant;
  };
  access_request_transitions: { from_state: string; to_state: string };
  access_requests: {
    id: string;
    state: string;
    seq: number;
    purpose: 'server_access' | 'group_membership';
    request_type_id: string;
    request_type_version: number;
    requester_id: string;
    requester_token_issued_by: string | null;
    server_id: string | null;
    server_identity_revision: number | null;
    identity: string | null;
    credential_type: 'vaulted_account' | 'principal_account' | null;
    account_id: string | null;
    privilege: string | null;
    admin_level: Defaulted<boolean>;
    group_ids: Defaulted<string | null>;
    answers: Jsonb<Record<string, string>>;
    card: Jsonb<unknown>;
    card_digest: string;
    current_step: Defaulted<number>;
    step_since: Instant;
    remind_at: Defaulted<Instant | null>;
    escalated: Jsonb<number[]>;
    step_expires_at: Instant | null;
    created_at: Instant;
    resolved_at: Defaulted<Instant | null>;
    ends_at: Defaulted<Instant | null>;
    end_reason: Defaulted<string | null>;
    binding: Defaulted<string | null>;
    made_by: DefaultedJsonb<string[]>;
    least_approvers: Defaulted<number>;
  };
  access_request_history: {
    request_id: string;
    seq: number;
    from_state: string;
    to_state: string;
    at: Instant;
    actor_id: string | null;
  };
  access_request_decisions: {
    id: string;
    request_id: string;
    step: number;
    decision: 'approve' | 'deny';
    by_user_id: string;
    for_user_id: string | null;
    persons: Jsonb<string[]>;
    token_id: string | null;
    token_issued_by: string | null;
    comment: string | null;
    card_digest: string;
    decided_at: Instant;
    voided_at: Defaulted<Instant | null>;
  };
  access_request_comments: {
    id: string;
    request_id: string;
    by_user_id: string;
    text: string;
    created_at: Instant;
  };
  decision_links: {
    id: string;
    hash: string;
    request_id: string;
    user_id: string;
    step: number;
    created_at: Instant;
    expires_at: Instant;
    used_at: Defaulted<Instant | null>;
  };
  approvals: {
    id: string;
    request_id: string;
    user_id: string;
    server_id: string;
    server_identity_revision: number;
    identity: string;
    credential_type: 'vaulted_account' | 'principal_account';
    account_id: string | null;
    privilege: string;
    admin_level: boolean;
    channels: Jsonb<string[]>;
    request_type_id: string;
    request_type_version: number;
    periods: Jsonb<Record<string, number>>;
    card_digest: string;
    approved_at: Instant;
    revoked_at: Defaulted<Instant | null>;
    ended_at: Defaulted<Instant | null>;
    binding: Defaulted<string | null>;
  };
  delegations: {
    id: string;
    from_user_id: string;
    to_user_id: string;
    made_by: Jsonb<string[]>;
    starts_at: Instant;
    ends_at: Instant;
    created_at: Instant;
    ended_at: Defaulted<Instant | null>;
    reason: Defaulted<string | null>;
  };
  gateways: {
    id: string;
    name: string;
    kind: 'child' | 'enrolled';
    state: 'ACTIVE' | 'DISABLED';
    public_key: string;
    host_keys: Jsonb<string[]>;
    host: string;
    port: number;
    enrolled_at: Instant;
    last_lease_at: Defaulted<Instant | null>;
  };
  gateway_codes: {
    hash: string;
    name: string;
    created_by: string;
    expires_at: Instant;
    used_at: Defaulted<Instant | null>;
  };
  gateway_nonces: { gateway_id: string; nonce: string; seen_at: Instant };
  session_nonces: { nonce: string; user_id: string; expires_at: Instant };
  sessions: {
    id: string;
    state: 'opening' | 'live' | 'ended' | 'cut' | 'lost' | 'abandoned';
    user_id: string;
    token_id: string | null;
    server_id: string;
    server_identity_revision: number;
    identity: string;
    credential_type: 'vaulted_account' | 'principal_account';
    account_id: string | null;
    privilege: string;
    admin_level: boolean;
    channels: Jsonb<string[]>;
    recorded: boolean;
    rule_ids: Jsonb<string[]>;
    request_id: string | null;
    gateway_id: string;
    public_key: string;
    client_address: string | null;
    opened_at: Instant;
    admit_before: Instant;
    admitted_at: Defaulted<Instant | null>;
    login_at: Defaulted<Instant | null>;
    expires_at: Instant;
    ended_at: Defaulted<Instant | null>;
    end_reason: Defaulted<string | null>;
    exit_status: Defaulted<number | null>;
    recording_sha256: Defaulted<string | null>;
    warned_until: Defaulted<Instant | null>;
    warned_seconds: Defaulted<number | null>;
  };
  session_transitions: { from_state: string; to_state: string };
  idempotency_keys: {
    actor_id: string;
    operation: string;
    key: string;
    body_hash: string;
    status: number;
    response: Jsonb<unknown>;
    created_at: Instant;
  };
  chat_link_codes: {
    user_id: string;
    hash: string;
    token_id: string;
    issued_by: string | null;
    expires_at: Instant;
  };
  chat_links: {
    id: string;
    user_id: string;
    workspace_id: string;
    chat_user_id: string;
    issued_by: string | null;
    created_at: Instant;
    removed_at: Defaulted<Instant | null>;
  };
  chat_signatures: { signature: string; expires_at: Instant };
  message_destinations: { name: string };
  messages: {
    id: string;
    to_user_id: string | null;
    webhook: Defaulted<string | null>;
    destination: GeneratedAlways<string>;
    place: GeneratedAlways<number>;
    kind: string;
    request_id: string | null;
    body: Jsonb<unknown>;
    state: Defaulted<'waiting' | 'delivered' | 'dead'>;
    attempts: Defaulted<number>;
    next_at: Instant;
    give_up_at: Instant;
    claim: Defaulted<string | null>;
    claimed_until: Defaulted<Instant | null>;
    last_error: Defaulted<string | null>;
    created_at: Instant;
    delivered_at: Defaulted<Instant | null>;
  };
}
