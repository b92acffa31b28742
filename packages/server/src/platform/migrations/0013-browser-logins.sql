-- Who is logged in with a browser. The cookie's secret is kept as its SHA-256, hex.
create table browser_logins (
  id uuid primary key,
  -- null once it is over.
  hash text unique,
  user_id uuid not null references users (id),
  issued_by uuid references users (id),
  -- RFC 8176.
  amr jsonb not null,
  mfa text not null check (mfa in ('none', 'any', 'phr')),
  mfa_at timestamptz,
  authenticated_at timestamptz not null,
  -- When the person proved himself last, with the strongest that he has.
  proved_at timestamptz not null,
  last_seen_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  -- Made over https: its cookie is the __Host- one and no other.
  secure boolean not null,
  client_address text not null,
  user_agent text not null
);
create index browser_logins_of_user on browser_logins (user_id) where ended_at is null;
create index browser_logins_issuer on browser_logins (issued_by) where ended_at is null;

-- Whose password was right, and who has yet to show a second factor.
create table pending_logins (
  hash text primary key,
  user_id uuid not null references users (id),
  -- Of the password: another one set meanwhile ends it.
  password_version bigint not null,
  issued_by uuid references users (id),
  expires_at timestamptz not null
);
create index pending_logins_of_user on pending_logins (user_id);
create index pending_logins_over on pending_logins (expires_at);

-- Attempts, counted before they are tried. The key is a hash: of an account and a client, of an
-- account, of a client.
create table login_attempts (
  key text primary key,
  count bigint not null,
  next_at timestamptz not null,
  forget_at timestamptz not null
);
create index login_attempts_over on login_attempts (forget_at);

-- From where a person has logged in before: a hash of a device's cookie, or of an address.
create table known_clients (
  user_id uuid not null references users (id),
  client text not null,
  last_seen_at timestamptz not null,
  primary key (user_id, client)
);
create index known_clients_over on known_clients (last_seen_at);
