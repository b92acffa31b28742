-- The domain: one team per deployment. Ids are UUIDv7 made by the service and never reused.

create table team (
  id uuid primary key,
  name text not null unique,
  demo boolean not null default false,
  -- Tells a wrong master key apart from a damaged secret, without revealing the key.
  keyring_check jsonb,
  created_at timestamptz not null
);
create unique index team_is_one on team ((true));

-- A demo database stays one: its tokens and keys were shown on a screen.
create function keep_demo_mark() returns trigger language plpgsql as $$
begin
  if old.demo and not new.demo then
    raise exception 'the demo mark cannot be removed';
  end if;
  return new;
end $$;
create trigger team_keeps_demo_mark before update on team
  for each row execute function keep_demo_mark();

-- Lock, then read, then decide: whoever decides takes these rows FOR SHARE in id order,
-- whoever changes a fact about a user, a server or the policy set updates its row.
create table revisions (
  id uuid primary key,
  kind text not null check (kind in ('user', 'server', 'policy')),
  revision bigint not null default 1
);

-- Directory ---------------------------------------------------------------------------

create table users (
  id uuid primary key,
  login text not null unique,
  name text not null,
  email text,
  type text not null check (type in ('human', 'service')),
  status text not null default 'ACTIVE' check (status in ('ACTIVE', 'DISABLED', 'DELETED')),
  manager_id uuid references users (id),
  unix_name text unique,
  -- Who set the manager, and when: an approver the requester made himself does not count.
  manager_made_by jsonb not null default '[]',
  manager_made_at timestamptz,
  attributes jsonb not null default '{}',
  created_at timestamptz not null
);

-- Persons a service user stands for.
create table service_user_owners (
  id uuid primary key,
  service_user_id uuid not null references users (id),
  owner_id uuid not null references users (id),
  created_at timestamptz not null,
  ended_at timestamptz
);
create unique index one_live_ownership on service_user_owners (service_user_id, owner_id)
  where ended_at is null;

create table groups (
  id uuid primary key,
  name text not null unique,
  source text not null default 'local' check (source in ('local', 'scim')),
  created_at timestamptz not null,
  deleted_at timestamptz
);

create table group_owners (
  group_id uuid not null references groups (id),
  user_id uuid not null references users (id),
  made_by jsonb not null,
  created_at timestamptz not null,
  primary key (group_id, user_id)
);

-- A user may hold several rows for one group; he is a member while any row is live.
create table memberships (
  id uuid primary key,
  group_id uuid not null references groups (id),
  user_id uuid not null references users (id),
  source text not null check (source in ('direct', 'scim', 'rule', 'request')),
  request_id uuid,
  -- Every account behind the change: the actor, and who issued his token.
  made_by jsonb not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  ended_at timestamptz,
  check ((source = 'request') = (request_id is not null))
);
create unique index one_standing_membership on memberships (group_id, user_id, source)
  where ended_at is null and request_id is null;
create index memberships_of_user on memberships (user_id) where ended_at is null;
create index memberships_of_group on memberships (group_id) where ended_at is null;

create table role_bindings (
  id uuid primary key,
  group_id uuid not null references groups (id),
  role text not null check (role in
    ('end_user', 'resource_admin', 'security_admin', 'pam_admin', 'auditor')),
  created_by uuid references users (id),
  created_at timestamptz not null,
  unique (group_id, role)
);

create table tokens (
  id uuid primary key,
  user_id uuid not null references users (id),
  -- SHA-256 of the secret, hex. The secret itself is shown once and kept nowhere.
  hash text not null,
  name text not null,
  issued_by uuid references users (id),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index tokens_of_user on tokens (user_id) where revoked_at is null;

-- Inventory ---------------------------------------------------------------------------

create table resource_groups (
  id uuid primary key,
  name text not null unique,
  created_at timestamptz not null
);

create table resource_owners (
  resource_group_id uuid not null references resource_groups (id),
  user_id uuid not null references users (id),
  made_by jsonb not null,
  created_at timestamptz not null,
  primary key (resource_group_id, user_id)
);

create table projects (
  id uuid primary key,
  resource_group_id uuid not null references resource_groups (id),
  name text not null,
  created_at timestamptz not null,
  unique (resource_group_id, name)
);

create table servers (
  id uuid primary key,
  project_id uuid not null references projects (id),
  hostname text not null,
  canonical_name text,
  alt_names jsonb not null default '[]',
  access_address text not null,
  access_port integer not null check (access_port between 1 and 65535),
  os_type text not null default 'linux',
  labels jsonb not null default '{}',
  -- Pinned host keys, canonical one-line OpenSSH form. Empty: nobody connects.
  host_keys jsonb not null default '[]',
  via text not null default 'gateway' check (via in ('gateway', 'direct')),
  state text not null default 'ACTIVE' check (state in ('ACTIVE', 'INACTIVE', 'DELETED')),
  admin_account_template text,
  -- The gateway dials loopback and link-local addresses only where this says so.
  allow_local_address boolean not null default false,
  -- A change of address, port or host key starts a new one.
  identity_revision integer not null default 1,
  created_at timestamptz not null
);

-- One unique index over hostname, canonical name and alternative names of all servers.
create table server_names (
  name text primary key,
  server_id uuid not null references servers (id)
);

create table accounts (
  id uuid primary key,
  server_id uuid not null references servers (id),
  username text not null,
  credential text not null check (credential in ('password', 'private_key', 'certificate')),
  created_at timestamptz not null,
  deleted_at timestamptz
);
create unique index one_account_per_username on accounts (server_id, username)
  where deleted_at is null;

-- Sealed credentials; only the newest version serves, and only for its identity revision.
create table account_secrets (
  account_id uuid not null references accounts (id),
  version integer not null,
  server_identity_revision integer not null,
  sealed jsonb not null,
  created_at timestamptz not null,
  primary key (account_id, version)
);

-- Deployment secrets that are not an account's (the service's own keys), sealed alike.
create table vault_keys (
  purpose text primary key,
  sealed jsonb not null,
  created_at timestamptz not null
);

