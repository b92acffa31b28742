import type { Account, Requester, Roster, UserId } from './model.ts';

/**
 * The humans an account stands for: a human for himself, a service user for its owners
 * (through service users that own service users).
 *
 * @returns undefined when it stands for nobody, or when anybody on the way is unknown.
 */
export function humansBehind(id: UserId, roster: Roster): ReadonlySet<UserId> | undefined {
  const humans = new Set<UserId>();
  const seen = new Set<UserId>();
  const open: UserId[] = [id];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const account = roster.accounts.get(next);
    if (account === undefined) return undefined;
    if (account.kind === 'human') humans.add(next);
    else open.push(...account.owners);
  }
  return humans.size > 0 ? humans : undefined;
}

/** As {@link humansBehind}, for all of `ids` together; undefined when it is for any of them. */
export function humansBehindAll(
  ids: readonly (UserId | null)[],
  roster: Roster,
): ReadonlySet<UserId> | undefined {
  const all = new Set<UserId>();
  for (const id of ids) {
    if (id === null) continue;
    const humans = humansBehind(id, roster);
    if (humans === undefined) return undefined;
    for (const human of humans) all.add(human);
  }
  return all;
}

/**
 * Everybody who is the requester: the account itself, the owners of a service user that
 * raised, whoever issued the token it was raised with, and who else is behind it. None of
 * them ever counts.
 */
export function requesterSide(requester: Requester, roster: Roster): ReadonlySet<UserId> {
  const side = new Set<UserId>([requester.id]);
  for (const id of [requester.id, requester.token_issued_by, ...requester.made_by]) {
    if (id === null) continue;
    side.add(id);
    for (const human of humansBehind(id, roster) ?? []) side.add(human);
  }
  return side;
}

export const isActive = (id: UserId, roster: Roster): boolean =>
  roster.accounts.get(id)?.active === true;

export const allActive = (ids: Iterable<UserId>, roster: Roster): boolean =>
  [...ids].every((id) => isActive(id, roster));

export const isHuman = (account: Account | undefined): boolean => account?.kind === 'human';

export const shares = (a: Iterable<UserId>, b: ReadonlySet<UserId>): boolean => {
  for (const id of a) if (b.has(id)) return true;
  return false;
};
