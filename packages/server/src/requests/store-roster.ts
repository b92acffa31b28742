import { type Instant, instant } from '@postern/shared';
import type { Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { Account, ApproverSet, Delegation, Eligibility, Roster, UserId } from './model.ts';
import { setKey } from './needs.ts';

type Sql = Kysely<Database>;

export interface RosterScope {
  readonly requester_id: UserId;
  /** Since when ownership of service users matters. */
  readonly since: Instant;
  readonly server_id: string | null;
  /** The groups it is about; `group_owner` is who owns all of them. */
  readonly group_ids: readonly string[];
  readonly sets: readonly ApproverSet[];
  /** Further accounts that must be known: voters, issuers, the actor. */
  readonly others: readonly (UserId | null)[];
}

/** Who is in the sets that a request's steps ask, and every account that is named anywhere. */
export async function loadRoster(db: Sql, scope: RosterScope, now: Instant): Promise<Roster> {
  const members = new Map<string, readonly Eligibility[]>();
  for (const set of scope.sets) members.set(setKey(set), await membersOf(db, set, scope, now));
  const named = new Set<UserId>([scope.requester_id]);
  for (const other of scope.others) if (other !== null) named.add(other);
  for (const set of scope.sets) if (set.kind === 'user') named.add(set.id);
  for (const entries of members.values())
    for (const entry of entries) for (const id of [entry.user_id, ...entry.made_by]) named.add(id);
  return { accounts: await loadAccounts(db, named, scope.since), members };
}

async function membersOf(
  db: Sql,
  set: ApproverSet,
  scope: RosterScope,
  now: Instant,
): Promise<readonly Eligibility[]> {
  switch (set.kind) {
    case 'manager':
      return managerOf(db, scope.requester_id);
    case 'resource_owner':
      return scope.server_id === null ? [] : ownersOfServer(db, scope.server_id);
    case 'group':
      return membersOfGroup(db, set.id, now);
    case 'group_owner':
      return ownersOfAll(db, scope.group_ids);
    case 'user':
      return [];
  }
}

const managerOf = async (db: Sql, userId: UserId): Promise<readonly Eligibility[]> => [
  ...(await loadManagers(db, [userId])).values(),
];

/** By user; nobody has more than one. */
export async function loadManagers(
  db: Sql,
  userIds: readonly UserId[],
): Promise<ReadonlyMap<UserId, Eligibility>> {
  if (userIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('users')
    .select(['id', 'manager_id', 'manager_made_by', 'manager_made_at'])
    .where('id', 'in', userIds)
    .where('manager_id', 'is not', null)
    .execute();
  return new Map(
    rows.map((row) => [
      row.id,
      { user_id: row.manager_id!, made_by: row.manager_made_by, made_at: row.manager_made_at },
    ]),
  );
}

async function ownersOfServer(db: Sql, serverId: string): Promise<readonly Eligibility[]> {
  const rows = await db
    .selectFrom('servers as s')
    .innerJoin('projects as p', 'p.id', 's.project_id')
    .innerJoin('resource_owners as o', 'o.resource_group_id', 'p.resource_group_id')
    .select(['o.user_id', 'o.made_by', 'o.created_at'])
    .where('s.id', '=', serverId)
    .execute();
  return rows.map((r) => ({ user_id: r.user_id, made_by: r.made_by, made_at: r.created_at }));
}

async function ownersOfAll(db: Sql, ids: readonly string[]): Promise<readonly Eligibility[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('group_owners')
    .select(['group_id', 'user_id', 'made_by', 'created_at'])
    .where('group_id', 'in', ids)
    .execute();
  const owns = (userId: string) => rows.filter((row) => row.user_id === userId);
  return [...new Set(rows.map((row) => row.user_id))]
    .filter((userId) => owns(userId).length === ids.length)
    .map((user_id) => ({
      user_id,
      // Whoever made the last of them made him one who owns all.
      made_by: [...new Set(owns(user_id).flatMap((row) => row.made_by))],
      made_at: instant(Math.max(...owns(user_id).map((row) => row.created_at))),
    }));
}

async function membersOfGroup(db: Sql, id: string, now: Instant): Promise<readonly Eligibility[]> {
  const rows = await db
    .selectFrom('memberships as m')
    .innerJoin('groups as g', 'g.id', 'm.group_id')
    .select(['m.user_id', 'm.made_by', 'm.created_at'])
    .where('m.group_id', '=', id)
    .where('m.ended_at', 'is', null)
    .where('g.deleted_at', 'is', null)
    .where((e) => e.or([e('m.expires_at', 'is', null), e('m.expires_at', '>', now)]))
    .execute();
  return rows.map((r) => ({ user_id: r.user_id, made_by: r.made_by, made_at: r.created_at }));
}

/** The accounts and, through service users, everybody who owned them at any time since. */
async function loadAccounts(
  db: Sql,
  named: ReadonlySet<UserId>,
  since: Instant,
): Promise<ReadonlyMap<UserId, Account>> {
  const accounts = new Map<UserId, Account>();
  let open = [...named];
  while (open.length > 0) {
    const rows = await db
      .selectFrom('users')
      .select(['id', 'name', 'type', 'status'])
      .where('id', 'in', open)
      .execute();
    const owners = await ownersOf(db, open, since);
    for (const row of rows)
      accounts.set(row.id, {
        id: row.id,
        name: row.name,
        kind: row.type,
        active: row.status === 'ACTIVE',
        owners: row.type === 'service' ? (owners.get(row.id) ?? []) : [],
      });
    open = [...new Set([...owners.values()].flat())].filter((id) => !accounts.has(id));
  }
  return accounts;
}

async function ownersOf(
  db: Sql,
  ids: readonly UserId[],
  since: Instant,
): Promise<ReadonlyMap<UserId, UserId[]>> {
  const rows = await db
    .selectFrom('service_user_owners')
    .select(['service_user_id', 'owner_id'])
    .where('service_user_id', 'in', ids)
    .where((e) => e.or([e('ended_at', 'is', null), e('ended_at', '>=', since)]))
    .execute();
  const owners = new Map<UserId, UserId[]>();
  for (const row of rows)
    owners.set(row.service_user_id, [...(owners.get(row.service_user_id) ?? []), row.owner_id]);
  return owners;
}

/** Stand-ins that have one of the accounts at either end and are not over. */
export async function loadDelegations(
  db: Sql,
  ids: readonly UserId[],
  now: Instant,
): Promise<readonly Delegation[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('delegations')
    .selectAll()
    .where((e) => e.or([e('from_user_id', 'in', ids), e('to_user_id', 'in', ids)]))
    .where('ends_at', '>', now)
    .where('ended_at', 'is', null)
    .execute();
  return rows.map((row) => ({
    from: row.from_user_id,
    to: row.to_user_id,
    starts_at: row.starts_at,
    ends_at: row.ends_at,
    made_by: row.made_by,
    made_at: row.created_at,
  }));
}
