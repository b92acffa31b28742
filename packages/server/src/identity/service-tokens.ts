import {
  type Body,
  type Instant,
  isLogin,
  plus,
  type Relation,
  seconds,
  type Token,
  toRfc3339,
} from '@postern/shared';
import { sendLater } from '../notifications/index.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions, lockShared } from '../platform/locks.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { plainTextFaults, refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import type { Author, Caller } from './caller.ts';
import { eventBy, eventFrom, refTo } from './event-by.ts';
import { issuerOf } from './issuer.ts';
import { findUser } from './store.ts';
import {
  findTokenView,
  findUserByLogin,
  holdersOf,
  holdersOfTokensBy,
  insertToken,
  isNobodys,
  listLiveTokens,
  liveStaticTokens,
  markRevoked,
  revokeAllOf,
  revokeLogins,
  revokeThese,
  type TokenView,
} from './store-tokens.ts';
import { makeToken, TOKEN_SECRET_BYTES } from './token.ts';

/** However it is asked for: a token that lives longer needs a login. */
const MAX_SECONDS = 86_400;
/** On one page. */
const MOST_SHOWN = 100;

export interface MadeToken {
  /** The secret itself, shown this once. */
  readonly token: string;
  readonly id: string;
  readonly expires_at: Instant;
}

/**
 * A token for the caller himself or, in relation `any`, for somebody else; for a person only
 * where the service lets people have tokens without a login. Its subject is
 * told; whoever issued it stays on it for good.
 */
export async function createToken(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  body: Body<'createToken'>,
  settings: { readonly staticTokens: boolean },
): Promise<MadeToken> {
  checkWish(body);
  const subject = await subjectOf(tx, caller, relations, body.login);
  if (subject.type === 'human' && !settings.staticTokens)
    throw new Refusal('not_permitted', 'People log in here; only service users have such tokens.', {
      next: 'Log in: sft login. Or set POSTERN_STATIC_TOKENS=true on the service.',
    });
  const issued_by = await issuerFor(tx, caller, subject.id);
  const made = await addToken(tx, {
    user_id: subject.id,
    name: body.name,
    issued_by,
    expires_at: plus(tx.now, seconds(body.expires_in_seconds)),
  });
  const details = { token_name: body.name, expires_at: toRfc3339(made.expires_at) };
  await tx.audit(
    eventBy(
      caller,
      'pam.token.create',
      [refTo('token', { id: made.id, name: body.name }), refTo('user', subject)],
      details,
    ),
  );
  const message = { ...details, token_id: made.id, made_by: caller.name };
  await sendLater(tx, [{ to: subject.id, kind: 'token_made', request_id: null, body: message }]);
  return made;
}

/**
 * Whom what the caller gives the subject to log in with counts as issued by: a token, the code
 * that sets a password.
 *
 * @throws Refusal `not_permitted` where two people would stand behind it, or a job or a key does
 */
export async function issuerFor(tx: Tx, caller: Caller, subjectId: string): Promise<string | null> {
  refuseJobs(caller);
  const issuer = issuerOf({
    caller: caller.user_id,
    subject: subjectId,
    caller_token_issued_by: caller.token_issued_by,
    caller_is_nobodys: await isNobodys(tx.sql, caller.user_id),
  });
  if (issuer.ok) return issuer.issued_by;
  throw new Refusal(
    'not_permitted',
    'With a token that somebody else issued you can make tokens for yourself only.',
    { next: 'Ask a pam_admin whose token nobody else issued.' },
  );
}

/** Writes the token's row; who may have it was decided before. */
export async function addToken(
  tx: Tx,
  token: {
    readonly user_id: string;
    readonly name: string;
    readonly issued_by: string | null;
    readonly expires_at: Instant;
    readonly kind?: 'static' | 'service' | 'workload';
    /** Of a job, and of nothing else. */
    readonly binding?: string;
    readonly made_by?: readonly string[];
  },
): Promise<MadeToken> {
  const id = tx.ids.uuid();
  const made = makeToken(id, tx.ids.random(TOKEN_SECRET_BYTES));
  await insertToken(tx.sql, { id, ...token, hash: made.hash, created_at: tx.now });
  return { token: made.token, id, expires_at: token.expires_at };
}

/** What is made with it would outlive it, and be bound to nothing. */
function refuseJobs({ token_kind }: Caller): void {
  if (token_kind !== 'workload' && token_kind !== 'service') return;
  throw new Refusal(
    'not_permitted',
    'With the login of a job or a key no other login can be made.',
    {
      next: 'Log in again with the job or the key when it runs out.',
    },
  );
}

function checkWish({ name, expires_in_seconds }: Body<'createToken'>): void {
  refuseFaults(plainTextFaults({ '/name': name }));
  if (
    !Number.isInteger(expires_in_seconds) ||
    expires_in_seconds < 1 ||
    expires_in_seconds > MAX_SECONDS
  )
    throw new Refusal('invalid_request', 'A token lives at most 24 hours.');
}

async function subjectOf(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  login: string | undefined,
): Promise<{ readonly id: string; readonly name: string; readonly type: string }> {
  if (login === undefined || login === caller.login) {
    if (relations.size === 0) throw new Refusal('not_permitted', 'You may not make a token.');
    return { id: caller.user_id, name: caller.name, type: caller.type };
  }
  if (!relations.has('any'))
    throw new Refusal('not_permitted', 'Only a pam_admin makes a token for somebody else.', {
      next: 'Leave out the login to make one for yourself.',
    });
  const found = isLogin(login) ? await findUserByLogin(tx.sql, login) : undefined;
  if (found === undefined) throw new Refusal('not_found', 'There is no user with this login.');
  await lockShared(tx.sql, [found.id]);
  const user = await findUser(tx.sql, found.id);
  if (user?.status !== 'ACTIVE')
    throw new Refusal('state_conflict', `${found.login} is not active and can have no token.`, {
      next: 'Activate the user first.',
    });
  return user;
}

/** How many people have a token that lives and that no login gave them. */
export const countStaticTokens = (tx: Tx): Promise<number> => liveStaticTokens(tx.sql, tx.now);

/** Live tokens: the caller's own or, in relation `any`, everybody's. */
export async function listTokens(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  query: PageQuery,
): Promise<{ readonly list: Token[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  const user_id = relations.has('any') ? undefined : caller.user_id;
  const rows = await listLiveTokens(tx.sql, { ...page, user_id, now: tx.now });
  const cut = cutPage(rows, page);
  return { ...cut, list: cut.list.map(toToken) };
}

const toToken = (row: TokenView): Token => ({
  id: row.id,
  name: row.name,
  user: { id: row.user_id, name: row.user_name },
  issued_by: row.issued_by === null ? null : { id: row.issued_by, name: row.issuer_name ?? '' },
  created_at: toRfc3339(row.created_at),
  expires_at: toRfc3339(row.expires_at),
  revoked_at: row.revoked_at === null ? null : toRfc3339(row.revoked_at),
});

/** Ends a token at once. Somebody else's answers as one that is not there, unless in relation `any`. */
export async function revokeToken(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
): Promise<void> {
  const found = await findTokenView(tx.sql, id);
  if (found === undefined || !(relations.has('any') || found.user_id === caller.user_id))
    throw new Refusal('not_found', 'There is no such token.');
  await bumpRevisions(tx.sql, [found.user_id]);
  const token = await findTokenView(tx.sql, id);
  if (token === undefined || token.revoked_at !== null) return;
  await markRevoked(tx.sql, id, tx.now);
  await tx.audit(
    eventBy(caller, 'pam.token.revoke', [
      refTo('token', token),
      refTo('user', { id: token.user_id, name: token.user_name }),
    ]),
  );
  await tx.signal({ kind: 'user', id: token.user_id });
}

/** Ends these tokens at once: what they rested on is no more. */
export async function endTokens(
  tx: Tx,
  author: Pick<Author, 'actor'>,
  ids: readonly string[],
): Promise<void> {
  const holders = await holdersOf(tx.sql, ids);
  await bumpRevisions(tx.sql, holders);
  for (const token of await revokeThese(tx.sql, ids, tx.now))
    await tx.audit(
      eventFrom(author, 'pam.token.revoke', [
        refTo('token', token),
        refTo('user', { id: token.user_id, name: token.user_name }),
      ]),
    );
  for (const id of holders) await tx.signal({ kind: 'user', id });
}

/**
 * Ends what a user is logged in with, on every machine; tokens that were made for him go on.
 * The caller of this has bumped his revision.
 */
export async function revokeLoginsOf(
  tx: Tx,
  author: Pick<Author, 'actor'>,
  user: { readonly id: string },
): Promise<void> {
  const ended = await revokeLogins(tx.sql, user.id, tx.now);
  await tx.audit(...ended.map((token) => revoked(author, token)));
  await tx.signal({ kind: 'user', id: user.id });
}

/** What a person is logged in with, or had made for him, that opens something still. */
export const liveTokensOf = (tx: Tx, userId: string): Promise<TokenView[]> =>
  listLiveTokens(tx.sql, { user_id: userId, now: tx.now, limit: MOST_SHOWN, after: undefined });

/** One of a person's own. His revision is bumped. */
export async function endTokenOf(
  tx: Tx,
  author: Pick<Author, 'actor'>,
  user: { readonly id: string },
  id: string,
): Promise<void> {
  const token = await findTokenView(tx.sql, id);
  if (token === undefined || token.user_id !== user.id || token.revoked_at !== null) return;
  await markRevoked(tx.sql, id, tx.now);
  await tx.audit(revoked(author, token));
  await tx.signal({ kind: 'user', id: user.id });
}

const revoked = (
  author: Pick<Author, 'actor'>,
  token: Pick<TokenView, 'id' | 'name' | 'user_id' | 'user_name'>,
) =>
  eventFrom(author, 'pam.token.revoke', [
    refTo('token', token),
    refTo('user', { id: token.user_id, name: token.user_name }),
  ]);

/**
 * Ends every token of a user, and every one that he issued to others: he saw it, and may have
 * kept it. The caller of this has bumped the user's revision and signals it.
 */
export async function revokeTokensOf(
  tx: Tx,
  author: Pick<Author, 'actor'>,
  user: { readonly id: string },
): Promise<void> {
  const holders = await holdersOfTokensBy(tx.sql, user.id);
  await bumpRevisions(tx.sql, holders);
  for (const token of await revokeAllOf(tx.sql, user.id, tx.now))
    await tx.audit(revoked(author, token));
  for (const id of holders) await tx.signal({ kind: 'user', id });
}
