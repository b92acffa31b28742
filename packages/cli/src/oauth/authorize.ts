import { generateProof, type KeyPair } from 'dpop';
import type { Authorize } from '../authorize.ts';
import type { World } from '../context.ts';
import {
  type Login,
  loginPath,
  type OauthTokens,
  openLogin,
  readLogin,
  writeLogin,
} from '../login-store.ts';
import { notLoggedIn, type Settings } from '../settings.ts';
import { pairOf } from './key.ts';
import { isOver } from './tokens.ts';

/**
 * Requests in the name of a login: each with a proof of its key (RFC 9449), and with a fresh
 * access token where the one that is kept is over.
 */
export function authorizeWith(world: World, settings: Settings, kept: OauthTokens): Authorize {
  let tokens = Promise.resolve(kept);
  let pair: Promise<KeyPair> | undefined;
  const current = async (): Promise<OauthTokens> => {
    const asked = tokens;
    const known = await asked;
    if (!isOver(known, world.clock.now())) return known;
    // Whoever of several calls at once is first renews; the others wait for what it gets.
    if (asked === tokens) tokens = renewed(world, settings, known);
    return await tokens;
  };
  return async ({ method, url }) => {
    const { access_token, key } = await current();
    pair ??= pairOf(key);
    const proof = await generateProof(await pair, url.href, method, undefined, access_token);
    return { authorization: `DPoP ${access_token}`, dpop: proof };
  };
}

/**
 * One at a time on this machine: a refresh token that is used twice ends the whole login. So
 * whoever gets the lock first reads what is kept by then, and renews only if nobody has.
 */
async function renewed(world: World, settings: Settings, known: OauthTokens): Promise<OauthTokens> {
  const release = await world.files.lock(`${loginPath(world)}.lock`, world.interrupt);
  try {
    const stored = await readLogin(world);
    if (stored === undefined) throw notLoggedIn(settings);
    // Nobody is asked for anything while others wait for the lock.
    const login = await openLogin(world, stored, 'quiet');
    // Another login than the one that this command began with: it is not continued as somebody else.
    if (!('oauth' in login) || login.oauth.key.x !== known.key.x) throw notLoggedIn(settings);
    if (!isOver(login.oauth, world.clock.now())) return login.oauth;
    const { refresh } = await import('./refresh.ts');
    const oauth = await refresh(world, settings, login.oauth);
    const renewed = { ...login, oauth };
    // First as it was kept before: the old refresh token is used up, and only this file has the new.
    await writeLogin(world, renewed);
    if (login.kept === undefined) await settle(world, renewed);
    return oauth;
  } finally {
    await release();
  }
}

/** A login from before there was a choice goes to the keychain now, if that asks nobody anything. */
async function settle(world: World, login: Login): Promise<void> {
  const { freshKey } = await import('../login-key.ts');
  await writeLogin(world, { ...login, kept: await freshKey(world, 'quiet') });
}
