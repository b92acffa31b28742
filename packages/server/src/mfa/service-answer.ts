import type { Acr, OneTimeCodeAnswer } from '@postern/shared';
import { plus, seconds } from '@postern/shared';
import { type Caller, isTokenLive, refTo } from '../identity/index.ts';
import { failure, SUCCESS, userRef } from '../platform/actor.ts';
import { lockShared } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { type ChallengeState, MOST_WRONG_AN_HOUR, MOST_WRONG_CODES, stateOf } from './model.ts';
import { hashOfSecret } from './secret.ts';
import { ownChallenge } from './service-challenge.ts';
import type { Factors } from './service-factors.ts';
import {
  type ChallengeRow,
  countWrong,
  type DescribedRow,
  describeRow,
  findChallenge,
  insertProof,
  lockChallenge,
  lockPerson,
  updateChallenge,
} from './store.ts';

/** Why an answer did not do; undefined: it did. */
export type Wrong = 'code' | 'too_many' | 'passkey' | 'needs_passkey' | 'over';

export interface Answered {
  readonly state: ChallengeState;
  readonly tries_left: number;
  readonly wrong?: Wrong;
}

const HOUR = seconds(3_600);

/** With a code, by the login that asked. It answers and does not throw: what is counted stays. */
export async function answerOwn(
  tx: Tx,
  factors: Factors,
  caller: Caller,
  id: string,
  code: string,
  clientAddress: string,
): Promise<OneTimeCodeAnswer> {
  const row = await ownChallenge(tx, caller, id);
  const { state, tries_left } = await answerWithCode(tx, factors, row.id, code, clientAddress);
  return { state, tries_left };
}

/** A challenge that still waits, with its person and itself locked; undefined: it is over. */
async function lockPending(tx: Tx, id: string): Promise<ChallengeRow | undefined> {
  const seen = await findChallenge(tx.sql, { id });
  if (seen === undefined) return undefined;
  await lockShared(tx.sql, [seen.user_id]);
  await lockPerson(tx.sql, seen.user_id);
  const row = await lockChallenge(tx.sql, id);
  if (row === undefined || stateOf(row, tx.now) !== 'pending') return undefined;
  return (await isTokenLive(tx, row.token_id)) ? row : undefined;
}

const over = async (tx: Tx, id: string): Promise<Answered> => {
  const row = await findChallenge(tx.sql, { id });
  const state = row === undefined ? 'expired' : stateOf(row, tx.now);
  return { state: state === 'pending' ? 'expired' : state, tries_left: 0, wrong: 'over' };
};

export async function answerWithCode(
  tx: Tx,
  factors: Factors,
  id: string,
  code: string,
  clientAddress: string,
): Promise<Answered> {
  const row = await lockPending(tx, id);
  if (row === undefined) return over(tx, id);
  const tries_left = MOST_WRONG_CODES - row.wrong_codes;
  // No code is phishing-resistant: it is not looked at, so that it stays good elsewhere.
  if (row.acr === 'phr') return { state: 'pending', tries_left, wrong: 'needs_passkey' };
  const since = plus(tx.now, seconds(-HOUR));
  if ((await countWrong(tx.sql, row.user_id, since)) >= MOST_WRONG_AN_HOUR)
    return await refuse(tx, row, clientAddress, 'too_many');
  if (await factors.checkCode(tx, row.user_id, code))
    return await approve(tx, row, 'any', clientAddress);
  return await refuse(tx, row, clientAddress, 'code');
}

/** A passkey does for either strength; only one of the person whom the question was put to. */
export async function answerWithPasskey(
  tx: Tx,
  factors: Factors,
  id: string,
  response: unknown,
  clientAddress: string,
): Promise<Answered> {
  const row = await lockPending(tx, id);
  if (row === undefined) return over(tx, id);
  const whose = await factors.checkPasskey(tx, { binding: bindingOf(row), response });
  if (whose === row.user_id) return await approve(tx, row, 'phr', clientAddress);
  return await refuse(tx, row, clientAddress, 'passkey');
}

