import { type Demo, methodFor } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { bodyFor, challenged, loginAs } from '../kit/mfa.ts';
import type { Spec } from './spec.ts';

/** Calls about MFA: by the login of somebody new who has an authenticator app. */
export function mfaSpecs(kit: Kit, demo: Demo, requester: () => Promise<string>) {
  const asks = async () => {
    const self = await requester();
    const login = await loginAs(kit, demo, self);
    demo.tokens[self] = login.token;
    demo.service.factors.apps.add(login.user_id);
    return { self, login, body: bodyFor(await methodFor(demo, self)) };
  };
  const asked = async () => {
    const { self, login, body } = await asks();
    const { mfa_id: id } = await challenged(demo, login, body);
    return { self, login, params: { id } };
  };
  return {
    createMfaApproval: {
      // What is no login of a person proves nothing.
      stranger: 'not_permitted',
      make: async () => {
        const { self, body } = await asks();
        return { self, body };
      },
    },
    getMfaApprovalState: {
      make: async () => {
        const { self, params } = await asked();
        return { self, params };
      },
    },
    answerMfaApproval: {
      make: async () => {
        const { self, login, params } = await asked();
        return { self, params, body: { code: demo.service.factors.code(login.user_id) } };
      },
    },
  } satisfies Readonly<Record<string, Spec>>;
}
