-- Group push out: systems that are told when a membership changes by request.

create table push_targets (
  id uuid primary key,
  name text not null unique,
  -- The base of its SCIM 2.0 endpoint.
  url text not null,
  -- Its bearer token, sealed for this id and this URL: moved or redirected it does not open.
  sealed jsonb not null,
  created_by uuid not null references users (id),
  created_at timestamptz not null,
  removed_at timestamptz
);

-- Which groups it is told of.
create table push_target_groups (
  target_id uuid not null references push_targets (id),
  group_id uuid not null references groups (id),
  -- Its own id of the group, once it was found.
  remote_id text,
  primary key (target_id, group_id)
);
create index push_targets_of_group on push_target_groups (group_id);

create table push_target_users (
  target_id uuid not null references push_targets (id),
  user_id uuid not null references users (id),
  remote_id text not null,
  primary key (target_id, user_id)
);

-- One row for each (target, group, user): it says that the target may not know the truth, not
-- what to tell it. Whoever sends reads the memberships again, so that the order of jobs says
-- nothing; a change while it is being sent counts the row up, and it is sent once more.
create table pushes (
  id uuid primary key,
  target_id uuid not null references push_targets (id),
  group_id uuid not null references groups (id),
  user_id uuid not null references users (id),
  -- Of the latest change.
  request_id uuid references access_requests (id),
  change_count bigint not null default 1,
  state text not null default 'waiting' check (state in ('waiting', 'done', 'dead')),
  attempts integer not null default 0,
  next_at timestamptz not null,
  give_up_at timestamptz not null,
  claim uuid,
  claimed_until timestamptz,
  -- What the target was told last.
  told text check (told in ('add', 'remove')),
  last_error text,
  created_at timestamptz not null,
  pushed_at timestamptz,
  unique (target_id, group_id, user_id)
);
create index pushes_waiting on pushes (next_at) where state = 'waiting';
