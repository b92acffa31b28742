import { apply, approvedFor, type Demo, methodFor, tokenFor } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { type Case, conditions } from './changes.ts';

/** So many are set up together: applying ten of a kind costs little more than applying one. */
const AT_ONCE = 30;

/** What a case has before it is approved. */
type Ground = Omit<Case, 'request' | 'method'>;

/** Gives one approved person after the other. The clock does not move on after it. */
export function approvedCases(kit: Kit, demo: Demo): () => Promise<Case> {
  const ready: Ground[] = [];
  let made = 0;
  return async () => {
    if (ready.length === 0) {
      const numbers = Array.from({ length: AT_ONCE }, () => made++);
      ready.push(...(await groundOf(demo, numbers)));
    }
    const ground = ready.shift()!;
    const { login, server_id } = ground;
    demo.tokens[login] = await tokenFor(demo, login);
    kit.clock.advance(1);
    await demo.gateway.renew();
    const own: Demo = { ...demo, ids: { ...demo.ids, server: server_id } };
    const request = await approvedFor(own, login, 'dana', 'root');
    const method = { ...(await methodFor(own, login, 'root')) };
    return { ...ground, request, method };
  };
}

/** A person, a group, a server and a policy for each, which no other's has to do with. */
async function groundOf(demo: Demo, numbers: readonly number[]): Promise<Ground[]> {
  await apply(demo, 'pat', [
    ...numbers.map((i) => ({ kind: 'Group', name: `group${i}` })),
    ...numbers.map((i) => ({
      kind: 'User',
      login: `user${i}`,
      name: `Test user${i}`,
      manager: 'dana',
      groups: [`group${i}`],
    })),
  ]);
  await apply(demo, 'sam', [...numbers.map(serverOf), ...numbers.map(policyOf)]);
  const idsBy = async (by: string, path: string, key: string) => {
    const answer = must(await demo.service.call(demo.tokens[by], 'GET', `${path}?limit=500`));
    const rows = answer.list as Record<string, string>[];
    return new Map(rows.map((row) => [row[key], row.id!]));
  };
  const users = await idsBy('pat', '/users', 'login');
  const groups = await idsBy('pat', '/groups', 'name');
  const servers = await idsBy('sam', '/inventory/servers', 'hostname');
  return numbers.map((i) => ({
    login: `user${i}`,
    user_id: users.get(`user${i}`)!,
    hostname: `host${i}`,
    server_id: servers.get(`host${i}`)!,
    group_id: groups.get(`group${i}`)!,
    policy: policyOf(i),
  }));
}

const serverOf = (i: number) => ({
  kind: 'Server',
  resource_group: 'demo',
  project: 'demo',
  hostname: `host${i}`,
  access_address: '192.0.2.1',
  access_port: 22,
  labels: { env: `env${i}` },
  host_keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ'],
  accounts: [{ username: 'root', credential: { type: 'password', password: `pw of ${i}` } }],
});

const policyOf = (i: number) => ({
  kind: 'SecurityPolicy',
  name: `policy${i}`,
  active: true,
  principals: { user_groups: [{ name: `group${i}` }] },
  rules: [
    {
      name: 'Rule',
      resource_type: 'server_based_resource',
      resource_selector: {
        selectors: [
          {
            selector_type: 'server_label',
            server_selector: { labels: { env: `env${i}` } },
            account_selector_type: 'username',
            account_selector: { usernames: ['root'] },
          },
        ],
      },
      privileges: [{ privilege_type: 'vaulted_account_ssh', channels: ['shell', 'exec'] }],
      conditions: conditions(),
    },
  ],
});
