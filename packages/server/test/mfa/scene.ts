import type { AccessMethod } from '@postern/shared';
import { apply, type Demo, methodsOf } from '../kit/flow.ts';
import type { TestLogin } from '../kit/mfa.ts';

import { openAs, signIn } from '../kit/sessions.ts';

export const mfa = (re_auth_frequency_in_seconds: number, acr_values: 'any' | 'phr' = 'any') => ({
  condition_type: 'mfa',
  acr_values,
  re_auth_frequency_in_seconds,
});

export const approvalFor = (minutes: number, name = 'Server access approval') => ({
  condition_type: 'access_request',
  request_type: { name },
  expires_after_seconds: minutes * 60,
});

/** Rules for the demo's account, each with its conditions, in place of the demo's own policy. */
export async function ruled(
  demo: Demo,
  rules: Readonly<Record<string, readonly object[]>>,
  usernames: readonly string[] = ['pamadmin1'],
): Promise<void> {
  await apply(demo, 'sam', [
    {
      kind: 'SecurityPolicy',
      name: 'Linux administration',
      active: true,
      principals: { user_groups: [{ name: 'linux-users' }] },
      resource_group: { name: 'demo' },
      rules: Object.entries(rules).map(([name, conditions]) => ({
        name,
        resource_type: 'server_based_resource',
        resource_selector: {
          selectors: usernames.map((username) => ({
            selector_type: 'individual_server_account',
            server: { name: 'opa-demo-linux' },
            username,
          })),
        },
        privileges: [{ privilege_type: 'vaulted_account_ssh' }],
        conditions,
      })),
    },
  ]);
  await demo.service.settled();
}

export const methodsFor = (demo: Demo, login: Pick<TestLogin, 'token'>): Promise<AccessMethod[]> =>
  methodsOf(demo.service, login.token, demo.ids.server);

/** Opens a session for the account with the login, and what a gateway then signs in with. */
export async function open(
  demo: Demo,
  { token }: Pick<TestLogin, 'token'>,
  identity = 'pamadmin1',
) {
  await demo.gateway.renew();
  const methods = await methodsOf(demo.service, token, demo.ids.server);
  const method = methods.find((m) => m.identity === identity);
  if (method === undefined) throw new Error(`no method for ${identity}`);
  const { response, key } = await openAs(demo.service, token, { ...method });
  const session = response.statusCode === 201 ? response.json().session : undefined;
  return {
    response,
    code: response.statusCode === 201 ? '201' : (response.json().code as string),
    session,
    admit: () =>
      demo.gateway.call('POST', '/gateway/admissions', signIn(session?.id as string, key)),
  };
}
