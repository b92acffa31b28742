-- SCIM 2.0 in: an identity provider pushes users and groups through a connection of its own.

create table scim_connections (
  id uuid primary key,
  name text not null unique,
  -- What else of its users is believed: `manager`, and attributes of the profile by name.
  authoritative jsonb not null default '[]',
  -- Every account behind it: who made it, and who issued his token.
  made_by jsonb not null,
  created_by uuid not null references users (id),
  created_at timestamptz not null,
  revoked_at timestamptz
);

create table scim_tokens (
  id uuid primary key,
  connection_id uuid not null references scim_connections (id),
  -- SHA-256 of the secret, hex. The secret itself is shown once and kept nowhere.
  hash text not null,
  -- Who saw the secret, and so may be behind what is written with it.
  made_by jsonb not null,
  created_at timestamptz not null,
  revoked_at timestamptz
);
create unique index one_live_scim_token on scim_tokens (connection_id) where revoked_at is null;

-- Who is the master of the profile. What a connection masters nobody changes here.
alter table users add column master text not null default 'local'
  check (master in ('local', 'scim', 'oidc'));

-- A login that a user once had stays his: nobody becomes who he was.
create table former_logins (
  login text primary key,
  user_id uuid not null references users (id)
);

create table scim_users (
  user_id uuid primary key references users (id),
  connection_id uuid not null references scim_connections (id),
  external_id text,
  -- As it was pushed (RFC 7643 §4), without a password.
  resource jsonb not null,
  -- Since when the connection says that he is not active. What an administrator disabled
  -- the connection does not enable, nor the other way round.
  inactive_since timestamptz,
  version bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index scim_users_of_connection on scim_users (connection_id, external_id);

create table scim_groups (
  group_id uuid primary key references groups (id),
  connection_id uuid not null references scim_connections (id),
  external_id text,
  version bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- Null: an administrator linked a local group, and it was not pushed yet.
  taken_at timestamptz
);
create index scim_groups_of_connection on scim_groups (connection_id, external_id);
