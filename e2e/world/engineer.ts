import { type Person, personAt } from './people.ts';
import { restOf } from './rest.ts';
import type { World } from './world.ts';

/** Brings documents into the world as `sft-admin apply` would. @throws what the service says against it */
export async function applyAs(
  world: World,
  who: 'pat' | 'sam',
  documents: readonly object[],
): Promise<void> {
  const rest = restOf(world.service, world.people[who].token);
  const reply = await rest('POST', '/apply', { body: { documents } });
  if (reply.status !== 200) throw new Error(reply.text);
}

/** A new token for somebody, made by the pam_admin. */
export async function tokenFor(world: World, login: string, seconds = 3600): Promise<string> {
  const rest = restOf(world.service, world.people.pat.token);
  const reply = await rest<{ token: string }>('POST', '/tokens', {
    body: { login, name: 'e2e', expires_in_seconds: seconds },
  });
  if (reply.status !== 201) throw new Error(reply.text);
  return reply.body.token;
}

/** A new engineer with Dana as manager: each test has one of its own, so that none disturbs another. */
export async function newEngineer(
  world: World,
  login: string,
  group = 'linux-users',
): Promise<Person> {
  await applyAs(world, 'pat', [
    {
      kind: 'User',
      login,
      name: `Engineer ${login}`,
      manager: 'dana',
      groups: ['everyone', group],
    },
  ]);
  return personAt(world.service, world.directory, login, await tokenFor(world, login));
}

/** A policy like the demo world's, for one group, with what the test wants otherwise. */
export const policyFor = (
  group: string,
  change: {
    readonly channels?: readonly string[];
    readonly usernames?: readonly string[];
    readonly seconds?: number;
  } = {},
): object => ({
  kind: 'SecurityPolicy',
  name: `Policy of ${group}`,
  description: '',
  active: true,
  principals: { user_groups: [{ name: group }] },
  rules: [
    {
      name: 'Vaulted accounts',
      resource_type: 'server_based_resource',
      resource_selector: {
        selectors: [
          {
            selector_type: 'server_label',
            server_selector: { labels: { env: 'demo' } },
            account_selector_type: 'username',
            account_selector: { usernames: change.usernames ?? ['pamadmin1', 'pamadmin2'] },
          },
        ],
      },
      privileges: [
        {
          privilege_type: 'vaulted_account_ssh',
          channels: change.channels ?? ['shell', 'exec', 'sftp'],
        },
      ],
      conditions: [
        {
          condition_type: 'access_request',
          request_type: { name: 'Server access approval' },
          expires_after_seconds: change.seconds ?? 1800,
        },
        { condition_type: 'gateway', traffic_forwarding: true, session_recording: true },
      ],
    },
  ],
});
