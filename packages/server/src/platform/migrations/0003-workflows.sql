-- Who stands in for whom may be ended before its time; why it was made stands with it.
alter table delegations add column ended_at timestamptz;
alter table delegations add column reason text;
create index delegations_of_stand_in on delegations (to_user_id) where ended_at is null;
create index delegations_of_person on delegations (from_user_id) where ended_at is null;

-- When those whom the current step asks are reminded; null once they were.
alter table access_requests add column remind_at timestamptz;
create index requests_reminding on access_requests (remind_at) where state = 'pending';

-- The end that the person of a session was last warned of, and how long before it.
alter table sessions add column warned_until timestamptz;
alter table sessions add column warned_seconds integer;
