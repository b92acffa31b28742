-- What every feature writes to. The Merkle log over audit_events comes later.
create table audit_events (
  id             uuid primary key,
  at             timestamptz not null,
  type           text not null,
  actor          jsonb not null,
  targets        jsonb not null,
  outcome        jsonb not null,
  request_id     uuid,
  rule_ids       jsonb not null default '[]',
  session_id     uuid,
  client_address text,
  details        jsonb not null default '{}',
  -- Null until the appender numbers it: an identity column would leave gaps after a
  -- rollback, and gaps cannot prove that nothing was removed.
  seq            bigint unique check (seq > 0)
);

create index audit_events_at on audit_events (at);
create index audit_events_pending on audit_events (at, id) where seq is null;
create index audit_events_request on audit_events (request_id) where request_id is not null;
create index audit_events_session on audit_events (session_id) where session_id is not null;

-- An event, once written, is only ever numbered, and that once.
create function audit_events_append_only() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.seq is null and new.seq is not null
     and to_jsonb(new) - 'seq' = to_jsonb(old) - 'seq' then
    return new;
  end if;
  raise exception 'audit_events is append-only';
end
$$;

create trigger audit_events_append_only before update or delete on audit_events
  for each row execute function audit_events_append_only();
create trigger audit_events_no_truncate before truncate on audit_events
  for each statement execute function audit_events_append_only();
