import { type Body, toRfc3339, type WorkloadPerson } from '@postern/shared';
import { findUserByLogin, lockAdministration } from '../directory/index.ts';
import { type Caller, eventBy, makersOf, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import type { Tx } from '../platform/tx.ts';
import { refuseJobs } from './service-jobs.ts';
import {
  findLinked,
  findPerson,
  insertPerson,
  listPeople as listRows,
  type PersonRow,
  removePerson,
} from './store-people.ts';

const shown = (row: PersonRow): WorkloadPerson => ({
  id: row.id,
  issuer: row.issuer,
  actor_id: row.actor_id,
  user: { id: row.user_id, name: row.user_name },
  created_at: toRfc3339(row.created_at),
});

/**
 * Says which person an account at a provider is. Nobody says it of himself: for what that
 * account starts, its step would then take one vote instead of two, on his word alone.
 */
export async function linkPerson(
  tx: Tx,
  caller: Caller,
  { issuer, actor_id, login }: Body<'linkWorkloadPerson'>,
): Promise<WorkloadPerson> {
  refuseJobs(caller);
  await lockAdministration(tx.sql);
  const user = await findUserByLogin(tx.sql, login);
  if (user === undefined || user.type !== 'human' || user.status !== 'ACTIVE')
    throw new Refusal('not_found', 'There is no active person with this login.', {
      next: 'See who is there: sft-admin users list',
    });
  if (makersOf(caller).includes(user.id))
    throw new Refusal('not_permitted', 'Nobody links an account to himself.', {
      next: 'Ask another pam_admin.',
    });
  const there = await findLinked(tx.sql, { issuer, actor_id });
  if (there !== undefined)
    throw new Refusal('state_conflict', `This account is linked to ${there.user_name}.`, {
      next: `End that first: sft-admin workload unlink-person ${there.id}`,
    });
  // Who decides something of his reads who he is under this lock.
  await bumpRevisions(tx.sql, [user.id]);
  const id = tx.ids.uuid();
  await insertPerson(tx.sql, {
    ...{ id, issuer, actor_id, user_id: user.id, created_at: tx.now },
    made_by: json(makersOf(caller)),
  });
  await tx.audit(
    eventBy(caller, 'pam.workload_person.link', [refTo('user', user)], { issuer, actor_id }),
  );
  return shown((await findPerson(tx.sql, id))!);
}

export async function listPeople(tx: Tx, query: PageQuery) {
  const page = pageOf(query);
  const cut = cutPage(await listRows(tx.sql, page), page);
  return { ...cut, list: cut.list.map(shown) };
}

/** For what is raised from now on; for what is raised already it counts on. */
export async function unlinkPerson(tx: Tx, caller: Caller, id: string): Promise<void> {
  refuseJobs(caller);
  await lockAdministration(tx.sql);
  const found = await findPerson(tx.sql, id);
  if (found === undefined)
    throw new Refusal('not_found', 'There is no such link.', {
      next: 'See what there is: sft-admin workload people',
    });
  await bumpRevisions(tx.sql, [found.user_id]);
  await removePerson(tx.sql, id, tx.now);
  const { issuer, actor_id } = found;
  await tx.audit(
    eventBy(
      caller,
      'pam.workload_person.unlink',
      [refTo('user', { id: found.user_id, name: found.user_name })],
      { issuer, actor_id },
    ),
  );
}
