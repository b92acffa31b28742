import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccessRequest, AccessRequestDetail, AuditEvent, CatalogEntry } from '@postern/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOST } from './world/grant.ts';
import type { Login } from './world/people.ts';
import { restOf } from './world/rest.ts';
import { openWorld, type World } from './world/world.ts';

const GROUP = 'Patch crew';
const DOCUMENTS = {
  pat: `
kind: Group
name: ${GROUP}
owners: [dana]
`,
  sam: `
kind: RequestType
name: Patch crew
purpose: group_membership
audience: everyone
grants_role: true
fields:
  - {key: justification, prompt: Why?, type: text, required: true}
  - {key: time, prompt: How long?, type: duration, required: true, min: 10s}
steps: [{name: Owner, needs: {any: 1, of: [group_owner]}}]
on_approved: [{add_to_group: {group: ${GROUP}, until: $time}}]
---
kind: SecurityPolicy
name: Patch crew
active: true
principals: {user_groups: [{name: ${GROUP}}]}
rules:
  - name: While a member
    resource_type: server_based_resource
    resource_selector:
      selectors:
        - selector_type: server_label
          server_selector: {labels: {env: demo}}
          account_selector_type: username
          account_selector: {usernames: [pamadmin1]}
    privileges: [{privilege_type: vaulted_account_ssh, channels: [exec]}]
    conditions: [{condition_type: gateway, traffic_forwarding: true, session_recording: true}]
`,
};

let world: World;

beforeAll(async () => {
  world = await openWorld({ sshd: false });
  for (const [who, text] of Object.entries(DOCUMENTS)) {
    const file = join(world.directory, `${who}.yaml`);
    writeFileSync(file, text);
    const ran = await world.people[who as Login].admin('apply', '-f', file);
    expect([who, ran.code, ran.stderr]).toEqual([who, 0, '']);
  }
}, 180_000);
afterAll(() => world?.end());

const rest = (who: Login) => restOf(world.service, world.people[who].token);
const hosts = async (who: Login) => (await world.people[who].sft('list-servers')).stdout;
const shown = async (who: Login, id: string): Promise<AccessRequestDetail> =>
  (await rest(who)<AccessRequestDetail>('GET', `/access_requests/${id}`)).body;

/** Who may read the log finds it filtered for the group, each with its request. */
async function logged(id: string): Promise<string[]> {
  const ran = await world.people.uma.admin('log', 'search', '--group', GROUP, '-o', 'json');
  return (JSON.parse(ran.stdout) as AuditEvent[])
    .filter(({ request_id }) => request_id === id)
    .map(({ type }) => type)
    .reverse();
}
const STORY = [
  'access.request.create',
  'access.request.decide',
  'access.request.resolve',
  'group.user_membership.add',
  'access.request.activate',
  'group.user_membership.remove',
  'access.request.end',
];

describe('use case 2: a group by request, and out of it by the clock', () => {
  it('by CLI: catalogue, request, approval, at once a member; then out, and the live session cut', async () => {
    const { ana, dana } = world.people;
    expect(await hosts('ana')).not.toContain(HOST);
    expect((await ana.sft('request', 'catalog')).stdout).toContain(GROUP);
    const wish = ['request', 'create', '--type', 'Patch crew', '--reason', 'patch day'];
    const raised = await ana.sft(...wish, '--answer', 'time=25s', '-o', 'json');
    const { id } = JSON.parse(raised.stdout) as AccessRequest;
    expect((await dana.admin('approve', id)).code).toBe(0);
    expect(await hosts('ana')).toContain(HOST);
    const session = ana.start('sft', ['ssh', HOST, '--', 'echo here; sleep 120'], { input: '' });
    await session.until('here');
    const cut = await session.ended;
    expect([cut.code, cut.stderr]).toEqual([255, expect.stringContaining('sft: ')]);
    expect(await hosts('ana')).not.toContain(HOST);
    expect((await ana.sft('ssh', HOST, '--', 'true')).code).toBe(77);
    await expect
      .poll(async () => (await shown('ana', id)).state, { timeout: 30_000 })
      .toBe('ended');
    expect(await logged(id)).toEqual(STORY);
    const show = (await ana.sft('request', 'show', id)).stdout;
    expect(show).toMatch(/added to Patch crew, timer set to .*\n.*ended: removed from Patch crew/);
  }, 120_000);

  it('by REST, while the service is killed before the time is over and starts again after it', async () => {
    const entry = (await rest('bo')<{ list: CatalogEntry[] }>('GET', '/catalog')).body.list.find(
      ({ request_type }) => request_type.name === 'Patch crew',
    )!;
    const raised = await rest('bo')<AccessRequest>('POST', '/access_requests', {
      body: {
        request_type_id: entry.request_type.id,
        target: { type: 'group_membership' },
        answers: { justification: 'patch day', time: '20s' },
      },
    });
    const { id, etag } = raised.body;
    const decided = await rest('dana')<AccessRequest>('POST', `/access_requests/${id}/decisions`, {
      headers: { 'if-match': `"${etag}"` },
      body: { decision: 'approve', step: 0 },
    });
    expect([decided.status, decided.body.state]).toEqual([200, 'active']);
    const over = Date.parse(decided.body.ends_at!);
    expect(await hosts('bo')).toContain(HOST);
    await world.service.stop('SIGKILL');
    await new Promise((done) => setTimeout(done, over - Date.now() + 500));
    world.service = await world.service.restart();
    expect(await hosts('bo')).not.toContain(HOST);
    await expect.poll(async () => (await shown('bo', id)).state, { timeout: 60_000 }).toBe('ended');
    expect((await shown('bo', id)).memberships).toMatchObject([{ removed_at: expect.any(String) }]);
    expect(await logged(id)).toEqual(STORY);
  }, 180_000);
});
