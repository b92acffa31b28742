import type { AccessRequest, Session } from '@postern/shared';
import type { Journal } from './journal.ts';
import type { Promised } from './promises.ts';

/**
 * Breaks each promise on purpose, in a database of the crashes: a check that does not see it
 * would not see a crash break it either. Run with triggers and foreign keys off.
 */
export const FAULTS: Readonly<Record<Promised, readonly string[]>> = {
  'every state came from the one before, by a legal pair, the first from nothing': [
    `update access_request_history set from_state = 'denied' where (request_id, seq) in
       (select request_id, seq from access_request_history where from_state = 'new' limit 1)`,
  ],
  'a request is where its history ends': [
    `update access_requests set state = 'canceled' where id in
       (select id from access_requests where state <> 'canceled' limit 1)`,
  ],
  'a request is decided once': [
    `insert into access_request_history select request_id, 1000, from_state, to_state, at, actor_id
       from access_request_history where from_state = 'pending' limit 1`,
  ],
  'each change of state has its event, and each event its change': [
    `delete from audit_events where id in
       (select id from audit_events where type = 'access.request.resolve' limit 1)`,
  ],
  'one approval for each request that was approved, and for no other': [
    'delete from approvals where id in (select id from approvals limit 1)',
  ],
  'one vote a person and step': [
    'drop index one_vote_per_step',
    `insert into access_request_decisions
       select (jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid()))).*
       from access_request_decisions d where voided_at is null limit 1`,
  ],
  'an admission has its event, and an event its admission': [
    `delete from audit_events where id in
       (select id from audit_events where type = 'pam.user_creds.issue' limit 1)`,
  ],
  'no admission without an approval in force': [
    `update approvals set revoked_at = approved_at where request_id in
       (select request_id from sessions where admitted_at is not null limit 1)`,
  ],
  'nothing is live through a gateway that is gone': [
    `update gateways set state = 'DISABLED'`,
    `update sessions set state = 'live' where id in
       (select id from sessions where admitted_at is not null limit 1)`,
  ],
  'nothing is live by an approval that has ended': [
    'update approvals set ended_at = approved_at',
    `update sessions set state = 'live' where id in
       (select id from sessions where admitted_at is not null limit 1)`,
  ],
};

const NEVER = '00000000-0000-7000-8000-000000000000';

/** Something that was acknowledged and is not there, of each kind. */
export const LOSSES: Readonly<Record<string, (journal: Journal) => unknown>> = {
  'a request': ({ requests }) => {
    const [some] = requests.values();
    if (some) requests.set(NEVER, { ...some, id: NEVER });
  },
  'a change of a request': ({ requests }) => {
    const [some] = requests.values();
    if (some) requests.set(some.id, { ...some, etag: '1000' } as AccessRequest);
  },
  'a session': ({ opened }) => opened.set(NEVER, {} as Session),
  'the record of a session that ran': ({ ran }) => ran.add(NEVER),
  'an event': ({ events }) => events.add(NEVER),
};
