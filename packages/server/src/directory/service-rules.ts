import type { GroupRule, GroupRuleDocument } from '@postern/shared';
import { type Change, isGroupName, toRfc3339 } from '@postern/shared';
import { type Author, authorOf, type Caller, eventBy, makersOf, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { isPlainText } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { changeOf } from './change.ts';
import { type Condition, readCondition } from './rule-filter.ts';
import { refuseLockout } from './service-lockout.ts';
import { joinByRule, leaveByRule } from './service-memberships.ts';
import { refuseSourceInto } from './service-privileged.ts';
import { refuseField } from './service-refer.ts';
import { lockAdministration } from './store.ts';
import { countAdmins, findGroup, findGroupByName } from './store-groups.ts';
import {
  allRules,
  deleteRuleRow,
  findRule,
  findRuleByName,
  insertRule,
  listRules,
  missingByRule,
  type RuleRow,
  surplusByRule,
  updateRuleRow,
} from './store-rules.ts';

const noRule = (): Refusal =>
  new Refusal('not_found', 'There is no such group rule.', {
    next: '`sft-admin group-rules list` shows the rules.',
  });

const describe = (row: RuleRow): GroupRule => ({
  id: row.id,
  name: row.name,
  group: { id: row.group_id, name: row.group_name },
  when: row.condition,
  created_at: toRfc3339(row.created_at),
  updated_at: toRfc3339(row.updated_at),
});

export async function getGroupRule(tx: Tx, id: string): Promise<GroupRule> {
  const row = await findRule(tx.sql, id);
  if (row === undefined) throw noRule();
  return describe(row);
}

export async function listGroupRules(
  tx: Tx,
  query: PageQuery & { readonly name?: string | undefined },
): Promise<{ readonly list: GroupRule[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  if (query.name !== undefined && !isPlainText(query.name)) return { list: [] };
  const cut = cutPage(await listRules(tx.sql, { ...page, name: query.name }), page);
  return { ...cut, list: cut.list.map(describe) };
}

/**
 * Makes a rule and puts everybody into the group whom it chooses. Refused for a privileged
 * group that does not name rules as a source, and for a pushed one, whose members are not ours.
 */
export async function createGroupRule(
  tx: Tx,
  caller: Caller,
  wanted: { readonly name: string; readonly group_id: string; readonly when: string },
): Promise<GroupRule> {
  return underLock(tx, async () => {
    const group = await findGroup(tx.sql, wanted.group_id);
    if (group === undefined) refuseField('/group_id', 'unknown_group', 'there is no such group');
    if ((await findRuleByName(tx.sql, wanted.name)) !== undefined)
      throw new Refusal('state_conflict', 'There is a group rule of this name.');
    const id = await addRule(tx, caller, group, wanted);
    await applyGroupRules(tx, authorOf(caller), { group_id: group.id });
    return id;
  });
}

export async function updateGroupRule(
  tx: Tx,
  caller: Caller,
  id: string,
  when: string,
): Promise<GroupRule> {
  return underLock(tx, async () => {
    const rule = await findRule(tx.sql, id);
    if (rule === undefined) throw noRule();
    await changeRule(tx, caller, rule, when);
    await applyGroupRules(tx, authorOf(caller), { group_id: rule.group_id });
    return id;
  });
}

/** Whoever was in the group by this rule alone leaves it. */
export async function deleteGroupRule(tx: Tx, caller: Caller, id: string): Promise<void> {
  await lockAdministration(tx.sql);
  const admins = await countAdmins(tx.sql, tx.now);
  const rule = await findRule(tx.sql, id);
  if (rule === undefined) throw noRule();
  await deleteRuleRow(tx.sql, id);
  await tx.audit(eventBy(caller, 'pam.group_rule.delete', targetsOf(rule)));
  await applyGroupRules(tx, authorOf(caller), { group_id: rule.group_id });
  await refuseLockout(tx, admins);
}

async function underLock(tx: Tx, act: () => Promise<string>): Promise<GroupRule> {
  await lockAdministration(tx.sql);
  const admins = await countAdmins(tx.sql, tx.now);
  const id = await act();
  await refuseLockout(tx, admins);
  return getGroupRule(tx, id);
}

/** For `apply`: nobody joins or leaves yet; see {@link applyGroupRules}. */
export async function putGroupRule(
  tx: Tx,
  caller: Caller,
  { name, group: groupName, when }: GroupRuleDocument,
): Promise<Change> {
  const group = isGroupName(groupName) ? await findGroupByName(tx.sql, groupName) : undefined;
  if (group === undefined || group.deleted_at !== null)
    return refuseField('/group', 'unknown_group', 'there is no such group');
  const rule = await findRuleByName(tx.sql, name);
  if (rule === undefined) {
    await addRule(tx, caller, group, { name, when });
    return changeOf('GroupRule', name, true, []);
  }
  if (rule.group_id !== group.id)
    refuseField('/group', 'immutable', `is ${rule.group_name} and stays so`);
  const changed = await changeRule(tx, caller, rule, when);
  return changeOf('GroupRule', name, false, changed ? [`when: ${rule.condition} → ${when}`] : []);
}

async function addRule(
  tx: Tx,
  caller: Caller,
  group: { readonly id: string; readonly name: string; readonly source: string },
  { name, when }: { readonly name: string; readonly when: string },
): Promise<string> {
  if (!isGroupName(name)) refuseField('/name', 'rule_name', 'is not usable as the name of a rule');
  refuseUnreadable(when);
  if (group.source === 'scim')
    throw new Refusal('state_conflict', `${group.name} is pushed in: no rule says who is in it.`, {
      next: 'Make a group of your own for the rule.',
    });
  await refuseSourceInto(tx, group, 'rule');
  const id = tx.ids.uuid();
  await insertRule(tx.sql, {
    ...{ id, name, group_id: group.id, condition: when, made_by: json(makersOf(caller)) },
    ...{ created_at: tx.now, updated_at: tx.now },
  });
  const rule = { id, name, group_id: group.id, group_name: group.name };
  await tx.audit(eventBy(caller, 'pam.group_rule.create', targetsOf(rule), { when }));
  return id;
}

/** Everybody who ever wrote it stands behind it. @returns whether that changed anything */
async function changeRule(tx: Tx, caller: Caller, rule: RuleRow, when: string): Promise<boolean> {
  refuseUnreadable(when);
  if (when === rule.condition) return false;
  const made_by = json([...new Set([...rule.made_by, ...makersOf(caller)])]);
  await updateRuleRow(tx.sql, rule.id, { condition: when, made_by, updated_at: tx.now });
  const details = { when, before: rule.condition };
  await tx.audit(eventBy(caller, 'pam.group_rule.update', targetsOf(rule), details));
  return true;
}

const targetsOf = (rule: Pick<RuleRow, 'id' | 'name' | 'group_id' | 'group_name'>) => [
  refTo('group_rule', rule),
  refTo('group', { id: rule.group_id, name: rule.group_name }),
];

function refuseUnreadable(when: string): void {
  const read = readCondition(when);
  if (!read.ok) refuseField('/when', 'filter', read.why);
}

/**
 * Brings the members by rule to what the rules say: after profiles of users changed (those of
 * `user_ids`), or a rule of a group did, in the same transaction and under the administration
 * lock. Two queries for each group, however many users there are. Whoever is disabled keeps
 * his rows, and has no access by them; whoever is deleted has none.
 */
export async function applyGroupRules(
  tx: Tx,
  author: Author,
  changed: { readonly user_ids?: readonly string[]; readonly group_id?: string } = {},
): Promise<void> {
  const rules = await allRules(tx.sql, changed.group_id);
  const groups = new Map(rules.map((rule) => [rule.group_id, rule.group_name]));
  if (changed.group_id !== undefined && !groups.has(changed.group_id)) {
    // Its last rule went.
    const group = await findGroup(tx.sql, changed.group_id);
    if (group !== undefined) groups.set(group.id, group.name);
  }
  for (const [id, name] of groups) {
    const own = rules.filter((rule) => rule.group_id === id);
    const conditions = own.flatMap((rule) => conditionOf(rule));
    const choice = { group_id: id, conditions, user_ids: changed.user_ids };
    const missing = await missingByRule(tx.sql, choice);
    const surplus = await surplusByRule(tx.sql, choice);
    if (missing.length + surplus.length === 0) continue;
    await bumpRevisions(
      tx.sql,
      [...missing, ...surplus].map((user) => user.id),
    );
    const made_by = [...new Set([...own.flatMap((rule) => rule.made_by), ...author.made_by])];
    const group = { id, name };
    await joinByRule(tx, { actor: author.actor, made_by }, group, missing);
    await leaveByRule(tx, author, group, surplus);
  }
}

/** One that cannot be read chooses nobody. */
function conditionOf(rule: RuleRow): readonly Condition[] {
  const read = readCondition(rule.condition);
  return read.ok ? [read.condition] : [];
}

/** Refuses to let a connection push a group that has rules, or is privileged and does not name scim. */
export async function refusePushOf(
  tx: Tx,
  group: { readonly id: string; readonly name: string },
): Promise<void> {
  await refuseSourceInto(tx, group, 'scim');
  const names = (await allRules(tx.sql, group.id)).map((rule) => rule.name).join(', ');
  if (names === '') return;
  throw new Refusal('state_conflict', `Group rules say who is in ${group.name}: ${names}.`, {
    next: 'Remove them first: `sft-admin group-rules delete`.',
  });
}

/** @throws Refusal when the user is in the group by a rule, which a removal by hand would not outlast */
export async function refuseMemberByRule(
  tx: Tx,
  group: { readonly id: string; readonly name: string },
  user: { readonly name: string },
): Promise<never> {
  const names = (await allRules(tx.sql, group.id)).map((rule) => rule.name).join(', ');
  throw new Refusal(
    'state_conflict',
    `${user.name} is in ${group.name} by a group rule (${names}), and stays while it says so.`,
    { next: 'Change the rule (`sft-admin group-rules update`), or the profile of the user.' },
  );
}
