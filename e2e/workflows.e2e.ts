import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccessRequest } from '@postern/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, HOST, methodFor } from './world/grant.ts';
import type { Login } from './world/people.ts';
import { restOf } from './world/rest.ts';
import type { Running } from './world/run.ts';
import { connectSsh, execSsh, openByRest } from './world/ssh-session.ts';
import { openWorld, type World } from './world/world.ts';

/** Manager, then two of a group and an owner, then the security team as well. */
const TYPE = `
kind: RequestType
name: Server access approval
purpose: server_access
audience: everyone
fields: [{key: justification, prompt: Why?, type: text}]
steps:
  - {name: Manager, needs: {any: 1, of: [manager]}}
  - name: Approvers and owner
    needs: {all: [{any: 2, of: ["group:linux-approvers"]}, {any: 1, of: [resource_owner]}]}
    timeout: 1m
    on_timeout: {escalate_to: ["group:security"]}
on_approved: [grant_access]
`;

let world: World;

beforeAll(async () => {
  world = await openWorld({ sshd: false });
  const file = join(world.directory, 'type.yaml');
  writeFileSync(file, TYPE);
  for (const args of [
    ['sam', 'apply', '-f', file],
    ['pat', 'groups', 'add', 'security', 'uma'],
  ]) {
    const [who, ...words] = args as [Login, ...string[]];
    const ran = await world.people[who].admin(...words);
    expect([words.join(' '), ran.code, ran.stderr]).toEqual([words.join(' '), 0, '']);
  }
}, 180_000);
afterAll(() => world?.end());

/** One way of doing what people do; both raise for an account of their own. */
interface Way {
  /** @returns the request's id. */
  raise(): Promise<string>;
  approve(who: Login, id: string): Promise<number>;
  read(id: string): Promise<AccessRequest>;
  /** Connects as the account, and answers what that prints. */
  connect(id: string): Promise<string>;
}

function byCli(): Way {
  let waiting: Running;
  return {
    async raise() {
      const words = ['ssh', HOST, '--account', 'pamadmin1', '--reason', 'x', '--wait'];
      const { ellis } = world.people;
      waiting = ellis.start('sft', [...words, '--', 'echo "I am $LOGNAME"'], { input: '' });
      await waiting.until('raised. It can be approved by Dana Reyes.');
      const list = await ellis.sft('request', 'list', '--state', 'pending', '-o', 'json');
      const mine = (JSON.parse(list.stdout) as AccessRequest[]).filter(
        ({ target }) => target.type === 'server_access' && target.identity === 'pamadmin1',
      );
      expect(mine).toHaveLength(1);
      return mine[0]!.id;
    },
    approve: async (who, id) => (await world.people[who].admin('approve', id)).code,
    read: async (id) =>
      JSON.parse((await world.people.ellis.sft('request', 'show', id, '-o', 'json')).stdout),
    async connect() {
      const ran = await waiting.ended;
      expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('raised.')]);
      return ran.stdout;
    },
  };
}

function byRest(): Way {
  const rest = (who: Login) => restOf(world.service, world.people[who].token);
  const read = async (id: string, who: Login = 'ellis') =>
    (await rest(who)<AccessRequest>('GET', `/access_requests/${id}`)).body;
  return {
    raise: async () => (await ask(world.service, world.people.ellis, 'pamadmin2')).id,
    async approve(who, id) {
      const { etag, steps } = await read(id, who);
      const step = steps.find((s) => s.state === 'current')?.index ?? 0;
      const reply = await rest(who)('POST', `/access_requests/${id}/decisions`, {
        headers: { 'if-match': `"${etag}"` },
        body: { decision: 'approve', step },
      });
      return reply.status === 200 ? 0 : 77;
    },
    read,
    async connect() {
      const { ellis } = world.people;
      const method = await methodFor(world.service, ellis, 'pamadmin2');
      const opened = await openByRest(world.service, ellis, method);
      const session = await connectSsh(opened);
      try {
        return String((await execSsh(session, 'echo "I am $LOGNAME"')).stdout);
      } finally {
        session.end();
      }
    },
  };
}

describe('manager, then two approvers and the owner, then the security team', () => {
  it('end to end, by CLI and by REST at once', { timeout: 180_000 }, async () => {
    await Promise.all(
      [byCli(), byRest()].map(async (way, i) => {
        const id = await way.raise();
        // Who is asked later cannot decide now; the requester never.
        expect(await way.approve('ana', id)).toBe(77);
        expect(await way.approve('ellis', id)).toBe(77);
        expect(await way.approve('dana', id)).toBe(0);
        expect(await way.approve('ana', id)).toBe(0);
        // Twice is once; the first step's approver does not count in the second.
        expect(await way.approve('ana', id)).toBe(77);
        expect(await way.approve('dana', id)).toBe(77);
        expect(await way.approve('uma', id)).toBe(77);
        const before = await way.read(id);
        expect([before.state, before.steps.map((s) => s.state)]).toEqual([
          'pending',
          ['met', 'current'],
        ]);
        await expect
          .poll(async () => JSON.stringify((await way.read(id)).steps[1]!.still_needed), {
            timeout: 90_000,
            interval: 2_000,
          })
          .toContain('group:security');
        expect(await way.approve('uma', id)).toBe(0);
        expect((await way.read(id)).state).toBe('pending');
        expect(await way.approve('sam', id)).toBe(0);
        const after = await way.read(id);
        expect([after.state, after.approval !== null]).toEqual(['approved', true]);
        expect(after.decisions.map((d) => d.by.name)).toEqual([
          'Dana Reyes',
          'Ana Silva',
          'Uma Rao',
          'Sam Okoro',
        ]);
        expect(await way.connect(id)).toBe(`I am ${i === 0 ? 'pamadmin1' : 'pamadmin2'}\n`);
        const log = await world.people.uma.admin('log', 'search', '--request', id, '-o', 'json');
        const types = (JSON.parse(log.stdout) as { type: string }[]).map((event) => event.type);
        expect(types.filter((type) => type === 'access.request.escalate')).toHaveLength(1);
        expect(types.filter((type) => type === 'access.request.resolve')).toHaveLength(1);
      }),
    );
  });
});
