import { type Instant, plus, type Seconds } from '@postern/shared';
import { addLogin, presentedHash, refTo } from '../identity/index.ts';
import { SUCCESS } from '../platform/actor.ts';
import { lockShared } from '../platform/locks.ts';
import { isPlainText } from '../platform/plain-text.ts';
import { json } from '../platform/schema.ts';
import type { Tx } from '../platform/tx.ts';
import { type BrowserLogin, CLIENT_ID, DEVICE_CODE_SECONDS, SCOPE } from './model.ts';
import { decideDeviceCode, findPerson, lockDeviceCode, putModel } from './store.ts';
import { epoch } from './stored.ts';

/** Tells what the login's proofs of a second factor are: the mfa feature gives it. */
export type RecordProof = (
  tx: Tx,
  proof: {
    readonly user_id: string;
    readonly token_id: string;
    readonly acr: 'any' | 'phr';
    readonly at: Instant;
  },
) => Promise<unknown>;

export interface LoginWorld {
  readonly login_seconds: Seconds;
  readonly recordProof: RecordProof;
}

/**
 * Makes a login for the person of the browser, with the grant that oidc-provider issues
 * under. Until its program comes for it, it lasts for minutes only.
 *
 * @returns its id; undefined when he is not active any more
 */
export async function beginLogin(
  tx: Tx,
  browser: BrowserLogin,
  from: { readonly device: unknown; readonly client_address: string; readonly waits: Seconds },
  { login_seconds, recordProof }: LoginWorld,
): Promise<string | undefined> {
  await lockShared(tx.sql, [browser.user_id]);
  const person = await findPerson(tx.sql, browser.user_id);
  if (person?.status !== 'ACTIVE') return undefined;
  const name = loginName(from.device);
  const token_id = await addLogin(tx, {
    user_id: person.id,
    kind: 'login',
    name,
    issued_by: browser.issued_by ?? null,
    expires_at: plus(tx.now, from.waits),
  });
  const expires_at = endOf(browser, login_seconds);
  await putModel(tx.sql, {
    hash: presentedHash('Grant', token_id),
    kind: 'Grant',
    payload: json({
      kind: 'Grant',
      accountId: person.id,
      clientId: CLIENT_ID,
      openid: { scope: SCOPE },
      iat: epoch(tx.now),
      exp: epoch(expires_at),
    }),
    user_id: person.id,
    token_id,
    created_at: tx.now,
    expires_at,
  });
  if (browser.mfa !== 'none' && browser.mfa_at !== null)
    await recordProof(tx, {
      user_id: person.id,
      token_id,
      acr: browser.mfa,
      at: browser.mfa_at,
    });
  await tx.audit({
    type: 'pam.login.start',
    actor: refTo('user', person),
    targets: [refTo('token', { id: token_id, name })],
    outcome: SUCCESS,
    client_address: from.client_address,
    details: { client: CLIENT_ID, amr: browser.amr, mfa: browser.mfa },
  });
  return token_id;
}

/**
 * When what is made of a browser's login ends: so long after its person has shown that it is him,
 * that whoever has its cookie cannot live on in a program when the browser's own is over.
 */
export const endOf = ({ auth_time }: BrowserLogin, login_seconds: Seconds): Instant =>
  plus(auth_time, login_seconds);

/** What the program says that it runs on, when it is something to show. */
export const loginName = (device: unknown): string =>
  typeof device === 'string' && device.length <= 64 && isPlainText(device)
    ? `sft, ${device}`
    : 'sft';

/** What a person is asked about; `over`: nothing waits under this code. */
export type DeviceRequest =
  | { readonly kind: 'over' }
  | { readonly kind: 'waits'; readonly name: string; readonly address: string };

export async function viewDevice(tx: Tx, user_code_hash: string): Promise<DeviceRequest> {
  const code = await waiting(tx, user_code_hash);
  if (code === undefined) return { kind: 'over' };
  const { params, deviceInfo } = code.payload as {
    params?: { device_name?: unknown };
    deviceInfo?: { address?: unknown };
  };
  const address = typeof deviceInfo?.address === 'string' ? deviceInfo.address : 'unknown';
  return { kind: 'waits', name: loginName(params?.device_name), address };
}

/**
 * The person's answer to a device that asks to be logged in as him. One answer counts.
 *
 * @returns whether there was anything to answer
 */
export async function decideDevice(
  tx: Tx,
  user_code_hash: string,
  answer: {
    readonly browser: BrowserLogin;
    readonly allow: boolean;
    readonly client_address: string;
  },
  world: LoginWorld,
): Promise<boolean> {
  const code = await waiting(tx, user_code_hash);
  if (code === undefined) return false;
  if (!answer.allow) {
    const payload = { ...code.payload, error: 'access_denied' };
    await decideDeviceCode(tx.sql, code.hash, { payload, user_id: null, token_id: null });
    return true;
  }
  const { browser, client_address } = answer;
  const params = code.payload.params as { device_name?: unknown } | undefined;
  const token_id = await beginLogin(
    tx,
    browser,
    { device: params?.device_name, client_address, waits: DEVICE_CODE_SECONDS },
    world,
  );
  if (token_id === undefined) return false;
  await decideDeviceCode(tx.sql, code.hash, {
    payload: {
      ...code.payload,
      accountId: browser.user_id,
      grantId: token_id,
      scope: SCOPE,
      authTime: epoch(browser.auth_time),
      amr: browser.amr,
    },
    user_id: browser.user_id,
    token_id,
  });
  return true;
}

async function waiting(tx: Tx, user_code_hash: string) {
  const code = await lockDeviceCode(tx.sql, user_code_hash);
  if (code === undefined || code.consumed_at !== null || code.expires_at <= tx.now)
    return undefined;
  return code.payload.accountId === undefined && code.payload.error === undefined
    ? code
    : undefined;
}

/** As oidc-provider takes who logged in. */
export const interactionResult = (browser: BrowserLogin, token_id: string) => ({
  login: {
    accountId: browser.user_id,
    ts: epoch(browser.auth_time),
    amr: [...browser.amr],
    remember: false,
  },
  consent: { grantId: token_id },
});

export const isActive = async (tx: Tx, user_id: string): Promise<boolean> =>
  (await findPerson(tx.sql, user_id))?.status === 'ACTIVE';

export const nameOf = async (tx: Tx, user_id: string): Promise<string> =>
  (await findPerson(tx.sql, user_id))?.name ?? '';
