import { randomUUID } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll } from 'vitest';
import { askOf, type Demo, makeUser, withDemo } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { must, PREFIX, PUBLIC_URL } from '../kit/service.ts';
import { type Issuer, type IssuerKey, startIssuer } from './issuer.ts';

export const SHA = 'a'.repeat(40);
const WORKFLOW = 'octo/shop/.github/workflows/deploy.yml@refs/heads/main';
/** What the connection `ci` believes to be the service user `robot`. */
export const PINNED = {
  repository_id: '74',
  repository_owner_id: '65',
  workflow_ref: WORKFLOW,
  environment: 'production',
};

/** The demo world, and an issuer of job tokens that it trusts. */
export interface Ci extends Demo {
  issuer: Issuer;
  robot: string;
  connection: string;
  /** Where logins come from. */
  address: string;
  /** The claims of a job that is believed, each in its own instant. */
  claims(more?: Record<string, unknown>): Record<string, unknown>;
  /** Presents a token to a connection. */
  present(jwt: string, connection?: string): Promise<LightMyRequestResponse>;
  /** Signs and presents. */
  knock(more?: Record<string, unknown>, key?: IssuerKey): Promise<LightMyRequestResponse>;
  /** The token of a job that logged in. */
  login(more?: Record<string, unknown>): Promise<string>;
  /** Why the last login was refused, as the log says. */
  why(): Promise<unknown>;
}

export const link = async (ci: Ci, actor_id: string, login: string, by = 'pat') =>
  must(
    await ci.service.call(ci.tokens[by], 'POST', '/workload_people', {
      ...{ issuer: ci.issuer.url, actor_id, login },
    }),
  );

export function withCi(kit: Kit): Ci {
  const demo = withDemo(kit);
  const ci = demo as Ci;
  beforeAll(async () => {
    ci.issuer = await startIssuer();
    // A setting for tests that are not about who stands behind a job.
    await addConnection(ci, 'ci', { unnamed_people: 'accepted' }, true);
    await link(ci, '1', 'ellis');
    await askOf(demo, { any: 1, of: ['group:linux-approvers'] });
  });
  afterAll(async () => ci.issuer?.stop());
  let run = 0;
  Object.assign(ci, {
    address: '192.0.2.1',
    claims: (more = {}) => {
      const now = Math.floor(kit.clock.now() / 1000);
      return {
        ...{ iss: ci.issuer.url, aud: PUBLIC_URL, sub: 'repo:octo/shop:environment:production' },
        ...{ iat: now, nbf: now - 60, exp: now + 300, jti: randomUUID() },
        ...{ ...PINNED, repository: 'octo/shop', repository_owner: 'octo', sha: SHA },
        ...{ ref: 'refs/heads/main', event_name: 'push', run_id: '1', run_attempt: '1' },
        ...{ actor: 'octocat', actor_id: '1', job_workflow_ref: WORKFLOW },
        ...{ check_run_id: String(run++) },
        ...more,
      };
    },
    present: (jwt: string, connection = 'ci') =>
      ci.service.app.inject({
        method: 'POST',
        url: `${PREFIX}/workloads/${connection}/issue_token`,
        payload: { jwt },
        remoteAddress: ci.address,
      }),
    knock: async (more?: Record<string, unknown>, key?: IssuerKey) =>
      ci.present(await ci.issuer.sign(ci.claims(more), key)),
    login: async (more?: Record<string, unknown>) => String(must(await ci.knock(more)).token),
    why: async () => {
      const row = await kit.db.sql
        .selectFrom('audit_events')
        .select('details')
        .where('type', '=', 'pam.login.fail')
        .orderBy('id', 'desc')
        .executeTakeFirst();
      return row?.details.reason;
    },
  } satisfies Partial<Ci>);
  return ci;
}

/** @param first makes its service user as well */
export async function addConnection(
  ci: Ci,
  name: string,
  more: Record<string, unknown> = {},
  first = false,
): Promise<string> {
  if (first) {
    const groups = ['everyone', 'linux-users'];
    ci.robot = await makeUser(ci, 'robot', { type: 'service', owners: ['sam'], groups });
  }
  const made = must(
    await ci.service.call(ci.tokens.pat, 'POST', '/workload_connections', {
      ...{ name, provider: 'github', issuer: ci.issuer.url, jwks_url: `${ci.issuer.url}/jwks` },
      rules: [{ service_user: 'robot', claims: PINNED }],
      ...more,
    }),
  );
  if (first) ci.connection = String(made.id);
  return String(made.id);
}
