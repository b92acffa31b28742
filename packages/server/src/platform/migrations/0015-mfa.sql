-- MFA: what a login has proved beside its beginning, and the questions that were put to it.
-- A proof belongs to one login (a row of tokens) and opens nothing once that is over.

create table mfa_challenges (
  id uuid primary key,
  user_id uuid not null references users (id),
  token_id uuid not null references tokens (id),
  -- Of the secret in the page's address, SHA-256, hex.
  hash text not null unique check (hash ~ '^[0-9a-f]{64}$'),
  acr text not null check (acr in ('any', 'phr')),
  -- What the person was told that it is for: a connection, or a decision.
  server_id uuid references servers (id),
  server_identity_revision integer,
  identity text,
  credential_type text check (credential_type in ('vaulted_account', 'principal_account')),
  account_id uuid references accounts (id),
  admin_level boolean,
  privilege text,
  request_id uuid references access_requests (id),
  state text not null default 'pending' check (state in ('pending', 'approved', 'failed')),
  wrong_codes integer not null default 0 check (wrong_codes >= 0),
  client_address text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > created_at),
  constraint mfa_challenges_for_one_thing check (
    (request_id is null and server_id is not null and server_identity_revision is not null
      and identity is not null and credential_type is not null and admin_level is not null
      and privilege is not null and (account_id is null) = (credential_type <> 'vaulted_account'))
    or (request_id is not null and server_id is null and account_id is null))
);
create index mfa_challenges_of_user on mfa_challenges (user_id, created_at);
create index mfa_challenges_expired on mfa_challenges (expires_at);

create table mfa_proofs (
  id uuid primary key,
  user_id uuid not null references users (id),
  token_id uuid not null references tokens (id),
  -- phr: phishing-resistant, which is a passkey and nothing else.
  acr text not null check (acr in ('any', 'phr')),
  at timestamptz not null,
  -- null: given by logging in.
  challenge_id uuid unique references mfa_challenges (id),
  -- The one session that it opened, where MFA is asked for every connection.
  session_id uuid unique references sessions (id),
  constraint mfa_proofs_used_as_asked check (session_id is null or challenge_id is not null)
);
create index mfa_proofs_of_login on mfa_proofs (token_id, at);
create index mfa_proofs_of_user on mfa_proofs (user_id, at);
