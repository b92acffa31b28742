-- How often the owners of a group confirm its members.
create table review_terms (
  group_id uuid primary key references groups (id),
  every_seconds bigint not null check (every_seconds > 0),
  answer_within_seconds bigint not null
    check (answer_within_seconds > 0 and answer_within_seconds < every_seconds),
  unanswered text not null check (unanswered in ('keep', 'remove')),
  -- The next review opens `every` after this: when the terms were first set, or the last one opened.
  counted_since timestamptz not null
);

-- A review keeps the terms under which it was opened.
create table reviews (
  id uuid primary key,
  group_id uuid not null references groups (id),
  state text not null check (state in ('open', 'done', 'canceled')),
  unanswered text not null check (unanswered in ('keep', 'remove')),
  opened_at timestamptz not null,
  due_at timestamptz not null,
  closed_at timestamptz,
  check ((state = 'open') = (closed_at is null))
);
create unique index reviews_one_open on reviews (group_id) where state = 'open';

create table review_members (
  review_id uuid not null references reviews (id),
  user_id uuid not null references users (id),
  outcome text check (outcome in ('kept', 'removed', 'left')),
  -- null with an outcome: nobody answered.
  answered_by uuid references users (id),
  answered_at timestamptz,
  comment text,
  reason text,
  primary key (review_id, user_id),
  check ((outcome is null) = (answered_at is null)),
  check (answered_by is distinct from user_id)
);
