-- Where members of a privileged group may come from besides an admin: named by a pam_admin.
-- Requests are no row here: there the request type says `grants_role`.
create table group_sources (
  group_id uuid not null references groups (id),
  source text not null check (source in ('scim', 'rule')),
  -- Every account behind the change: the actor, and who issued his token.
  made_by jsonb not null,
  created_at timestamptz not null,
  primary key (group_id, source)
);

-- Names that nobody can tell apart are one name: accents, upper and lower case, and what
-- looks alike fall together. Of group names only what the service lets through is thought of
-- (isGroupName: the Latin script).
create function name_skeleton(name text) returns text
  language plpgsql immutable strict parallel safe as $$
declare
  s text := regexp_replace(normalize(name, NFKD), '[\u0300-\u036f]', '', 'g');
begin
  -- Ø ø Đ đ Ł ł Ħ ħ ı Ð ð Þ þ; then ß Æ æ Œ œ.
  s := translate(s,
    U&'\00D8\00F8\0110\0111\0141\0142\0126\0127\0131\00D0\00F0\00DE\00FE', 'ooddllhhiddpp');
  s := replace(s, U&'\00DF', 'ss');
  s := replace(replace(s, U&'\00C6', 'ae'), U&'\00E6', 'ae');
  s := replace(replace(s, U&'\0152', 'oe'), U&'\0153', 'oe');
  s := regexp_replace(s, '[\u2010-\u2015]', '-', 'g');
  s := regexp_replace(s, '[\u2018-\u201b`]', '''', 'g');
  s := regexp_replace(s, '[\u201c-\u201f]', '"', 'g');
  -- An upper-case I, a lower-case l, a 1 and a bar are one stroke.
  s := translate(lower(s), '01i|', 'olll');
  return replace(replace(s, 'rn', 'm'), 'vv', 'w');
end $$;
-- A login is lower-case ASCII: there an i looks like no other letter.
create function login_skeleton(login text) returns text
  language sql immutable strict parallel safe as $$
  select replace(replace(translate(login, '01', 'ol'), 'rn', 'm'), 'vv', 'w')
$$;

alter table groups add column skeleton text;
alter table users add column skeleton text;
-- Of names there already that look alike the oldest keeps it: nobody takes one more.
update groups g set skeleton = o.skeleton
  from (select distinct on (name_skeleton(name)) id, name_skeleton(name) as skeleton
    from groups order by name_skeleton(name), id) o
  where o.id = g.id;
update users u set skeleton = o.skeleton
  from (select distinct on (login_skeleton(login)) id, login_skeleton(login) as skeleton
    from users order by login_skeleton(login), id) o
  where o.id = u.id;
create unique index groups_skeleton on groups (skeleton);
create unique index users_skeleton on users (skeleton);

create function keep_group_skeleton() returns trigger language plpgsql as $$
begin
  new.skeleton := name_skeleton(new.name);
  return new;
end $$;
create trigger groups_keep_skeleton before insert or update of name on groups
  for each row execute function keep_group_skeleton();
create function keep_user_skeleton() returns trigger language plpgsql as $$
begin
  new.skeleton := login_skeleton(new.login);
  return new;
end $$;
create trigger users_keep_skeleton before insert or update of login on users
  for each row execute function keep_user_skeleton();
