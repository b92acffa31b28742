import type { AccessMethod, MfaApproval } from '@postern/shared';
import type { LightMyRequestResponse } from 'fastify';
import { recordProof } from '../../src/mfa/index.ts';
import type { Demo } from './flow.ts';
import type { Kit } from './index.ts';
import { must, PUBLIC_URL } from './service.ts';

/** A login of that person: a row of tokens, as the authorization server makes one. */
export async function loginAs(
  kit: Kit,
  demo: Demo,
  login: string,
): Promise<{ readonly token: string; readonly id: string; readonly user_id: string }> {
  const made = must(
    await demo.service.call(demo.tokens[login], 'POST', '/tokens', {
      name: 'login',
      expires_in_seconds: 86_400,
    }),
  );
  const id = String(made.id);
  const row = await kit.db.sql
    .updateTable('tokens')
    .set({ kind: 'login' })
    .where('id', '=', id)
    .returning('user_id')
    .executeTakeFirstOrThrow();
  return { token: String(made.token), id, user_id: row.user_id };
}
export type TestLogin = Awaited<ReturnType<typeof loginAs>>;

/** As logging in with a second factor does. */
export const prove = (kit: Kit, { id, user_id }: TestLogin, acr: 'any' | 'phr' = 'any') =>
  kit.transact((tx) => recordProof(tx, { user_id, token_id: id, acr, at: tx.now }));

type Wanted = Pick<AccessMethod, 'server_id' | 'identity' | 'access_credential'>;

export const bodyFor = (
  { server_id, identity, access_credential }: Wanted,
  acr: 'any' | 'phr' = 'any',
) => ({ server_id, identity, access_credential, acr });

export const challenge = (
  demo: Demo,
  { token }: Pick<TestLogin, 'token'>,
  body: object,
): Promise<LightMyRequestResponse> => demo.service.call(token, 'POST', '/mfa_approvals', body);

export const challenged = async (
  demo: Demo,
  login: Pick<TestLogin, 'token'>,
  body: object,
): Promise<MfaApproval> => must(await challenge(demo, login, body)) as MfaApproval;

export const stateOf = async (demo: Demo, login: TestLogin, id: string): Promise<string> => {
  const { token } = login;
  return must(await demo.service.call(token, 'GET', `/mfa_approvals/${id}/state`)).state as string;
};

export const sendCode = (
  demo: Demo,
  { token }: Pick<TestLogin, 'token'>,
  id: string,
  code: string,
) => demo.service.call(token, 'POST', `/mfa_approvals/${id}/totp`, { code });

/** The page of a challenge, as a browser uses it. */
export function browserOf(demo: Demo, { redirect_url }: Pick<MfaApproval, 'redirect_url'>) {
  const url = (redirect_url ?? '').slice(PUBLIC_URL.length);
  const open = (method: 'GET' | 'HEAD' = 'GET') => demo.service.app.inject({ method, url });
  const send = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
    demo.service.app.inject({
      method: 'POST',
      url,
      payload: new URLSearchParams(fields).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'sec-fetch-site': 'same-origin',
        ...headers,
      },
    });
  const token = async () => hiddenToken(await open());
  return { url, open, send, token };
}

export const hiddenToken = ({ body }: LightMyRequestResponse): string =>
  /name="form_token" value="([^"]*)"/.exec(body)?.[1] ?? '';
