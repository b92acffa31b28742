import type { Answer, Server } from '@postern/shared';
import { beforeAll, describe, expect, it } from 'vitest';
import { applyAs, newEngineer, policyFor, tokenFor } from '../world/engineer.ts';
import { grant, HOST, methodFor } from '../world/grant.ts';
import { personAt } from '../world/people.ts';
import { restOf } from '../world/rest.ts';
import { connectSsh, openByRest } from '../world/ssh-session.ts';
import type { World } from '../world/world.ts';
import { again, connected, cuts, hasNoAccess, liveSession, needsApproval, SSH } from './live.ts';

/** The same target under another name, for what is done to a server. */
const OTHER = 'other-linux';
const SSH_OTHER = ['ssh', OTHER, '--account', 'pamadmin1'];

/** Whatever takes an access away ends its live session at once, and the next one does not begin. */
export function cutsSuite(site: () => World): void {
  describe('a live session is cut, and the next connection refused', () => {
    beforeAll(async () => {
      const groups = ['rule-goes', 'channel-goes'];
      await applyAs(
        site(),
        'pat',
        groups.map((name) => ({ kind: 'Group', name })),
      );
      await applyAs(
        site(),
        'sam',
        groups.map((name) => policyFor(name)),
      );
      await addOtherServer(site());
    });

    it('revoke: 255, then an approval is needed again; a session opened before is not admitted', async () => {
      const { person, request, live } = await connected(site(), 'revoked');
      const method = await methodFor(site().service, person, 'pamadmin1');
      const early = await openByRest(site().service, person, method);
      await cuts(live, /revoked/, () => site().people.dana.admin('revoke', request));
      await expect(connectSsh(early)).rejects.toThrow();
      await needsApproval(person);
    });

    it('drop: 255, then an approval is needed again', async () => {
      const { person, request, live } = await connected(site(), 'dropped');
      await cuts(live, /gave|given|drop/i, () => person.sft('drop', request));
      await needsApproval(person);
    });

    it('user disabled: 255, then he is not logged in', async () => {
      const { person, live } = await connected(site(), 'disabled');
      await cuts(live, /disabled/, () => site().people.pat.admin('users', 'disable', 'disabled'));
      expect(await again(person)).toMatchObject({ code: 78, stdout: '' });
    });

    it('group left: 255, then there is no such access', async () => {
      const { person, live } = await connected(site(), 'leaver');
      await cuts(live, /policy/, () =>
        site().people.pat.admin('groups', 'remove', 'linux-users', 'leaver'),
      );
      await hasNoAccess(person);
    });

    it('policy tightened, the rule names the account no more: 255, then no such access', async () => {
      const { person, live } = await connected(site(), 'ruled', 'rule-goes');
      await cuts(live, /policy/, () =>
        applyAs(site(), 'sam', [policyFor('rule-goes', { usernames: ['pamadmin2'] })]),
      );
      await hasNoAccess(person);
    });

    it('policy tightened, a channel less: 255, and the channel is refused from then on', async () => {
      const { person, live } = await connected(site(), 'channelled', 'channel-goes');
      await cuts(live, /policy/, () =>
        applyAs(site(), 'sam', [policyFor('channel-goes', { channels: ['sftp'] })]),
      );
      const refused = await again(person);
      expect(refused.stdout).toBe('');
      expect([75, 255]).toContain(refused.code);
    });

    it('admin terminate: 255, and as the approval stays he may connect again', async () => {
      const { person, live } = await connected(site(), 'terminated');
      const rest = restOf(site().service, person.token);
      const mine = await rest<Answer<'listSessions'>>('GET', '/sessions?view=mine&state=live');
      const [session] = mine.body.list;
      await cuts(live, /ended|terminat/, () =>
        site().people.sam.admin('sessions', 'terminate', session!.id),
      );
      expect((await person.sft(...SSH, '--', 'exit 5')).code).toBe(5);
    });

    it('token revoked: 255 for the session that it opened, then 78; his other token still serves', async () => {
      const { service, people, directory } = site();
      const person = await newEngineer(site(), 'tokened');
      await grant(service, person, people.dana, 'pamadmin1');
      const token = await tokenFor(site(), 'tokened');
      const other = personAt(service, directory, 'tokened-2', token);
      const live = await liveSession(other);
      const who = await restOf(service, token)<Answer<'whoami'>>('GET', '/whoami');
      await cuts(live, /token/, () => people.pat.admin('tokens', 'revoke', who.body.token.id));
      const refused = await other.sft(...SSH, '--', 'id');
      expect(refused).toMatchObject({ code: 78, stdout: '' });
      expect(refused.stderr).toMatch(/^sft: .+\n.+\n$/);
      expect((await person.sft(...SSH, '--', 'exit 5')).code).toBe(5);
    });

    it("the server's host key changed: 255, and the gateway refuses what shows another key", async () => {
      const person = await newEngineer(site(), 'host-key');
      await grant(site().service, person, site().people.dana, 'pamadmin1', OTHER);
      const live = await liveSession(person, SSH_OTHER);
      const server = await otherServer(site());
      const rest = restOf(site().service, site().people.sam.token);
      const path = `/inventory/servers/${server.id}`;
      const another =
        'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILm4ZQwSbCKJaC0XsvYwNsYx2vRRmhPdVhRkPdcfOTbz';
      await cuts(live, /server/, () => rest('PATCH', path, { body: { host_keys: [another] } }));
      const refused = await person.sft(...SSH_OTHER, '--reason', 'again', '--', 'id');
      expect(refused).toMatchObject({ code: 75, stdout: '' });

      // Also with the credentials entered anew, which a new host key asks for.
      await sealCredentials(site(), server.id);
      await grant(site().service, person, site().people.dana, 'pamadmin1', OTHER);
      const mismatch = await person.sft(...SSH_OTHER, '--', 'id');
      expect(mismatch).toMatchObject({ code: 255, stdout: '' });
      expect(mismatch.stderr).toMatch(/^sft: .*host key/);
      await rest('PATCH', path, { body: { host_keys: server.host_keys } });
      await sealCredentials(site(), server.id);
      await grant(site().service, person, site().people.dana, 'pamadmin1', OTHER);
      expect((await person.sft(...SSH_OTHER, '--', 'exit 6')).code).toBe(6);
    });

    it('account removed: 255, then there is no such account', async () => {
      const person = await newEngineer(site(), 'accounted');
      await grant(site().service, person, site().people.dana, 'pamadmin2', OTHER);
      const ssh = ['ssh', OTHER, '--account', 'pamadmin2'];
      const live = await liveSession(person, ssh);
      const rest = restOf(site().service, site().people.sam.token);
      const { id } = await otherServer(site());
      await cuts(live, /server or its account/, () =>
        rest('DELETE', `/inventory/servers/${id}/accounts/pamadmin2`),
      );
      const refused = await person.sft(...ssh, '--reason', 'again', '--', 'id');
      expect(refused).toMatchObject({ code: 77, stdout: '' });
    });
  });
}

