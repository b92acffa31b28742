-- Links to a decision, sent by mail: each for one person, one request and one of its steps.
-- The link itself is not here, only what it is recognized by.
create table decision_links (
  id uuid primary key,
  hash text not null unique check (hash ~ '^[0-9a-f]{64}$'),
  request_id uuid not null references access_requests (id),
  user_id uuid not null references users (id),
  step integer not null,
  created_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > created_at),
  used_at timestamptz
);
create index decision_links_of on decision_links (request_id, user_id, id);
create index decision_links_expired on decision_links (expires_at);
