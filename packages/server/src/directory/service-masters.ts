import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { masterOf, providerOf, pusherOf } from './store-masters.ts';

/** What a connection masters of every user it made; anything else where it is authoritative. */
const ALWAYS: readonly string[] = ['name', 'email'];

/**
 * Each attribute has one master. What a connection masters is changed where the connection
 * takes it from, and nowhere else.
 *
 * @param fields what is about to change: `name`, `email`, `manager`, or attributes by name
 * @throws Refusal `state_conflict`, saying which connection it is
 */
export async function refuseMastered(
  tx: Tx,
  user: { readonly id: string; readonly name: string },
  fields: readonly string[],
): Promise<void> {
  if (fields.length === 0) return;
  const master = await masterOf(tx.sql, user.id);
  if (master === undefined) return await refuseProvided(tx, user, fields);
  const theirs = fields.filter((f) => ALWAYS.includes(f) || master.authoritative.includes(f));
  if (theirs.length === 0) return;
  throw new Refusal(
    'state_conflict',
    `The SCIM connection ${master.name} masters this user: ${theirs.join(', ')} cannot be changed here.`,
    { next: `Change it in the identity provider behind ${master.name}.` },
  );
}

/** As {@link refuseMastered}, of whom an OpenID provider masters. */
async function refuseProvided(
  tx: Tx,
  user: { readonly id: string },
  fields: readonly string[],
): Promise<void> {
  const provider = await providerOf(tx.sql, user.id);
  const theirs = fields.filter((field) => provider?.masters.includes(field));
  if (provider === undefined || theirs.length === 0) return;
  throw new Refusal(
    'state_conflict',
    `The identity provider ${provider.issuer} masters this user: ${theirs.join(', ')} cannot be changed here.`,
    { next: 'Change it there: it is taken over when the user logs in next.' },
  );
}

/** Whom the identity provider says to be inactive an administrator does not enable. */
export async function refuseInactive(
  tx: Tx,
  user: { readonly id: string; readonly name: string },
): Promise<void> {
  const master = await masterOf(tx.sql, user.id);
  if (master === undefined || master.inactive_since === null) return;
  throw new Refusal(
    'state_conflict',
    `The SCIM connection ${master.name} says that ${user.name} is not active.`,
    { next: `Activate the user in the identity provider behind ${master.name}.` },
  );
}

/**
 * Who is in a pushed group is said by whoever pushes it; here only requests add somebody.
 * @throws Refusal `state_conflict`, saying which connection it is
 */
export async function refusePushed(
  tx: Tx,
  group: { readonly id: string; readonly name: string; readonly source: string },
): Promise<void> {
  if (group.source !== 'scim') return;
  const connection = await pusherOf(tx.sql, group.id);
  if (connection === undefined) return;
  throw new Refusal(
    'state_conflict',
    `The SCIM connection ${connection.name} pushes the group ${group.name}: it is read-only here, except for access requests.`,
    { next: `Change its members in the identity provider behind ${connection.name}.` },
  );
}
