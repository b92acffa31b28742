import { beforeEach } from 'vitest';
import { joinGroup } from '../../src/directory/service-memberships.ts';
import { SYSTEM } from '../../src/platform/actor.ts';
import { bumpRevisions } from '../../src/platform/locks.ts';
import type { Tx } from '../../src/platform/tx.ts';
import { type Demo, makeUser } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { must } from '../kit/service.ts';

/** Whoever the system acts for. */
export const BY = { actor: SYSTEM, made_by: [] };

const SERVER_TYPE = {
  kind: 'RequestType',
  purpose: 'server_access',
  audience: 'everyone',
  fields: [],
  on_approved: ['grant_access'],
};

/** For each test a group and a person of its own, and every way to make that group privileged. */
export function privileges(kit: Kit, demo: Demo) {
  let n = 0;
  const fresh = (what: string): string => `${what}-${n++}`;
  const group = { id: '', name: '' };
  const user = { id: '', name: '' };

  const call = (login: string, method: 'GET' | 'PUT' | 'POST', path: string, body?: object) =>
    demo.service.call(demo.tokens[login], method, path, body);
  const put = (login: string, ...documents: object[]) =>
    call(login, 'POST', '/apply', { documents });

  async function newGroup(): Promise<{ id: string; name: string }> {
    const name = fresh('team');
    must(await put('pat', { kind: 'Group', name }));
    const { list } = must(await call('pat', 'GET', `/groups?name=${name}`));
    return { id: (list as { id: string }[])[0]!.id, name };
  }

  beforeEach(async () => {
    Object.assign(group, await newGroup());
    const login = fresh('person');
    Object.assign(user, { id: await makeUser(demo, login), name: login });
  });

  async function join(tx: Tx, source: 'scim' | 'rule'): Promise<boolean> {
    await bumpRevisions(tx.sql, [user.id]);
    return await joinGroup(tx, BY, { group, user, source });
  }
  const joins = (source: 'scim' | 'rule') => kit.transact((tx) => join(tx, source));
  const sources = async (): Promise<string[]> =>
    (
      await kit.db.sql
        .selectFrom('memberships')
        .select('source')
        .where('group_id', '=', group.id)
        .where('ended_at', 'is', null)
        .execute()
    ).map((row) => row.source);
  const events = async (): Promise<number> =>
    (await kit.db.sql.selectFrom('audit_events').select('id').execute()).length;

  const serverType = (name: string, step: object) => ({
    ...SERVER_TYPE,
    name,
    steps: [{ name: 'One', timeout: '1h', ...step }],
  });
  const asking = () =>
    serverType(`asks ${group.name}`, {
      needs: {
        either: [
          { any: 1, of: ['manager'] },
          { any: 1, of: [`group:${group.name}`] },
        ],
      },
    });
  const escalating = () =>
    serverType(`escalates to ${group.name}`, {
      needs: { any: 1, of: ['manager'] },
      on_timeout: { escalate_to: [`group:${group.name}`] },
    });
  const policy = (conditions: readonly object[][], active = true) => ({
    name: `policy of ${group.name}`,
    active,
    principals: { user_groups: [{ name: group.name }] },
    rules: conditions.map((list, i) => ({
      name: `rule ${i}`,
      resource_type: 'server_based_resource',
      resource_selector: {
        selectors: [
          {
            selector_type: 'server_label',
            server_selector: { labels: { env: 'demo' } },
            account_selector_type: 'username',
            account_selector: { usernames: ['pamadmin1'] },
          },
        ],
      },
      privileges: [{ privilege_type: 'vaulted_account_ssh' }],
      conditions: list,
    })),
  });
  const asked = {
    condition_type: 'access_request',
    request_type: { name: 'Server access approval' },
    expires_after_seconds: 600,
  };
  const open = [[asked], []];

  /** Every way in which a group becomes privileged, as an admin does it. */
  const WAYS = {
    'a role': () => call('pat', 'PUT', `/groups/${group.id}/roles`, { roles: ['auditor'] }),
    'a role by apply': () => put('pat', { kind: 'Group', name: group.name, roles: ['auditor'] }),
    'a step of a published type': () => put('sam', asking()),
    'the escalation of a published type': () => put('sam', escalating()),
    'a policy with a rule that asks for no request': () =>
      call('sam', 'POST', '/security_policy', policy(open)),
    'that policy by apply': () => put('sam', { kind: 'SecurityPolicy', ...policy(open) }),
    'that policy, made active': async () => {
      must(await put('sam', { kind: 'SecurityPolicy', ...policy(open, false) }));
      return put('sam', { kind: 'SecurityPolicy', ...policy(open) });
    },
    'a rule that no longer asks': async () => {
      must(await put('sam', { kind: 'SecurityPolicy', ...policy([[asked]]) }));
      return put('sam', { kind: 'SecurityPolicy', ...policy(open) });
    },
  } as const;
  type Way = keyof typeof WAYS;
  const ways = Object.keys(WAYS) as Way[];
  const staff = async () => {
    // A step that only a group is asked in needs somebody in it.
    must(await call('pat', 'PUT', `/groups/${group.id}/users/${demo.ids.users.bo}`));
  };
  return {
    ...{ group, user, fresh, newGroup, call, put, join, joins, sources, events, staff },
    ...{ serverType, asking, policy, asked, open, WAYS, ways },
  };
}
