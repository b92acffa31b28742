-- What the authorization server remembers, one row each: codes, access and refresh tokens,
-- grants, interactions, replayed proofs. No row holds what its holder presents: an id or a
-- token is kept as its hash, a user code as a hash under a key of the vault, because eight
-- letters can be guessed from a plain hash. A grant is a login: its id is that of its row of
-- tokens, and everything issued under it names that row and ends with it.
create table oauth_models (
  hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
  kind text not null check (kind in ('Session', 'Interaction', 'AuthorizationCode',
    'DeviceCode', 'Grant', 'AccessToken', 'RefreshToken', 'ReplayDetection')),
  payload jsonb not null,
  user_code_hash text unique,
  user_id uuid references users (id),
  token_id uuid references tokens (id),
  -- RFC 7638 thumbprint of the key that must prove itself beside the token.
  jkt text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  consumed_at timestamptz,
  constraint oauth_models_bound check
    (kind not in ('AccessToken', 'RefreshToken') or (jkt is not null and token_id is not null)),
  constraint oauth_models_user_code check (user_code_hash is null or kind = 'DeviceCode')
);
create index oauth_models_token on oauth_models (token_id) where token_id is not null;
create index oauth_models_expires on oauth_models (expires_at);

-- Proofs of possession that were used (RFC 9449, 11.1): one may not come twice while its time
-- would still let it.
create table dpop_proofs (
  hash text primary key,
  expires_at timestamptz not null
);
create index dpop_proofs_expires on dpop_proofs (expires_at);
