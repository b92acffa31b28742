/** Each names a promise, and finds the rows that break it. */
export const PROMISES = {
  'every state came from the one before, by a legal pair, the first from nothing': `
    select h.* from (
      select *, lag(to_state, 1, 'new') over (partition by request_id order by seq) as before
      from access_request_history) h
    left join access_request_transitions t using (from_state, to_state)
    where t.from_state is null or h.from_state <> h.before`,
  'a request is where its history ends': `
    select r.id, r.state from access_requests r
    where r.state is distinct from (select to_state from access_request_history h
      where h.request_id = r.id order by seq desc limit 1)`,
  'a request is decided once': `
    select request_id from access_request_history where from_state = 'pending'
    group by request_id having count(*) > 1`,
  'each change of state has its event, and each event its change': `
    select coalesce(h.request_id, e.request_id) as id, h.changes, e.events from
      (select request_id, count(*) as changes from access_request_history group by 1) h
      full join (select request_id, count(*) as events from audit_events where type in
        ('access.request.create', 'access.request.resolve', 'access.request.revoke',
         'access.request.drop', 'access.request.end', 'access.request.cancel',
         'access.request.expire') group by 1) e using (request_id)
    where h.changes is distinct from e.events`,
  'one approval for each request that was approved, and for no other': `
    select r.id, a.n from access_requests r
      join (select r2.id, (select count(*) from approvals where request_id = r2.id) as n
        from access_requests r2) a using (id)
    where a.n <> (select count(*) from access_request_history h
      where h.request_id = r.id and h.to_state = 'approved')`,
  'one vote a person and step': `
    select request_id from access_request_decisions where voided_at is null
    group by request_id, step, by_user_id having count(*) > 1`,
  'an admission has its event, and an event its admission': `
    select coalesce(s.id, e.session_id) as id, e.n from
      (select id from sessions where admitted_at is not null) s
      full join (select session_id, count(*) as n from audit_events
        where type = 'pam.user_creds.issue' group by 1) e on e.session_id = s.id
    where s.id is null or e.n is distinct from 1`,
  'no admission without an approval in force': `
    select s.id from sessions s left join approvals a on a.request_id = s.request_id
      and a.user_id = s.user_id and a.server_id = s.server_id and a.identity = s.identity
      and a.approved_at <= s.admitted_at
      and s.admitted_at <= coalesce(a.revoked_at, a.ended_at, s.admitted_at)
    where s.admitted_at is not null and a.id is null`,
  'nothing is live through a gateway that is gone': `
    select s.id from sessions s join gateways g on g.id = s.gateway_id
    where s.state = 'live' and g.state <> 'ACTIVE'`,
  'nothing is live by an approval that has ended': `
    select s.id from sessions s join approvals a using (request_id)
    where s.state = 'live' and (a.revoked_at is not null or a.ended_at is not null)`,
} as const satisfies Readonly<Record<string, string>>;

export type Promised = keyof typeof PROMISES;
