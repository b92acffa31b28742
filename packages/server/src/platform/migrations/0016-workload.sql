-- Jobs of a continuous integration that log in with their provider's token, and service users
-- that log in with a key.

create table workload_connections (
  id uuid primary key,
  name text not null,
  provider text not null check (provider in ('github', 'gitlab', 'generic')),
  issuer text not null,
  jwks_url text not null,
  audience text not null,
  -- What it means that the provider's token does not name somebody who had a hand in the job.
  unnamed_people text not null check (unnamed_people in ('need_two', 'accepted')),
  rules jsonb not null,
  -- Everybody who ever said what it trusts: they could have logged in as its service users.
  made_by jsonb not null,
  created_by uuid not null references users (id),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  removed_at timestamptz
);
create unique index workload_connections_name on workload_connections (name)
  where removed_at is null;

-- Which person an account at a provider is. One that is removed counts on for what was raised
-- while it was there.
create table workload_people (
  id uuid primary key,
  issuer text not null,
  actor_id text not null,
  user_id uuid not null references users (id),
  made_by jsonb not null,
  created_at timestamptz not null,
  removed_at timestamptz
);
create unique index workload_people_actor on workload_people (issuer, actor_id)
  where removed_at is null;
create index workload_people_of on workload_people (issuer, actor_id, created_at);

-- The job behind a token of kind workload, as its provider's token told.
create table workload_logins (
  token_id uuid primary key references tokens (id),
  connection_id uuid not null references workload_connections (id),
  job jsonb not null
);
create index workload_logins_of_connection on workload_logins (connection_id);

-- Each token of a provider, and each assertion of a service user, serves once, on every
-- replica. Kept as SHA-256 of the jti for as long as it would be believed.
create table used_assertions (
  scope text not null,
  jti_hash text not null,
  expires_at timestamptz not null,
  primary key (scope, jti_hash)
);
create index used_assertions_over on used_assertions (expires_at);

-- binding: which job a token is for; approvals that were asked for with it serve nothing else.
-- made_by: who stands behind it besides its user and its issuer.
alter table tokens
  add column binding text,
  add column made_by jsonb not null default '[]',
  add constraint tokens_binding check ((kind = 'workload') = (binding is not null));

alter table access_requests
  add column binding text,
  add column made_by jsonb not null default '[]',
  add column least_approvers integer not null default 1 check (least_approvers in (1, 2));
drop index one_pending_request;
create unique index one_pending_request on access_requests
  (requester_id, server_id, identity, credential_type, privilege, admin_level, request_type_id,
   coalesce(binding, ''))
  where state = 'pending' and purpose = 'server_access';
alter table approvals add column binding text;

-- Public keys of service users (private_key_jwt).
create table service_user_keys (
  id uuid primary key,
  user_id uuid not null references users (id),
  name text not null,
  -- RFC 7638, SHA-256, base64url: the kid of an assertion.
  thumbprint text not null,
  jwk jsonb not null,
  alg text not null,
  added_by uuid not null references users (id),
  made_by jsonb not null,
  created_at timestamptz not null,
  removed_at timestamptz
);
create unique index service_user_keys_once on service_user_keys (thumbprint)
  where removed_at is null;
create index service_user_keys_of on service_user_keys (user_id) where removed_at is null;

create table service_logins (
  token_id uuid primary key references tokens (id),
  key_id uuid not null references service_user_keys (id)
);
create index service_logins_of_key on service_logins (key_id);
