import { type Answer, type Body, type PushTarget, toRfc3339 } from '@postern/shared';
import { findGroupByName, findTeam, lockAdministration, tellTargets } from '../directory/index.ts';
import { type Caller, eventBy, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { plainTextFaults, refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { type Keyring, Secret, seal } from '../vault/index.ts';
import { type PushSettings, readUrl } from './model.ts';
import { sealedFor } from './seal.ts';
import {
  addTargetGroup,
  dropTargetGroup,
  findTarget,
  groupsOfTargets,
  insertTarget,
  isNameTaken,
  listTargets as listRows,
  removeTarget as removeRow,
  requestedIn,
  type TargetRow,
} from './store.ts';

const noTarget = (): Refusal =>
  new Refusal('not_found', 'There is no such target.', {
    next: 'See what there is: sft-admin scim targets',
  });

async function shown(tx: Tx, rows: readonly TargetRow[]): Promise<PushTarget[]> {
  const ids = rows.map((row) => row.id);
  const groups = Map.groupBy(await groupsOfTargets(tx.sql, ids), (row) => row.target_id);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    url: row.url,
    groups: (groups.get(row.id) ?? []).map(({ id, name }) => ({ id, name })),
    created_by: { id: row.created_by, name: row.creator_name },
    created_at: toRfc3339(row.created_at),
  }));
}

export async function createTarget(
  tx: Tx,
  caller: Caller,
  world: { readonly keyring: Keyring; readonly settings: PushSettings },
  { name, url: text, token, groups = [] }: Body<'createPushTarget'>,
): Promise<PushTarget> {
  refuseFaults(plainTextFaults({ '/name': name }));
  const url = readUrl(text, world.settings);
  if (!url.ok) refuseFaults([{ pointer: '/url', code: 'url', detail: url.why }]);
  if (!/^[\x21-\x7e]+$/.test(token))
    refuseFaults([
      { pointer: '/token', code: 'token', detail: 'must be visible ASCII characters' },
    ]);
  await lockAdministration(tx.sql);
  const team = await findTeam(tx.sql);
  if (!url.ok || team === undefined) throw new Error('checked before');
  if (await isNameTaken(tx.sql, name))
    throw new Refusal('state_conflict', 'A target of this name is, or was, here.', {
      next: 'Give it another name.',
    });
  const target = { id: tx.ids.uuid(), name };
  const context = sealedFor(team.id, { id: target.id, url: url.url });
  using secret = Secret.of(token);
  await insertTarget(tx.sql, {
    ...target,
    url: url.url,
    sealed: json(seal(world.keyring, context, secret, tx.ids.random)),
    created_by: caller.user_id,
    created_at: tx.now,
  });
  await tx.audit(
    eventBy(caller, 'pam.push_target.create', [refTo('push_target', target)], { url: url.url }),
  );
  return await setGroups(tx, caller, target.id, groups);
}

export async function listTargets(
  tx: Tx,
  query: PageQuery,
): Promise<Answer<'listPushTargets'> & { readonly next_cursor?: string }> {
  const page = pageOf(query);
  const cut = cutPage(await listRows(tx.sql, page), page);
  return { ...cut, list: await shown(tx, cut.list) };
}

/** Of a group that is new to it, it is told who is in it by request. */
export async function setGroups(
  tx: Tx,
  caller: Caller,
  id: string,
  names: readonly string[],
): Promise<PushTarget> {
  await lockAdministration(tx.sql);
  const target = await findTarget(tx.sql, id);
  if (target === undefined) throw noTarget();
  const held = await groupsOfTargets(tx.sql, [id]);
  const changes: string[] = [];
  for (const [index, name] of names.entries()) {
    if (held.some((group) => group.name === name)) continue;
    const group = await findGroupByName(tx.sql, name);
    if (group === undefined || group.deleted_at !== null)
      throw new Refusal('invalid_request', `/groups/${index}: there is no such group.`, {
        errors: [
          { pointer: `/groups/${index}`, code: 'unknown_group', detail: 'there is no such group' },
        ],
      });
    await addTargetGroup(tx.sql, id, group.id);
    for (const change of await requestedIn(tx.sql, group.id, tx.now))
      await tellTargets(tx, change, id);
    changes.push(`group added: ${name}`);
  }
  for (const group of held.filter(({ name }) => !names.includes(name))) {
    await dropTargetGroup(tx.sql, id, group.id);
    changes.push(`group removed: ${group.name}`);
  }
  if (changes.length > 0)
    await tx.audit(
      eventBy(caller, 'pam.push_target.update', [refTo('push_target', target)], { changes }),
    );
  return (await shown(tx, [target]))[0] as PushTarget;
}

/** What waits for it is dead; its token is gone. */
export async function removeTarget(tx: Tx, caller: Caller, id: string): Promise<void> {
  await lockAdministration(tx.sql);
  const target = await findTarget(tx.sql, id);
  if (target === undefined) throw noTarget();
  await removeRow(tx.sql, id, tx.now);
  await tx.audit(eventBy(caller, 'pam.push_target.remove', [refTo('push_target', target)]));
}