/** What the browser asks the person's authenticator; undefined: the challenge is over. */
export async function passkeyQuestion(
  tx: Tx,
  factors: Factors,
  id: string,
): Promise<object | undefined> {
  const row = await lockPending(tx, id);
  if (row === undefined) return undefined;
  return factors.passkeyOptions(tx, { binding: bindingOf(row), user_id: row.user_id });
}

const bindingOf = ({ id }: ChallengeRow): string => `mfa:${id}`;

async function approve(
  tx: Tx,
  row: ChallengeRow,
  acr: Acr,
  clientAddress: string,
): Promise<Answered> {
  await updateChallenge(tx.sql, row.id, { state: 'approved' });
  await insertProof(tx.sql, {
    id: tx.ids.uuid(),
    user_id: row.user_id,
    token_id: row.token_id,
    acr,
    at: tx.now,
    challenge_id: row.id,
  });
  await tx.audit(await eventOf(tx, row, clientAddress, SUCCESS, { acr }));
  await tx.signal({ kind: 'user', id: row.user_id });
  return { state: 'approved', tries_left: 0 };
}

async function refuse(
  tx: Tx,
  row: ChallengeRow,
  clientAddress: string,
  wrong: 'code' | 'too_many' | 'passkey',
): Promise<Answered> {
  // What cannot be guessed is not counted: whoever has the address could end it for the person.
  const wrong_codes = row.wrong_codes + (wrong === 'code' ? 1 : 0);
  const state = wrong === 'too_many' || wrong_codes >= MOST_WRONG_CODES ? 'failed' : 'pending';
  await updateChallenge(tx.sql, row.id, { state, wrong_codes });
  const reason = { code: 'wrong_code', too_many: 'too_many_codes', passkey: 'wrong_passkey' };
  await tx.audit(await eventOf(tx, row, clientAddress, failure(reason[wrong])));
  return {
    state,
    tries_left: state === 'failed' ? 0 : MOST_WRONG_CODES - wrong_codes,
    wrong,
  };
}

async function eventOf(
  tx: Tx,
  row: ChallengeRow,
  client_address: string,
  outcome: typeof SUCCESS | ReturnType<typeof failure>,
  details: Readonly<Record<string, unknown>> = {},
) {
  const described = await describeRow(tx.sql, row.id);
  return {
    type: 'user.authentication.auth_via_mfa' as const,
    actor: userRef({ user_id: row.user_id, name: described?.user_name ?? '' }),
    targets: [refTo('mfa_challenge', { id: row.id, name: row.acr })],
    outcome,
    client_address,
    request_id: row.request_id,
    details,
  };
}

/** What the page of a challenge shows. */
export type PageView =
  | { readonly kind: 'invalid' }
  | {
      readonly kind: 'open';
      readonly id: string;
      readonly acr: Acr;
      readonly about: DescribedRow;
      readonly takes_code: boolean;
      readonly takes_passkey: boolean;
    };

/** Reads and changes nothing: whatever follows links may call it as often as it likes. */
export async function viewChallenge(tx: Tx, factors: Factors, secret: string): Promise<PageView> {
  const row = await findChallenge(tx.sql, { hash: hashOfSecret(secret) });
  if (row === undefined || stateOf(row, tx.now) !== 'pending') return { kind: 'invalid' };
  const about = await describeRow(tx.sql, row.id);
  if (about?.user_status !== 'ACTIVE' || !(await isTokenLive(tx, row.token_id)))
    return { kind: 'invalid' };
  const { totp, passkeys } = await factors.of(tx, row.user_id);
  const takes_code = row.acr === 'any' && totp;
  return { kind: 'open', id: row.id, acr: row.acr, about, takes_code, takes_passkey: passkeys };
}