-- Policy ------------------------------------------------------------------------------

create table security_policies (
  id uuid primary key,
  name text not null unique,
  active boolean not null,
  version integer not null default 1,
  definition jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table request_types (
  id uuid primary key,
  name text not null unique,
  state text not null check (state in ('draft', 'published', 'retired')),
  -- The working copy; what runs is a version.
  draft jsonb not null,
  published_version integer,
  etag integer not null default 1,
  created_at timestamptz not null
);

create table request_type_versions (
  request_type_id uuid not null references request_types (id),
  version integer not null,
  -- As it was written, for people; and with every name resolved to an id, for deciding.
  source jsonb not null,
  definition jsonb not null,
  digest text not null,
  published_by uuid references users (id),
  published_at timestamptz not null,
  primary key (request_type_id, version)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'a row of % is never changed', tg_table_name;
end $$;
create trigger request_type_versions_are_immutable before update or delete on request_type_versions
  for each row execute function refuse_change();

-- Access requests ---------------------------------------------------------------------

create table access_request_transitions (
  from_state text not null,
  to_state text not null,
  primary key (from_state, to_state)
);
insert into access_request_transitions (from_state, to_state) values
  ('new', 'pending'),
  ('pending', 'approved'), ('pending', 'denied'), ('pending', 'canceled'), ('pending', 'expired'),
  ('approved', 'active'), ('approved', 'ended'), ('approved', 'revoked'), ('approved', 'failed'),
  ('active', 'ended'), ('active', 'revoked'), ('active', 'failed');

create table access_requests (
  id uuid primary key,
  state text not null,
  -- Counts every change of the request; it is the ETag.
  seq integer not null,
  purpose text not null check (purpose in ('server_access', 'group_membership')),
  request_type_id uuid not null,
  request_type_version integer not null,
  requester_id uuid not null references users (id),
  requester_token_issued_by uuid references users (id),
  server_id uuid references servers (id),
  server_identity_revision integer,
  identity text,
  credential_type text check (credential_type in ('vaulted_account', 'principal_account')),
  account_id uuid references accounts (id),
  privilege text,
  admin_level boolean not null default false,
  answers jsonb not null,
  -- What the approver is shown, and its digest (SHA-256 of RFC 8785 canonical JSON, hex).
  card jsonb not null,
  card_digest text not null,
  current_step integer not null default 0,
  -- When the current step became current, or was escalated.
  step_since timestamptz not null,
  -- Indices of the steps that were escalated.
  escalated jsonb not null default '[]',
  step_expires_at timestamptz,
  created_at timestamptz not null,
  resolved_at timestamptz,
  ends_at timestamptz,
  end_reason text,
  foreign key (request_type_id, request_type_version)
    references request_type_versions (request_type_id, version)
);
create unique index one_pending_request on access_requests
  (requester_id, server_id, identity, credential_type, privilege, admin_level, request_type_id)
  where state = 'pending' and purpose = 'server_access';
create index requests_of_requester on access_requests (requester_id, created_at);
create index requests_pending on access_requests (step_expires_at) where state = 'pending';
create index requests_ending on access_requests (ends_at) where state in ('approved', 'active');

create table access_request_history (
  request_id uuid not null references access_requests (id),
  seq integer not null,
  from_state text not null,
  to_state text not null,
  at timestamptz not null,
  actor_id uuid references users (id),
  primary key (request_id, seq),
  foreign key (from_state, to_state) references access_request_transitions (from_state, to_state)
);
create trigger access_request_history_is_immutable before update or delete on access_request_history
  for each row execute function refuse_change();

create table access_request_decisions (
  id uuid primary key,
  request_id uuid not null references access_requests (id),
  step integer not null,
  decision text not null check (decision in ('approve', 'deny')),
  by_user_id uuid not null references users (id),
  for_user_id uuid references users (id),
  -- Persons this vote spends: the decider, whom he stands for, who issued his token.
  persons jsonb not null,
  token_id uuid references tokens (id),
  token_issued_by uuid references users (id),
  comment text,
  card_digest text not null,
  decided_at timestamptz not null,
  voided_at timestamptz
);
create index decisions_of_request on access_request_decisions (request_id, decided_at);
create unique index one_vote_per_step on access_request_decisions (request_id, step, by_user_id)
  where voided_at is null;

create table access_request_comments (
  id uuid primary key,
  request_id uuid not null references access_requests (id),
  by_user_id uuid not null references users (id),
  text text not null,
  created_at timestamptz not null
);

create table approvals (
  id uuid primary key,
  request_id uuid not null unique references access_requests (id),
  user_id uuid not null references users (id),
  server_id uuid not null references servers (id),
  server_identity_revision integer not null,
  identity text not null,
  credential_type text not null,
  account_id uuid references accounts (id),
  privilege text not null,
  admin_level boolean not null,
  channels jsonb not null,
  request_type_id uuid not null,
  request_type_version integer not null,
  -- rule id → seconds, as the card said
  periods jsonb not null,
  card_digest text not null,
  approved_at timestamptz not null,
  revoked_at timestamptz,
  ended_at timestamptz
);
create index approvals_in_force on approvals (user_id, server_id)
  where revoked_at is null and ended_at is null;

create table delegations (
  id uuid primary key,
  from_user_id uuid not null references users (id),
  to_user_id uuid not null references users (id),
  made_by jsonb not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  created_at timestamptz not null,
  check (ends_at > starts_at),
  check (from_user_id <> to_user_id)
);

-- Sessions ----------------------------------------------------------------------------

create table gateways (
  id uuid primary key,
  name text not null,
  kind text not null check (kind in ('child', 'enrolled')),
  state text not null check (state in ('ACTIVE', 'DISABLED')),
  -- The key it signs its calls with, one-line OpenSSH form.
  public_key text not null unique,
  host_keys jsonb not null,
  host text not null,
  port integer not null,
  enrolled_at timestamptz not null,
  last_lease_at timestamptz
);

create table gateway_codes (
  hash text primary key,
  name text not null,
  created_by uuid not null references users (id),
  expires_at timestamptz not null,
  used_at timestamptz
);

create table gateway_nonces (
  gateway_id uuid not null references gateways (id),
  nonce text not null,
  seen_at timestamptz not null,
  primary key (gateway_id, nonce)
);

create table session_nonces (
  nonce text primary key,
  user_id uuid not null references users (id),
  expires_at timestamptz not null
);

create table sessions (
  id uuid primary key,
  state text not null check (state in ('opening', 'live', 'ended', 'cut', 'lost', 'abandoned')),
  user_id uuid not null references users (id),
  token_id uuid references tokens (id),
  server_id uuid not null references servers (id),
  server_identity_revision integer not null,
  identity text not null,
  credential_type text not null,
  account_id uuid references accounts (id),
  privilege text not null,
  admin_level boolean not null,
  channels jsonb not null,
  recorded boolean not null,
  rule_ids jsonb not null,
  request_id uuid references access_requests (id),
  gateway_id uuid not null references gateways (id),
  -- A key serves one session, ever.
  public_key text not null unique,
  client_address text,
  opened_at timestamptz not null,
  admit_before timestamptz not null,
  admitted_at timestamptz,
  login_at timestamptz,
  expires_at timestamptz not null,
  ended_at timestamptz,
  end_reason text,
  exit_status integer,
  recording_sha256 text
);
-- Every legal change of a session's state; the code's table is held equal to it by a test.
create table session_transitions (
  from_state text not null,
  to_state text not null,
  primary key (from_state, to_state)
);
insert into session_transitions (from_state, to_state) values
  ('opening', 'live'), ('opening', 'abandoned'),
  ('live', 'ended'), ('live', 'cut'), ('live', 'lost');

create function sessions_change_legally() returns trigger language plpgsql as $$
begin
  if old.state <> new.state and not exists (
    select 1 from session_transitions t where t.from_state = old.state and t.to_state = new.state
  ) then
    raise exception 'a session cannot go from % to %', old.state, new.state;
  end if;
  return new;
end $$;
create trigger sessions_change_legally before update of state on sessions
  for each row execute function sessions_change_legally();

create index sessions_open on sessions (state) where state in ('opening', 'live');
create index sessions_of_user on sessions (user_id, opened_at);
create index sessions_of_server on sessions (server_id, opened_at);

-- Platform of the wire ----------------------------------------------------------------

create table idempotency_keys (
  actor_id uuid not null,
  operation text not null,
  key text not null,
  body_hash text not null,
  status integer not null,
  response jsonb not null,
  created_at timestamptz not null,
  primary key (actor_id, operation, key)
);

-- What people are told. Leaves by job, at least once; the id makes it once.
create table messages (
  id uuid primary key,
  to_user_id uuid not null references users (id),
  kind text not null,
  request_id uuid references access_requests (id),
  body jsonb not null,
  created_at timestamptz not null,
  delivered_at timestamptz
);
create index messages_waiting on messages (created_at) where delivered_at is null;
