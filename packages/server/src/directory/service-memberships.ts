import type { Instant } from '@postern/shared';
import { type Author, refTo } from '../identity/index.ts';
import { SUCCESS } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import type { Tx } from '../platform/tx.ts';
import { refuseMemberByRequest, refuseSourceInto } from './service-privileged.ts';
import { tellTargets } from './service-push.ts';
import {
  endMemberships,
  insertMemberships,
  liveMemberships,
  type MembershipRow,
} from './store-groups.ts';

export interface Named {
  readonly id: string;
  readonly name: string;
}

export type NewMembership = {
  readonly group: Named;
  readonly user: Named;
} & (
  | { readonly source: 'direct' | 'scim' | 'rule' }
  | { readonly source: 'request'; readonly request_id: string; readonly expires_at: Instant }
);

/**
 * Makes a membership. Into a privileged group: by scim and rule only where the group names that
 * source, by a request only where its type may. A row of the same source that is there already
 * (for a request: of this request) stays as it is, with who made it. The user's revision is
 * bumped already.
 *
 * @returns whether that changed anything
 */
export async function joinGroup(tx: Tx, author: Author, wanted: NewMembership): Promise<boolean> {
  const { group, user, source } = wanted;
  if (source === 'scim' || source === 'rule') await refuseSourceInto(tx, group, source);
  if (source === 'request') await refuseMemberByRequest(tx, group, wanted.request_id);
  const request = source === 'request' ? wanted : { request_id: null, expires_at: null };
  const rows = await liveMemberships(tx.sql, tx.now, { user_id: user.id, group_id: group.id });
  if (rows.some((row) => row.source === source && row.request_id === request.request_id))
    return false;
  const id = tx.ids.uuid();
  await insertMemberships(tx.sql, [
    {
      id,
      group_id: group.id,
      user_id: user.id,
      source,
      request_id: request.request_id,
      made_by: json(author.made_by),
      created_at: tx.now,
      expires_at: request.expires_at,
    },
  ]);
  const until = request.expires_at;
  await tx.audit({
    type: 'group.user_membership.add',
    actor: author.actor,
    targets: [refTo('user', user), refTo('group', group)],
    outcome: SUCCESS,
    request_id: request.request_id,
    details: {
      source,
      ...(until === null ? {} : { expires_at: new Date(until).toISOString() }),
    },
  });
  if (source === 'request')
    await tellTargets(tx, {
      group_id: group.id,
      user_id: user.id,
      request_id: request.request_id,
    });
  await tx.signal({ kind: 'user', id: user.id });
  return true;
}

/** Ends rows of one user. His revision is bumped already. */
export async function leaveGroup(
  tx: Tx,
  author: Pick<Author, 'actor'>,
  rows: readonly MembershipRow[],
): Promise<void> {
  await endMemberships(
    tx.sql,
    rows.map((row) => row.id),
    tx.now,
  );
  for (const row of rows) {
    await tx.audit({
      type: 'group.user_membership.remove',
      actor: author.actor,
      targets: [
        refTo('user', { id: row.user_id, name: row.user_name }),
        refTo('group', { id: row.group_id, name: row.group_name }),
      ],
      outcome: SUCCESS,
      request_id: row.request_id,
      details: { source: row.source },
    });
    // Its request finds that nothing is left of it.
    if (row.request_id !== null) {
      await tx.enqueue({ name: 'request.end', payload: { request_id: row.request_id } });
      await tellTargets(tx, row);
    }
    await tx.signal({ kind: 'user', id: row.user_id });
  }
}

/** As {@link joinGroup}, for many at once, of whom none is there by a rule already. */
export async function joinByRule(
  tx: Tx,
  author: Author,
  group: Named,
  users: readonly Named[],
): Promise<void> {
  if (users.length === 0) return;
  await refuseSourceInto(tx, group, 'rule');
  const made_by = json(author.made_by);
  await insertMemberships(
    tx.sql,
    users.map((user) => ({
      ...{ id: tx.ids.uuid(), group_id: group.id, user_id: user.id, source: 'rule' as const },
      ...{ request_id: null, made_by, created_at: tx.now, expires_at: null },
    })),
  );
  await tellOfRule(tx, author, 'group.user_membership.add', group, users);
}

/** As {@link leaveGroup}, for many at once. */
export async function leaveByRule(
  tx: Tx,
  author: Pick<Author, 'actor'>,
  group: Named,
  users: readonly (Named & { readonly membership_id: string })[],
): Promise<void> {
  if (users.length === 0) return;
  await endMemberships(
    tx.sql,
    users.map((user) => user.membership_id),
    tx.now,
  );
  await tellOfRule(tx, author, 'group.user_membership.remove', group, users);
}

async function tellOfRule(
  tx: Tx,
  { actor }: Pick<Author, 'actor'>,
  type: 'group.user_membership.add' | 'group.user_membership.remove',
  group: Named,
  users: readonly Named[],
): Promise<void> {
  await tx.audit(
    ...users.map((user) => ({
      ...{ type, actor, outcome: SUCCESS, request_id: null, details: { source: 'rule' } },
      targets: [refTo('user', user), refTo('group', group)],
    })),
  );
  await tx.signal({ kind: 'group', id: group.id });
}
