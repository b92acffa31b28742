import { EXIT, verifySessionProof } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import type { SshEnd } from '../../src/ssh/port.ts';
import { script } from '../fake/script.ts';
import { problem, TEAM } from '../fake/service.ts';
import { ending, HOST_KEY, sshFlow } from '../fake/ssh-flow.ts';
import { ANA, approved, id, SERVER, session } from '../fake/things.ts';

const { service, sft } = script();
const { resolves, opens } = sshFlow(service);

describe('sft ssh: opening', () => {
  test('the proof signs team, user, server, account, nonce and the fresh key', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    const { ssh, run } = ending({ kind: 'exited', exit: 0 });
    await sft('ssh opa-demo-linux', { ssh });
    await sft('ssh opa-demo-linux', { ssh });
    const { body } = service().last('openSession');
    expect(
      verifySessionProof(
        {
          team: TEAM,
          user_id: ANA.user.id,
          server_id: SERVER.id,
          identity: 'pamadmin1',
          access_credential: body.access_credential,
          nonce: 'nonce-1',
          public_key: body.public_key,
        },
        body.proof,
      ),
    ).toEqual({ ok: true });
    const keys = service()
      .received.filter((r) => r.id === 'openSession')
      .map((r) => (r.body as unknown as { public_key: string }).public_key);
    expect(new Set(keys).size).toBe(2);
    const [target] = run.mock.calls[0] ?? [];
    expect(target).toMatchObject({ host: '127.0.0.1', port: 2022, username: id(60) });
    expect(target?.host_keys).toEqual([HOST_KEY]);
  });

  test('what is not allowed any more is refused by the service: 75', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    service().on('openSession', () => problem('approval_required', 'The approval has ended.'));
    const { exit, err } = await sft('ssh opa-demo-linux');
    expect(exit).toBe(EXIT.waiting);
    expect(err).toMatch(/^sft: The approval has ended\.\nRun the same command again/);
  });

  test('the command is what stands after --, joined by spaces', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    const { ssh, run } = ending({ kind: 'exited', exit: 3 });
    const { exit } = await sft(['ssh', 'opa-demo-linux', '--', 'sh', '-c', 'exit 3'], { ssh });
    expect(exit).toBe(3);
    expect(run.mock.calls[0]?.[1].command).toBe('sh -c exit 3');
  });

  test('forwards are parsed before anything is asked: 64', async () => {
    for (const flag of [
      '-L 80',
      '-R a:b',
      '-D 99999',
      '-L 0:x:1',
      '--timeout 5m',
      '--wait --timeout x',
    ]) {
      const { exit } = await sft(`ssh opa-demo-linux ${flag}`);
      expect([flag, exit]).toEqual([flag, EXIT.usage]);
    }
    expect(service().asked).toEqual([]);
  });

  test('forwards reach the client', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    const { ssh, run } = ending({ kind: 'exited', exit: 0 });
    await sft('ssh opa-demo-linux -N -L 8080:db:5432 -L [::1]:81:[fd00::2]:82 -R 0:x:22 -D 1080', {
      ssh,
    });
    expect(run.mock.calls[0]?.[1]).toMatchObject({
      forwards_only: true,
      local: [
        { bind: '127.0.0.1', port: 8080, host: 'db', host_port: 5432 },
        { bind: '::1', port: 81, host: 'fd00::2', host_port: 82 },
      ],
      remote: [{ bind: '127.0.0.1', port: 0, host: 'x', host_port: 22 }],
      dynamic: [{ bind: '127.0.0.1', port: 1080 }],
    });
  });
});

describe('sft ssh: the end of a session', () => {
  const sleep = async () => undefined;
  const endsWith = async (end: SshEnd, reason: string | null) => {
    resolves(approved('pamadmin1', 5));
    opens();
    service().on('getSession', () => ({ body: session({ end_reason: reason }) }));
    return await sft('ssh opa-demo-linux', { ssh: ending(end).ssh });
  };

  test('cut: 255, and one line why, as the service knows it', async () => {
    const { exit, err } = await endsWith({ kind: 'lost', why: undefined }, 'revoked');
    expect(exit).toBe(EXIT.transport);
    expect(err).toMatch(/^sft: Your access was revoked\.\n.+\n$/);
  });

  test("lost, and the service knows nothing: the gateway's own words", async () => {
    const { exit, err } = await endsWith({ kind: 'lost', why: 'The key was used.\u001b[2J' }, null);
    expect(exit).toBe(EXIT.transport);
    expect(err).toBe('sft: The key was used.\ufffd[2J\nRun the same command again.\n');
  });

  test('the service learns of the end a moment later: it is asked again', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    let asked = 0;
    service().on('getSession', () => ({
      body:
        ++asked < 3
          ? session({ state: 'live' })
          : session({ state: 'ended', end_reason: 'recording_failed' }),
    }));
    const { ssh } = ending({ kind: 'lost', why: undefined });
    const { exit, err } = await sft('ssh opa-demo-linux', { ssh, clock: { sleep } });
    expect([exit, asked]).toEqual([EXIT.transport, 3]);
    expect(err).toMatch(/^sft: The session could not be recorded, so it was ended\.\n/);
  });

  test('the service never learns of it: asked five times, and no longer', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    let asked = 0;
    service().on('getSession', () => ({ body: session({ state: ++asked > 0 ? 'live' : 'cut' }) }));
    const { exit, err } = await sft('ssh opa-demo-linux', {
      ssh: ending({ kind: 'lost', why: undefined }).ssh,
      clock: { sleep },
    });
    expect([exit, asked]).toEqual([EXIT.transport, 5]);
    expect(err).toContain('The connection was lost.');
  });

  test('another host key than the pinned one: 255, never a question', async () => {
    const { exit, err } = await endsWith(
      { kind: 'host_key_mismatch', fingerprint: 'SHA256:abc' },
      null,
    );
    expect(exit).toBe(EXIT.transport);
    expect(err).toContain('SHA256:abc');
    expect(err).toContain('Do not go on');
  });

  test('the service away as well: still 255', async () => {
    resolves(approved('pamadmin1', 5));
    opens();
    service().on('getSession', () => ({ status: 502, raw: 'bad gateway' }));
    const { exit } = await sft('ssh opa-demo-linux', {
      ssh: ending({ kind: 'lost', why: undefined }).ssh,
    });
    expect(exit).toBe(EXIT.transport);
  });
});
