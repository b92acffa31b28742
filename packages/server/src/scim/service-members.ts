import { joinGroup, leaveGroup, liveMemberships } from '../directory/index.ts';
import { bumpRevisions } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import type { Connection } from './connection.ts';
import { badValue } from './fault.ts';
import type { GroupChange } from './patch-group.ts';
import { isUuid } from './store-filter.ts';
import { pushedMembers } from './store-groups.ts';
import { scimUsersAmong } from './store-users.ts';

/**
 * Adds and ends pushed memberships, and no others. Reads and writes as many rows as change,
 * but for a replacement of all.
 */
export async function changeMembers(
  tx: Tx,
  connection: Connection,
  group: { readonly id: string; readonly name: string },
  { clear, add, remove }: Pick<GroupChange, 'clear' | 'add' | 'remove'>,
): Promise<void> {
  const held = clear ? await pushedMembers(tx.sql, [group.id]) : [];
  const here = new Set(held.map((row) => row.user_id));
  const added = [...add].filter((id) => !here.has(id));
  const joining = await scimUsersAmong(tx.sql, connection.id, added);
  // A user of another connection, and one who is deleted, is no user to this one.
  if (joining.length < added.length)
    throw badValue('A member is not the id of a user of this connection.');
  const leaving = clear ? [...here].filter((id) => !add.has(id)) : [...remove].filter(isUuid);
  await bumpRevisions(tx.sql, [...joining.map((user) => user.id), ...leaving]);
  for (const user of joining)
    await joinGroup(tx, connection.author, { group, user, source: 'scim' });
  for (const user_id of leaving) {
    const rows = await liveMemberships(tx.sql, tx.now, { user_id, group_id: group.id });
    await leaveGroup(
      tx,
      connection.author,
      rows.filter((row) => row.source === 'scim'),
    );
  }
}
