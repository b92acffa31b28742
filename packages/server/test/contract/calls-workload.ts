import { generateKeyPairSync } from 'node:crypto';
import type { OperationId } from '@postern/shared';
import { type Demo, makeUser } from '../kit/flow.ts';
import { must, PUBLIC_URL } from '../kit/service.ts';
import type { Spec } from './spec.ts';

type Ours = Extract<
  OperationId,
  `${string}Workload${string}` | `${string}ServiceUserKey${string}` | 'issueServiceToken'
>;

/** A call of each operation on workloads, that succeeds for whoever may make it. */
export function workloadSpecs(
  demo: Demo,
  fresh: (what: string) => string,
): Readonly<Record<Ours, Spec>> {
  const pat = (method: 'POST', path: string, body: unknown) =>
    demo.service.call(demo.tokens.pat, method, path, body);
  const robot = async () => {
    const login = fresh('robot');
    return { id: await makeUser(demo, login, { type: 'service', owners: ['bo'] }), login };
  };
  const connection = async () => {
    const service_user = (await robot()).login;
    const claims = { repository_id: '74', repository_owner_id: '65', workflow_ref: 'a/b/c.yml@x' };
    return {
      ...{ name: fresh('ci'), provider: 'github', issuer: 'https://token.example.com' },
      ...{ audience: PUBLIC_URL, rules: [{ service_user, claims }] },
    };
  };
  const made = async () => {
    const body = await connection();
    const { id } = must(await pat('POST', '/workload_connections', body));
    return { body, id: String(id) };
  };
  const account = () => ({ issuer: 'https://token.example.com', actor_id: fresh('account') });
  const key = () => ({
    name: 'deploy',
    public_key: generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }),
  });
  const nothing = async () => ({});
  return {
    createWorkloadConnection: { make: async () => ({ body: await connection() }) },
    listWorkloadConnections: { make: nothing },
    replaceWorkloadConnection: {
      make: async () => {
        const { body, id } = await made();
        return { params: { id }, body };
      },
    },
    removeWorkloadConnection: { make: async () => ({ params: { id: (await made()).id } }) },
    issueWorkloadToken: {
      make: async () => ({ params: { connection: 'none' }, body: { jwt: 'a.b.c' } }),
    },
    linkWorkloadPerson: { make: async () => ({ body: { ...account(), login: 'ellis' } }) },
    listWorkloadPeople: { make: nothing },
    unlinkWorkloadPerson: {
      make: async () => {
        const body = { ...account(), login: 'ellis' };
        return { params: { id: String(must(await pat('POST', '/workload_people', body)).id) } };
      },
    },
    addServiceUserKey: {
      make: async () => ({ params: { id: (await robot()).id }, owner_of: 'bo', body: key() }),
    },
    listServiceUserKeys: {
      make: async () => ({ params: { id: (await robot()).id }, owner_of: 'bo' }),
    },
    removeServiceUserKey: {
      make: async () => {
        const { id } = await robot();
        const { id: key_id } = must(await pat('POST', `/users/${id}/keys`, key()));
        return { params: { id, key_id: String(key_id) }, owner_of: 'bo' };
      },
    },
    issueServiceToken: { make: async () => ({ body: { client_assertion: 'a.b.c' } }) },
  };
}
