import type { AccessRequest, Answer } from '@postern/shared';
import { beforeAll, describe, expect, it } from 'vitest';
import { newEngineer } from '../world/engineer.ts';
import { ask, decide, grant, HOST, methodFor } from '../world/grant.ts';
import type { Person } from '../world/people.ts';
import { restOf } from '../world/rest.ts';
import { connectSsh, execSsh, openByRest } from '../world/ssh-session.ts';
import type { World } from '../world/world.ts';

const SSH = ['ssh', HOST, '--account', 'pamadmin1'];

const idIn = (text: string): string => /Request ([0-9a-f-]{36})/.exec(text)?.[1] ?? '';

/** Use case 1 from asking to connecting, and every way in which it ends without. */
export function accessSuites(site: () => World): void {
  describe('the seven steps', () => {
    it('by the command line alone', async () => {
      const person = await newEngineer(site(), 'seven');
      const listed = await person.sft('list-servers');
      expect(listed.stdout).toContain(HOST);
      const raised = await person.sft(...SSH, '--reason', 'rotate the logs', '--', 'id');
      expect(raised).toMatchObject({ code: 75, stdout: '' });
      expect(raised.stderr).toContain(
        'It can be approved by Dana Reyes or 2 people in linux-approvers.\n' +
          'Run the same command again when it is approved, or add --wait.\n',
      );
      const id = idIn(raised.stderr);
      const again = await person.sft(...SSH, '--reason', 'rotate the logs', '--', 'id');
      expect(again.code).toBe(75);
      expect(idIn(again.stderr)).toBe(id);
      expect((await site().people.dana.admin('requests', 'list')).stdout).toContain(id);
      expect((await site().people.dana.admin('approve', id)).code).toBe(0);
      const connected = await person.sft(...SSH, '--', 'echo $LOGNAME; id -un');
      expect(connected.code).toBe(0);
      const runsAs = site().sshd ? 'pamadmin1' : connected.stdout.split('\n')[1];
      expect(connected.stdout).toBe(`pamadmin1\n${runsAs}\n`);
      expect(connected.stderr).toBe('');
    });

    it('by REST alone, and any SSH client', async () => {
      const person = await newEngineer(site(), 'rest');
      const rest = restOf(site().service, person.token);
      const closed = await rest<Answer<'resolve'>>('POST', '/resolve', { body: { names: [HOST] } });
      const [server] = closed.body.servers;
      const method = closed.body.user_access_methods.find((m) => m.identity === 'pamadmin2');
      const condition = method?.conditionals.find((c) => c.type === 'access_request');
      expect(method).toMatchObject({ allowed: false, server_id: server?.id, expires_at: null });
      expect(condition).toMatchObject({ condition_is_met: false, expires_after_seconds: 1800 });
      const refused = await openByRest(site().service, person, method!);
      expect(refused.reply.status).toBe(403);
      expect(refused.reply.body).toMatchObject({ code: 'approval_required' });
      const body = {
        request_type_id: condition?.request_type.id,
        target: {
          type: 'server_access',
          server_id: server?.id,
          identity: 'pamadmin2',
          access_credential: method?.access_credential,
        },
        answers: { justification: 'rotate the logs' },
      };
      const raised = await rest<AccessRequest>('POST', '/access_requests', { body });
      expect(raised.status).toBe(201);
      expect((await rest<AccessRequest>('POST', '/access_requests', { body })).status).toBe(200);

      const dana = restOf(site().service, site().people.dana.token);
      const path = `/access_requests/${raised.body.id}`;
      const decision = { decision: 'approve', step: 0, comment: null };
      const blind = await dana('POST', `${path}/decisions`, { body: decision });
      expect(blind.status).toBeGreaterThanOrEqual(400);
      const stale = await dana('POST', `${path}/decisions`, {
        body: decision,
        headers: { 'if-match': '"0"' },
      });
      expect(stale.status).toBe(412);
      const etag = (await dana(`GET`, path)).headers.get('etag') ?? '';
      const approved = await dana<AccessRequest>('POST', `${path}/decisions`, {
        body: decision,
        headers: { 'if-match': etag },
      });
      expect(approved.status).toBe(200);
      expect(approved.body.approval?.approved_at).toBeTruthy();

      const open = await methodFor(site().service, person, 'pamadmin2');
      expect(open.allowed).toBe(true);
      const opened = await openByRest(site().service, person, open);
      expect(opened.reply.status).toBe(201);
      const client = await connectSsh(opened);
      const ran = await execSsh(client, 'echo $LOGNAME; exit 7');
      client.end();
      expect(ran).toMatchObject({ code: 7, stdout: Buffer.from('pamadmin2\n') });
      await expect(connectSsh(opened)).rejects.toThrow();
    });
  });

  describe('exit codes of sft ssh', () => {
    let ready: Person;
    beforeAll(async () => {
      ready = await newEngineer(site(), 'ready');
      await grant(site().service, ready, site().people.dana, 'pamadmin1');
    });

    it("the remote command's own status, also 255; 128+n for a signal; stderr apart", async () => {
      const ran = (command: string) => ready.sft(...SSH, '--', command);
      expect(await ran('echo out; echo err >&2; exit 7')).toEqual({
        code: 7,
        stdout: 'out\n',
        stderr: 'err\n',
      });
      expect((await ran('exit 255')).code).toBe(255);
      expect((await ran('kill -9 $$')).code).toBe(137);
      expect((await ran('kill -TERM $$')).code).toBe(143);
    });

    it('77 for a host that is unknown, and the same for one that is not his', async () => {
      const unknown = await ready.sft('ssh', 'no-such-host', '--', 'id');
      const forbidden = await site().people.uma.sft('ssh', HOST, '--', 'id');
      expect(unknown.code).toBe(77);
      expect(forbidden.code).toBe(77);
      expect(forbidden.stderr.replace(HOST, 'no-such-host')).toBe(unknown.stderr);
    });

    it('77 for an account that is not his, 64 when there is a choice and nobody to ask', async () => {
      const account = await ready.sft('ssh', HOST, '--account', 'root', '--', 'id');
      expect(account.code).toBe(77);
      expect(account.stderr).toContain('Pass --account with one of: pamadmin1, pamadmin2.');
      const choice = await ready.sft('ssh', HOST, '--', 'id');
      expect(choice.code).toBe(64);
      expect(choice.stderr).toContain('Pass --account with one of: pamadmin1, pamadmin2.');
      const reason = await ready.sft('ssh', HOST, '--account', 'pamadmin2', '--', 'id');
      expect(reason.code).toBe(64);
      expect(reason.stderr).toContain('Pass --reason TEXT.');
    });

    it('77 when it is denied while he waits, and 77 for asking again at once', async () => {
      const person = await newEngineer(site(), 'denied');
      const waiting = person.start('sft', [...SSH, '--reason', 'logs', '--wait', '--', 'id']);
      await waiting.until('Waiting for Dana Reyes');
      const [request] = (
        await restOf(site().service, person.token)<Answer<'listAccessRequests'>>(
          'GET',
          '/access_requests?view=mine',
        )
      ).body.list;
      const denied = await site().people.dana.admin('deny', request!.id, '--reason', 'not today');
      expect(denied.code).toBe(0);
      const ended = await waiting.ended;
      expect(ended.code).toBe(77);
      expect(ended.stderr).toContain(
        `sft: Request ${request!.id} was denied by Dana Reyes: not today\n`,
      );
      const again = await person.sft(...SSH, '--reason', 'please', '--', 'id');
      expect(again.code).toBe(77);
      expect(again.stderr).toContain('denied less than 15 minutes ago');
    });

    it('77 when it is canceled while he waits, 75 when --wait runs out', async () => {
      const person = await newEngineer(site(), 'canceled');
      const { id } = await ask(site().service, person, 'pamadmin1');
      const short = await person.sft(...SSH, '--wait', '--timeout', '1s', '--', 'id');
      expect(short.code).toBe(75);
      const waiting = person.start('sft', [...SSH, '--wait', '--', 'id']);
      await waiting.until('Waiting for Dana Reyes');
      expect((await person.sft('request', 'cancel', id)).code).toBe(0);
      const ended = await waiting.ended;
      expect(ended.code).toBe(77);
      expect(ended.stderr).toContain(`sft: Request ${id} is canceled.`);
      expect((await person.sft('request', 'wait', id)).code).toBe(77);
    });

    it('--wait connects by itself once the approval lands', async () => {
      const person = await newEngineer(site(), 'waits');
      const waiting = person.start('sft', [...SSH, '--reason', 'logs', '--wait', '--', 'echo in']);
      await waiting.until('Waiting for Dana Reyes or 2 people in linux-approvers');
      const { id } = await ask(site().service, person, 'pamadmin1');
      await decide(site().service, site().people.dana, id);
      const since = performance.now();
      await waiting.until('in\n');
      console.log(`approve → connected, command run: ${Math.round(performance.now() - since)} ms`);
      expect(await waiting.ended).toMatchObject({ code: 0, stdout: 'in\n' });
    });
  });
}
