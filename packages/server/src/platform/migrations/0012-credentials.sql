-- What a person proves himself with here. Secrets are sealed in the vault's envelope for the
-- row they stand in: a dump opens nothing, and a row that is moved to another person neither.
-- issued_by, everywhere: who knew, or could have known, what it was set with, if not the person.
-- A login made with it counts as issued by him.

create table password_credentials (
  user_id uuid primary key references users (id),
  -- The argon2id text (PHC string), sealed.
  sealed jsonb not null,
  -- Of which setting: part of what is sealed for.
  version bigint not null,
  issued_by uuid references users (id),
  set_at timestamptz not null
);

create table totp_credentials (
  user_id uuid primary key references users (id),
  id uuid not null unique,
  sealed jsonb not null,
  issued_by uuid references users (id),
  -- null: shown to the person, not yet proved by him.
  confirmed_at timestamptz,
  -- The latest time step (RFC 6238, T) of which a code was taken: none up to it serves again.
  last_step bigint,
  created_at timestamptz not null
);

create table passkeys (
  id uuid primary key,
  user_id uuid not null references users (id),
  -- As the authenticator names it, base64url.
  credential_id text not null unique,
  -- COSE key, base64url.
  public_key text not null,
  counter bigint not null check (counter >= 0),
  transports jsonb not null,
  name text not null,
  -- Whether it may be on several devices of the person.
  synced boolean not null,
  issued_by uuid references users (id),
  created_at timestamptz not null,
  last_used_at timestamptz
);
create index passkeys_of_user on passkeys (user_id);

-- Challenges that were given out (WebAuthn 13.4.3), as SHA-256; each serves once.
create table passkey_challenges (
  hash text primary key,
  purpose text not null check (purpose in ('registration', 'assertion')),
  -- Whoever asked for it: a hash of his cookie, or the id of his login.
  binding text not null,
  -- null: whoever the passkey belongs to.
  user_id uuid references users (id),
  expires_at timestamptz not null
);
create index passkey_challenges_over on passkey_challenges (expires_at);
create index passkey_challenges_binding on passkey_challenges (binding);

-- One for each person: a second one ends the first.
create table invitations (
  user_id uuid primary key references users (id),
  id uuid not null unique,
  hash text not null unique,
  issued_by uuid references users (id),
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index invitations_issuer on invitations (issued_by);
