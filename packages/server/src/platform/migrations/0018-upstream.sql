-- Who somebody is at the OpenID provider. Keyed by issuer and subject alone: no name and no
-- address makes anybody somebody else.
create table oidc_identities (
  issuer text not null,
  subject text not null,
  user_id uuid not null unique references users (id),
  -- Who linked it could have linked an account of his own: what it opens counts as issued by
  -- him. Null: the user was made with it.
  issued_by uuid references users (id),
  -- What of the profile the provider masters: `name`, `email`, attributes by name.
  masters jsonb not null default '[]',
  created_at timestamptz not null,
  last_login_at timestamptz,
  primary key (issuer, subject)
);
create index oidc_identities_issuer on oidc_identities (issued_by);

-- Logins that were begun. The state and what else is secret stays with the browser: here are
-- SHA-256 of it. Each is used once.
create table oidc_starts (
  hash text primary key,
  binding text not null,
  next text,
  -- Whether the provider was to ask the person again.
  fresh boolean not null,
  -- By the clock of the world, not ours: the provider's times are compared with it.
  asked_at timestamptz not null,
  expires_at timestamptz not null
);
create index oidc_starts_over on oidc_starts (expires_at);
