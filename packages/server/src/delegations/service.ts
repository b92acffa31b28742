import {
  type Delegation,
  fromRfc3339,
  type Instant,
  isLogin,
  type NewDelegation,
  type Relation,
  toRfc3339,
} from '@postern/shared';
import { type Caller, eventBy, makersOf, refTo } from '../identity/index.ts';
import { refuseUnprovenLogin } from '../mfa/index.ts';
import { sendLater } from '../notifications/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import { type PageQuery, pageOf } from '../platform/paging.ts';
import { plainTextFaults, refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { refusalOf } from './check.ts';
import {
  countOpen,
  type DelegationView,
  findDelegation,
  findPerson,
  insertDelegation,
  listOpen,
  markEnded,
  withOwners,
} from './store.ts';

/** At once in force or to come for one person. */
const MOST_OPEN = 20;

const noSuchDelegation = () =>
  new Refusal('not_found', 'There is no such stand-in, or it is not yours.', {
    next: 'See yours: sft-admin delegations list',
  });

/**
 * Lets `to` decide in the place of `from` for a while. Everybody makes one for himself; for
 * others a security_admin does, never to himself. Both of them are told.
 */
export async function createDelegation(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  input: NewDelegation,
): Promise<Delegation> {
  refuseFaults(plainTextFaults({ '/reason': input.reason }));
  const { from = caller.login, to } = input;
  if (from !== caller.login && !relations.has('any'))
    throw new Refusal('not_permitted', 'Only a security_admin names a stand-in for others.', {
      next: 'Leave out `from` to name one for yourself.',
    });
  await refuseUnprovenLogin(tx, caller, 'Naming a stand-in');
  const ids = [await personNamed(tx, from, '/from'), await personNamed(tx, to, '/to')].map(
    (person) => person.id,
  );
  // Deciding holds these rows shared: a stand-in comes before a decision, or after it.
  await bumpRevisions(tx.sql, ids);
  const wish = {
    from: await personNamed(tx, from, '/from'),
    to: await personNamed(tx, to, '/to'),
    starts_at: input.starts_at === undefined ? tx.now : instantOf(input.starts_at, '/starts_at'),
    ends_at: instantOf(input.ends_at, '/ends_at'),
    makers: await withOwners(tx.sql, makersOf(caller)),
    now: tx.now,
  };
  const fault = refusalOf(wish);
  if (fault !== undefined) refuseFaults([fault]);
  if ((await countOpen(tx.sql, wish.from.id, tx.now)) >= MOST_OPEN)
    throw new Refusal('state_conflict', `${wish.from.name} has ${MOST_OPEN} stand-ins already.`, {
      next: 'End one first: sft-admin delegations end <id>',
    });
  const id = tx.ids.uuid();
  await insertDelegation(tx.sql, {
    id,
    from_user_id: wish.from.id,
    to_user_id: wish.to.id,
    made_by: json(wish.makers),
    starts_at: wish.starts_at,
    ends_at: wish.ends_at,
    reason: input.reason ?? null,
    created_at: tx.now,
  });
  const made = (await findDelegation(tx.sql, id))!;
  await tell(tx, caller, made, 'create');
  return describe(made);
}

/** Ends it at once: what was decided through it and is not complete does not stand any more. */
export async function endDelegation(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
): Promise<void> {
  const seen = await findDelegation(tx.sql, id);
  const own = seen?.from_user_id === caller.user_id || seen?.to_user_id === caller.user_id;
  if (seen === undefined || !(own || relations.has('any'))) throw noSuchDelegation();
  await bumpRevisions(tx.sql, [seen.from_user_id, seen.to_user_id]);
  const now = (await findDelegation(tx.sql, id))!;
  if (now.ended_at !== null || now.ends_at <= tx.now) return;
  await markEnded(tx.sql, id, tx.now);
  await tell(tx, caller, now, 'end');
}

export async function listDelegations(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  query: PageQuery,
): Promise<Delegation[]> {
  const { limit, after } = pageOf(query);
  const mine = relations.has('any') ? {} : { user_id: caller.user_id };
  return (await listOpen(tx.sql, { ...mine, after, limit, now: tx.now })).map(describe);
}

async function personNamed(tx: Tx, login: string, pointer: string) {
  const found = isLogin(login) ? await findPerson(tx.sql, login) : undefined;
  if (found !== undefined && found.status !== 'DELETED') return found;
  throw new Refusal('invalid_request', `${pointer}: there is no user with this login.`, {
    errors: [{ pointer, code: 'unknown_user', detail: 'there is no user with this login' }],
    next: 'Write the login with which that person logs in.',
  });
}

function instantOf(text: string, pointer: string): Instant {
  const at = fromRfc3339(text);
  if (at !== undefined) return at;
  throw new Refusal('invalid_request', `${pointer}: there is no such time.`, {
    errors: [{ pointer, code: 'invalid_value', detail: 'there is no such time' }],
    next: 'Write it like 2026-12-01T18:00:00+01:00.',
  });
}

async function tell(
  tx: Tx,
  caller: Caller,
  view: DelegationView,
  what: 'create' | 'end',
): Promise<void> {
  const people = [
    refTo('user', { id: view.from_user_id, name: view.from_name }),
    refTo('user', { id: view.to_user_id, name: view.to_name }),
  ];
  const facts = {
    starts_at: toRfc3339(view.starts_at),
    ends_at: toRfc3339(view.ends_at),
    reason: view.reason,
  };
  await tx.audit(
    eventBy(
      caller,
      `pam.delegation.${what}`,
      [refTo('delegation', { id: view.id, name: '' }), ...people],
      facts,
    ),
  );
  await sendLater(
    tx,
    [view.from_user_id, view.to_user_id].map((to) => ({
      to,
      kind: what === 'create' ? ('delegation_made' as const) : ('delegation_ended' as const),
      request_id: null,
      body: { ...facts, from: view.from_name, to: view.to_name, by: caller.name },
    })),
  );
  for (const id of [view.from_user_id, view.to_user_id]) await tx.signal({ kind: 'user', id });
}

const describe = (row: DelegationView): Delegation => ({
  id: row.id,
  from: { id: row.from_user_id, login: row.from_login, name: row.from_name },
  to: { id: row.to_user_id, login: row.to_login, name: row.to_name },
  starts_at: toRfc3339(row.starts_at),
  ends_at: toRfc3339(row.ends_at),
  ended_at: row.ended_at === null ? null : toRfc3339(row.ended_at),
  reason: row.reason,
  created_at: toRfc3339(row.created_at),
});