async function serverNamed(world: World, hostname: string): Promise<Server> {
  const rest = restOf(world.service, world.people.sam.token);
  const { body } = await rest<Answer<'listInventory'>>('GET', '/inventory/servers');
  const server = body.list.find((one) => one.hostname === hostname);
  if (server === undefined) throw new Error(`there is no server ${hostname}`);
  return server;
}

const otherServer = (world: World) => serverNamed(world, OTHER);

async function addOtherServer(world: World): Promise<void> {
  const { access_address, access_port, host_keys } = await serverNamed(world, HOST);
  await applyAs(world, 'sam', [
    {
      kind: 'Server',
      resource_group: 'demo',
      project: 'demo',
      hostname: OTHER,
      access_address,
      access_port,
      host_keys,
      labels: { env: 'demo' },
      allow_local_address: true,
    },
  ]);
  await sealCredentials(world, (await otherServer(world)).id);
}

async function sealCredentials(world: World, serverId: string): Promise<void> {
  const rest = restOf(world.service, world.people.sam.token);
  for (const [username, password] of Object.entries(world.target.passwords)) {
    const sealed = await rest('PUT', `/inventory/servers/${serverId}/accounts/${username}`, {
      body: { credential: { type: 'password', password } },
    });
    if (sealed.status !== 200) throw new Error(sealed.text);
  }
}
