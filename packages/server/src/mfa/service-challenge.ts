import { type Acr, type MfaApproval, type NewMfaApproval, plus, toRfc3339 } from '@postern/shared';
import { type Caller, eventBy, refTo } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { CHALLENGE_LIFE, type ChallengeState, MOST_PENDING, stateOf } from './model.ts';
import { hashOfSecret, SECRET_BYTES } from './secret.ts';
import type { Factors, FactorsOf } from './service-factors.ts';
import {
  type ChallengeRow,
  countPending,
  findChallenge,
  insertChallenge,
  kindOfToken,
  lockPerson,
} from './store.ts';
import { type Connection, type Target, targetOf } from './target.ts';

/** What making a challenge needs of the other features; deps.ts gives it. */
export interface ChallengeWorld {
  readonly team: string;
  /** Where a browser reaches the service. */
  readonly publicUrl: string | undefined;
  readonly factors: Factors;
  /** The connection, where policy offers it to the person on whatever condition. */
  connectionOf(
    tx: Tx,
    caller: Caller,
    target: Extract<Target, { kind: 'connection' }>,
    clientAddress: string,
  ): Promise<Connection | undefined>;
  /** Whether the person may see the access request, and so may be about to decide on it. */
  seesRequest(tx: Tx, caller: Caller, requestId: string): Promise<boolean>;
}

/**
 * Puts the question to the person of this login: for exactly this connection, or for decisions.
 * Whoever holds the address of the page still needs the person's second factor; whoever holds
 * the login needs the person.
 */
export async function createChallenge(
  tx: Tx,
  world: ChallengeWorld,
  caller: Caller,
  body: NewMfaApproval,
  clientAddress: string,
): Promise<MfaApproval> {
  await refuseWithoutLogin(tx, caller);
  const about = await aboutOf(tx, world, caller, body, clientAddress);
  const factors = await world.factors.of(tx, caller.user_id);
  refuseWithoutFactor(world, factors, body.acr);
  await lockPerson(tx.sql, caller.user_id);
  if ((await countPending(tx.sql, caller.user_id, tx.now)) >= MOST_PENDING)
    throw new Refusal('rate_limited', 'Too many requests for your MFA wait already.', {
      next: 'Answer one of them, or wait 5 minutes.',
    });
  const secret = tx.ids.random(SECRET_BYTES).toString('base64url');
  const row = await insertChallenge(tx.sql, {
    id: tx.ids.uuid(),
    user_id: caller.user_id,
    token_id: caller.token_id,
    hash: hashOfSecret(secret),
    acr: body.acr,
    ...about,
    client_address: clientAddress,
    created_at: tx.now,
    expires_at: plus(tx.now, CHALLENGE_LIFE),
  });
  await tx.audit({
    ...eventBy(
      caller,
      'pam.mfa.challenge.create',
      [refTo('mfa_challenge', { id: row.id, name: row.acr })],
      { acr: row.acr, server_id: row.server_id, identity: row.identity },
    ),
    request_id: row.request_id,
  });
  const base = world.publicUrl ?? '';
  return {
    mfa_id: row.id,
    redirect_url: world.publicUrl === undefined ? null : `${base}/mfa/${secret}`,
    polling_url: `${base}/v1/teams/${world.team}/mfa_approvals/${row.id}/state`,
    expires_at: toRfc3339(row.expires_at),
    takes_code: body.acr === 'any' && factors.totp,
  };
}

async function refuseWithoutLogin(tx: Tx, { token_id, type }: Caller): Promise<void> {
  if (type === 'human' && (await kindOfToken(tx.sql, token_id)) === 'login') return;
  throw new Refusal(
    'not_permitted',
    'MFA belongs to the login of a person; what you came with is none.',
    { next: 'Log in as yourself: sft login' },
  );
}

function refuseWithoutFactor(
  { publicUrl }: ChallengeWorld,
  { totp, passkeys }: FactorsOf,
  acr: Acr,
): void {
  if (passkeys || (totp && acr === 'any')) return;
  const what = acr === 'phr' ? 'passkey, which this needs' : 'authenticator app and no passkey';
  throw new Refusal('state_conflict', `You have no ${what}.`, {
    next:
      publicUrl === undefined
        ? 'Add one on the account page of this service.'
        : `Add one: ${publicUrl}/account`,
  });
}

type About = Connection | { readonly request_id: string };

async function aboutOf(
  tx: Tx,
  world: ChallengeWorld,
  caller: Caller,
  body: NewMfaApproval,
  clientAddress: string,
): Promise<About> {
  const target = targetOf(body);
  if (target === undefined)
    throw new Refusal('invalid_request', 'It must say what the MFA is for.', {
      next: 'Send server_id, identity and access_credential; or request_id alone.',
    });
  if (target.kind === 'decision') {
    const { request_id } = target;
    if (await world.seesRequest(tx, caller, request_id)) return { request_id };
    throw new Refusal('not_found', 'There is no such request, or it is not yours to see.');
  }
  const connection = await world.connectionOf(tx, caller, target, clientAddress);
  if (connection !== undefined) return connection;
  throw new Refusal('not_found', 'There is no such server, or no access to it.', {
    next: 'See what you can reach: sft list-servers',
  });
}

/** Only the login that asked is told; to every other there is no such challenge. */
export async function ownChallenge(tx: Tx, caller: Caller, id: string): Promise<ChallengeRow> {
  const row = await findChallenge(tx.sql, { id });
  if (row !== undefined && row.token_id === caller.token_id && row.user_id === caller.user_id)
    return row;
  throw new Refusal('not_found', 'There is no such request for MFA, or not by this login.');
}

export async function challengeState(
  tx: Tx,
  caller: Caller,
  id: string,
): Promise<{ readonly state: ChallengeState }> {
  return { state: stateOf(await ownChallenge(tx, caller, id), tx.now) };
}
