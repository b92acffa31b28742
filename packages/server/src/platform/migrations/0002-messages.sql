-- Messages leave by mail and by webhook: one row for each that is to arrive somewhere.

-- What this deployment is configured to send to; each start of the service writes it anew.
-- Rows are made for these, in the transaction of the change that they tell of.
create table message_destinations (
  -- 'mail', or the name of a webhook with 'webhook:' before it.
  name text primary key
);
insert into message_destinations (name) values ('mail');

-- A mail's recipient; of a webhook's message the one person it is about, if it is one.
alter table messages alter column to_user_id drop not null;

alter table messages
  add column webhook text,
  add column destination text not null generated always as
    (case when webhook is null then 'mail:' || to_user_id::text else 'webhook:' || webhook end) stored,
  -- Of one request and one destination the earlier one leaves first. The request is locked by
  -- whoever adds to it, so that these numbers are in the order of the commits.
  add column place bigint generated always as identity,
  add column state text not null default 'waiting'
    check (state in ('waiting', 'delivered', 'dead')),
  add column attempts integer not null default 0,
  add column next_at timestamptz,
  -- A failure after this is the last one.
  add column give_up_at timestamptz,
  -- Who is sending it, and until when nobody else does.
  add column claim uuid,
  add column claimed_until timestamptz,
  add column last_error text;

update messages set
  state = case when delivered_at is null then 'waiting' else 'delivered' end,
  next_at = created_at,
  give_up_at = created_at + interval '24 hours';

alter table messages
  alter column next_at set not null,
  alter column give_up_at set not null,
  add check ((state = 'delivered') = (delivered_at is not null));

drop index messages_waiting;
create index messages_due on messages (next_at, place) where state = 'waiting';
create index messages_in_order on messages (request_id, destination, place)
  where state = 'waiting';
create index messages_dead on messages (id) where state = 'dead';
