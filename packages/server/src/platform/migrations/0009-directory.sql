-- Who is in a group by his profile. The condition is a filter of RFC 7644, as it was written.
create table group_rules (
  id uuid primary key,
  name text not null unique,
  group_id uuid not null references groups (id),
  condition text not null,
  -- Every account behind it, of all who ever wrote it.
  made_by jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index group_rules_of_group on group_rules (group_id);
