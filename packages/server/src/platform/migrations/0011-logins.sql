-- A row of tokens is what somebody logged in with. `static`: a text shown once, of which the
-- hash is kept. `login`: a person at the authorization server; `service`: a service user with
-- his key; `workload`: a job with its provider's token. What those send with a request is
-- another, shorter text that names the row, so a row without a hash opens nothing by itself.
alter table tokens
  add column kind text not null default 'static'
    constraint tokens_kind check (kind in ('static', 'login', 'service', 'workload')),
  alter column hash drop not null,
  add constraint tokens_static_hash check (kind <> 'static' or hash is not null);
