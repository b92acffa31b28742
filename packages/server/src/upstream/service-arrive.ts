import { type Instant, instant, plus, seconds } from '@postern/shared';
import {
  applyGroupRules,
  changeProvisioned,
  countAdmins,
  findUser,
  lockAdministration,
  type Provisioned,
  provisionUser,
  recordUserChange,
  refuseLockout,
} from '../directory/index.ts';
import { type Author, eventFrom, refTo } from '../identity/index.ts';
import { type Arrival, startUpstreamLogin } from '../login/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions, lockShared } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import type { Said, Shown } from './claims.ts';
import { type OidcSettings, withoutSlash } from './model.ts';
import type { Start } from './service-start.ts';
import { findIdentity, findPerson, insertIdentity, updateIdentity } from './store.ts';

/** The provider's clock and ours differ by no more. */
const LEEWAY = seconds(30);

export type Why =
  | 'unknown_identity'
  | 'no_login_claim'
  | 'login_taken'
  | 'login_lookalike'
  | 'not_active'
  | 'not_fresh';

export type Arrived =
  /** `login`, `device`: values of cookies. */
  | { readonly kind: 'in'; readonly login: string; readonly device: string }
  | {
      readonly kind: 'no';
      readonly why: Why;
      readonly user?: { readonly id: string; readonly name: string };
    };

export interface Arriving {
  readonly settings: OidcSettings;
  readonly start: Start;
  readonly said: Said;
  readonly shown: Shown;
  /** The clock of the world, which the provider's times are of. */
  readonly world_now: Instant;
  readonly from: Arrival;
}

/**
 * Logs in whom the provider has named: the user who is kept with its issuer and his subject,
 * and nobody else, whatever name or address it says that he has. Who is not here yet is made a
 * user where the configuration wants that, under a login that nobody has or had.
 */
export async function arrive(tx: Tx, arriving: Arriving): Promise<Arrived> {
  const { settings, start, said, shown, world_now, from } = arriving;
  const shownAt = instant(Math.floor(shown.auth_time * 1_000));
  if (start.fresh && plus(shownAt, LEEWAY) < start.asked_at)
    return { kind: 'no', why: 'not_fresh' };
  const found = await person(tx, settings, said);
  if ('why' in found) return { kind: 'no', ...found };
  const { user, issued_by } = found;
  await updateIdentity(tx.sql, user.id, { last_login_at: tx.now });
  const auth_time = instant(tx.now - Math.max(0, world_now - shownAt));
  const { amr, mfa } = shown;
  const like = { amr, mfa, mfa_at: mfa === 'none' ? null : auth_time, auth_time };
  return { kind: 'in', ...(await startUpstreamLogin(tx, user, like, issued_by, from)) };
}

interface Found {
  readonly user: { readonly id: string; readonly name: string };
  readonly issued_by: string | null;
}
interface NotFound {
  readonly why: Why;
  readonly user?: { readonly id: string; readonly name: string };
}

async function person(tx: Tx, settings: OidcSettings, said: Said): Promise<Found | NotFound> {
  const key = { issuer: withoutSlash(settings.issuer), subject: said.subject };
  const seen = await findIdentity(tx.sql, key);
  if (seen === undefined) {
    if (!settings.jit) return { why: 'unknown_identity' };
    await lockAdministration(tx.sql);
    // Again, under the lock: of two first logins at once the second finds the user of the first.
    if ((await findIdentity(tx.sql, key)) === undefined) return await make(tx, key, said);
  }
  return await known(tx, key, said);
}

/** What a user who is mastered by the provider has from it. */
const mastersOf = ({ attributes }: Said): string[] => ['name', 'email', ...Object.keys(attributes)];

async function make(
  tx: Tx,
  key: { readonly issuer: string; readonly subject: string },
  said: Said,
): Promise<Found | NotFound> {
  const { login, email, attributes } = said;
  if (login === undefined) return { why: 'no_login_claim' };
  const author = authorOf(key.issuer);
  let user: Found['user'];
  try {
    const wish = { login, name: said.name ?? login, email, attributes };
    user = await provisionUser(tx, author, wish, 'oidc');
  } catch (error) {
    const why = error instanceof Refusal ? CLASHES[error.errors?.[0]?.code ?? ''] : undefined;
    if (why === undefined) throw error;
    return { why };
  }
  await insertIdentity(tx.sql, {
    ...key,
    user_id: user.id,
    issued_by: null,
    masters: json(mastersOf(said)),
    created_at: tx.now,
  });
  await tx.audit(eventFrom(author, 'pam.identity.link', [refTo('user', user)], key));
  await applyGroupRules(tx, author, { user_ids: [user.id] });
  return { user, issued_by: null };
}

const CLASHES: Readonly<Record<string, Why | undefined>> = {
  taken: 'login_taken',
  lookalike: 'login_lookalike',
};

/** The provider itself: nobody here stands behind what it says. */
const authorOf = (issuer: string): Author => ({
  actor: { type: 'identity_provider', id: null, name: issuer },
  made_by: [],
});

async function known(
  tx: Tx,
  key: { readonly issuer: string; readonly subject: string },
  said: Said,
): Promise<Found | NotFound> {
  const seen = await findIdentity(tx.sql, key);
  if (seen === undefined) return { why: 'unknown_identity' };
  const { user_id } = seen;
  const masters = mastersOf(said);
  const isChanged = await differs(tx, user_id, said, seen.masters);
  if (isChanged) {
    await lockAdministration(tx.sql);
    await bumpRevisions(tx.sql, [user_id]);
  } else await lockShared(tx.sql, [user_id]);
  // Again, under the lock: it may have been linked otherwise, and he be disabled, meanwhile.
  const identity = await findIdentity(tx.sql, key);
  const user = await findPerson(tx.sql, user_id);
  if (identity?.user_id !== user_id || user === undefined) return { why: 'unknown_identity' };
  if (user.status !== 'ACTIVE' || user.type !== 'human') return { why: 'not_active', user };
  if (isChanged && user.master === 'oidc') {
    await follow(tx, authorOf(key.issuer), user_id, said);
    await updateIdentity(tx.sql, user_id, { masters: json(masters) });
  }
  return { user, issued_by: identity.issued_by };
}

/** Only of whom the provider masters: what SCIM pushes, or an administrator writes, stays. */
async function differs(
  tx: Tx,
  userId: string,
  said: Said,
  masters: readonly string[],
): Promise<boolean> {
  const user = await findUser(tx.sql, userId);
  const person = await findPerson(tx.sql, userId);
  if (user === undefined || person?.master !== 'oidc') return false;
  const { name, email, attributes } = wishOf(user, said);
  return (
    name !== user.name ||
    email !== user.email ||
    Object.entries(attributes).some(([key, value]) => own(user.attributes, key) !== value) ||
    mastersOf(said).join() !== masters.join()
  );
}

const own = (of: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(of, key) ? of[key] : undefined;

/** Under the login that he has: who is called otherwise at the provider is here who he was. */
const wishOf = (
  user: { readonly login: string; readonly name: string },
  { name, email, attributes }: Said,
): Provisioned => ({ login: user.login, name: name ?? user.name, email, attributes });

async function follow(tx: Tx, author: Author, userId: string, said: Said): Promise<void> {
  const user = await findUser(tx.sql, userId);
  if (user === undefined) return;
  const admins = await countAdmins(tx.sql, tx.now);
  const changes = await changeProvisioned(tx, author, user, wishOf(user, said));
  await applyGroupRules(tx, author, { user_ids: [userId] });
  await refuseLockout(tx, admins);
  await recordUserChange(tx, author, user, changes);
}
