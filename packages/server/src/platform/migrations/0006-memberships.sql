-- Group memberships by request.

-- Which groups a request for membership asks for: their ids, sorted, with commas between.
alter table access_requests add column group_ids text;
create unique index one_pending_membership_request on access_requests
  (requester_id, request_type_id, group_ids)
  where state = 'pending' and purpose = 'group_membership';
alter table access_requests add constraint target_of_purpose check (
  case purpose when 'server_access' then server_id is not null and group_ids is null
    else group_ids is not null and server_id is null end);

alter table memberships add constraint membership_of_request
  foreign key (request_id) references access_requests (id);
-- A membership by request always has an end.
alter table memberships add constraint requested_membership_ends
  check (request_id is null or expires_at is not null);
create index memberships_of_request on memberships (request_id) where ended_at is null;
