import { plus, seconds } from '@postern/shared';
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import {
  CHALLENGE_BYTES,
  clientDataOf,
  hashOfChallenge,
  isOwnAttestation,
} from './passkey-answer.ts';
import type { RelyingParty } from './relying-party.ts';
import { factorEvent, tellAdded } from './service-totp.ts';
import { findUser } from './store.ts';
import {
  dropChallenges,
  dropOverChallenges,
  dropPasskey,
  insertChallenge,
  insertPasskey,
  lockPasskey,
  markUsed,
  passkeysOf,
  takeChallenge,
} from './store-passkeys.ts';

const CHALLENGE_LIFE = seconds(5 * 60);
const REMOVED = 50;
const MOST_PASSKEYS = 20;
/** COSE: EdDSA, ES256, RS256, what every authenticator has one of. */
const ALGORITHMS = [-8, -7, -257];

/** Who asks: what he is given serves whoever comes with the same, once. */
export interface Asking {
  /** A hash of his cookie or the id of his login; never a secret itself. */
  readonly binding: string;
}

/** For the person himself, with a fresh proof. */
export async function passkeyRegistrationOptions(
  tx: Tx,
  rp: RelyingParty,
  { binding, user_id }: Asking & { readonly user_id: string },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const user = await findUser(tx.sql, user_id);
  if (user === undefined) throw new Error('whoever registers is a user');
  const held = await passkeysOf(tx.sql, user_id);
  if (held.length >= MOST_PASSKEYS)
    throw new Refusal('state_conflict', `You have ${MOST_PASSKEYS} passkeys.`, {
      next: 'Remove one first.',
    });
  return await generateRegistrationOptions({
    rpName: 'Postern',
    rpID: rp.id,
    // No name and no address: an authenticator shows it to whoever holds it (WebAuthn, 14.6.1).
    userID: Uint8Array.from(Buffer.from(user_id.replaceAll('-', ''), 'hex')),
    userName: user.login,
    userDisplayName: user.name,
    challenge: await giveChallenge(tx, { purpose: 'registration', binding, user_id }),
    timeout: CHALLENGE_LIFE * 1000,
    attestationType: 'none',
    excludeCredentials: held.map(({ credential_id: id, transports }) => ({ id, transports })),
    supportedAlgorithmIDs: ALGORITHMS,
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
}

/** @param user_id undefined: whoever has a passkey here. */
export async function passkeyAssertionOptions(
  tx: Tx,
  rp: RelyingParty,
  { binding, user_id }: Asking & { readonly user_id?: string | undefined },
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const held = user_id === undefined ? [] : await passkeysOf(tx.sql, user_id);
  return await generateAuthenticationOptions({
    rpID: rp.id,
    challenge: await giveChallenge(tx, {
      purpose: 'assertion',
      binding,
      user_id: user_id ?? null,
    }),
    timeout: CHALLENGE_LIFE * 1000,
    userVerification: 'required',
    allowCredentials: held.map(({ credential_id: id, transports }) => ({ id, transports })),
  });
}

/** The latest of whoever asks; the ones before it are over. */
async function giveChallenge(
  tx: Tx,
  to: {
    readonly purpose: 'registration' | 'assertion';
    readonly binding: string;
    readonly user_id: string | null;
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = tx.ids.random(CHALLENGE_BYTES);
  const hash = hashOfChallenge(bytes.toString('base64url'));
  await dropChallenges(tx.sql, to.binding);
  await dropOverChallenges(tx.sql, tx.now, REMOVED);
  await insertChallenge(tx.sql, { ...to, hash, expires_at: plus(tx.now, CHALLENGE_LIFE) });
  return Uint8Array.from(bytes);
}

/** Why an answer of an authenticator is not taken: for the log; who sent it is told one thing. */
export type PasskeyFault = 'challenge' | 'unknown' | 'user' | 'not_verified' | 'taken';
export type PasskeyResult<T> =
  | ({ readonly ok: true } & T)
  | { readonly ok: false; readonly reason: PasskeyFault };

const fault = (reason: PasskeyFault): { readonly ok: false; readonly reason: PasskeyFault } => ({
  ok: false,
  reason,
});

/**
 * Keeps the passkey that an authenticator made. The challenge is used up whatever comes of it,
 * so the transaction must commit also where this answers a fault. The revision is bumped.
 */
export async function passkeyRegistrationFinish(
  tx: Tx,
  rp: RelyingParty,
  about: Asking & {
    readonly user: { readonly user_id: string; readonly name: string };
    readonly issued_by: string | null;
    readonly name: string;
    readonly response: RegistrationResponseJSON;
  },
): Promise<PasskeyResult<{ readonly id: string; readonly synced: boolean }>> {
  const { binding, user, issued_by, name, response } = about;
  const challenge = await takenChallenge(tx, response.response.clientDataJSON, {
    purpose: 'registration',
    binding,
  });
  if (challenge === undefined) return fault('challenge');
  if (challenge.user_id !== user.user_id) return fault('user');
  if (!isOwnAttestation(response.response.attestationObject)) return fault('not_verified');
  const verified = await orUndefined(() =>
    verifyRegistrationResponse({
      response,
      expectedChallenge: challenge.text,
      expectedOrigin: rp.origin,
      expectedRPID: rp.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    }),
  );
  if (!verified?.verified) return fault('not_verified');
  const { credential, credentialDeviceType } = verified.registrationInfo;
  const id = tx.ids.uuid();
  const synced = credentialDeviceType === 'multiDevice';
  const made = await insertPasskey(tx.sql, {
    id,
    user_id: user.user_id,
    credential_id: credential.id,
    public_key: Buffer.from(credential.publicKey).toString('base64url'),
    counter: credential.counter,
    transports: json(transportsOf(credential.transports)),
    name,
    synced,
    issued_by,
    created_at: tx.now,
  });
  if (!made) return fault('taken');
  await tx.audit(
    factorEvent(user, 'user.mfa.factor.activate', 'passkey', { passkey_id: id, passkey: name }),
  );
  await tellAdded(tx, user, 'passkey');
  return { ok: true, id, synced };
}

export interface Asserted {
  readonly user_id: string;
  readonly passkey_id: string;
  /** Who could have made it, besides the person. */
  readonly issued_by: string | null;
  /** Whether it may be on several of his devices. */
  readonly synced: boolean;
}

/**
 * Whose passkey has signed our challenge, with its person verified by it (PIN, finger). The
 * counter of an authenticator that counts must have grown (WebAuthn, 6.1.1): else there is a
 * copy. The challenge is used up whatever comes of it, so the transaction must commit.
 */
export async function passkeyAssertionFinish(
  tx: Tx,
  rp: RelyingParty,
  { binding, response }: Asking & { readonly response: AuthenticationResponseJSON },
): Promise<PasskeyResult<Asserted>> {
  const challenge = await takenChallenge(tx, response.response.clientDataJSON, {
    purpose: 'assertion',
    binding,
  });
  if (challenge === undefined) return fault('challenge');
  const passkey = await lockPasskey(tx.sql, response.id);
  if (passkey === undefined) return fault('unknown');
  if (challenge.user_id !== null && challenge.user_id !== passkey.user_id) return fault('user');
  const { userHandle } = response.response;
  if (userHandle !== undefined && userHandle !== handleOf(passkey.user_id)) return fault('user');
  // Without an account named before, the authenticator has to name it (WebAuthn, 7.2, step 6).
  if (challenge.user_id === null && userHandle === undefined) return fault('user');
  const verified = await orUndefined(() =>
    verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge.text,
      expectedOrigin: rp.origin,
      expectedRPID: rp.id,
      requireUserVerification: true,
      credential: {
        id: passkey.credential_id,
        publicKey: Uint8Array.from(Buffer.from(passkey.public_key, 'base64url')),
        counter: passkey.counter,
      },
    }),
  );
  if (!verified?.verified) return fault('not_verified');
  const { newCounter, credentialDeviceType } = verified.authenticationInfo;
  const synced = credentialDeviceType === 'multiDevice';
  await markUsed(tx.sql, passkey.id, { counter: newCounter, synced, last_used_at: tx.now });
  const { user_id, issued_by } = passkey;
  return { ok: true, user_id, passkey_id: passkey.id, issued_by, synced };
}

const handleOf = (userId: string): string =>
  Buffer.from(userId.replaceAll('-', ''), 'hex').toString('base64url');

async function takenChallenge(
  tx: Tx,
  clientDataJSON: string,
  asked: { readonly purpose: 'registration' | 'assertion'; readonly binding: string },
): Promise<{ readonly text: string; readonly user_id: string | null } | undefined> {
  const client = clientDataOf(clientDataJSON);
  if (client === undefined) return undefined;
  const hash = hashOfChallenge(client.challenge);
  const row = await takeChallenge(tx.sql, { ...asked, hash });
  if (row === undefined || row.expires_at <= tx.now) return undefined;
  return { text: client.challenge, user_id: row.user_id };
}

const transportsOf = (said: readonly string[] | undefined): string[] =>
  (said ?? []).filter((transport) => /^[a-z-]{1,20}$/.test(transport)).slice(0, 8);

/** The library throws for whatever is wrong with what it is given. */
async function orUndefined<T>(verify: () => Promise<T>): Promise<T | undefined> {
  try {
    return await verify();
  } catch {
    return undefined;
  }
}

/** The revision is bumped, and a fresh proof was seen. */
export async function removePasskey(
  tx: Tx,
  user: { readonly user_id: string; readonly name: string },
  id: string,
): Promise<void> {
  const name = await dropPasskey(tx.sql, user.user_id, id);
  if (name === undefined) throw new Refusal('not_found', 'You have no such passkey.');
  await tx.audit(
    factorEvent(user, 'user.mfa.factor.deactivate', 'passkey', { passkey_id: id, passkey: name }),
  );
}
