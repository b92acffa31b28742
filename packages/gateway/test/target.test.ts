import { createServer } from 'node:net';
import {
  fingerprintOf,
  generateEd25519,
  parsePublicKey,
  publicKeyOf,
  toOpenSshPrivateKey,
} from '@postern/shared';
import { afterEach, describe, expect, test } from 'vitest';
import { run } from './run.ts';
import { freshHostKey, startTarget } from './target.ts';
import { type AdmittedChanges, startWorld, type TestWorld, type WorldOptions } from './world.ts';

const worlds: TestWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(options: WorldOptions = {}): Promise<TestWorld> {
  const world = await startWorld(options);
  worlds.push(world);
  return world;
}

/** What a person sees who runs a command against a target that cannot be used. */
async function failing(world: TestWorld, changes: AdmittedChanges) {
  const { client, id } = await world.connect(changes);
  const outcome = await run(client, 'echo leaked');
  const ended = await world.service.ended(id);
  return { outcome, ended };
}

describe('login at the target', () => {
  test('by password', async () => {
    const world = await start();
    const { client, id } = await world.connect();
    expect((await run(client, 'echo in')).stdout).toBe('in\n');
    expect(world.service.reports).toContainEqual({ id, report: { type: 'login' } });
  });

  test('by keyboard-interactive, answering the one password prompt', async () => {
    const world = await start({ target: { auth: 'keyboard-interactive' } });
    const { client } = await world.connect();
    expect((await run(client, 'echo in')).stdout).toBe('in\n');
  });

  test('by private key', async () => {
    const pair = generateEd25519();
    const publicKey = publicKeyOf(pair.private).line;
    const world = await start({ target: { auth: 'publickey', publicKey } });
    const credential = {
      type: 'private_key',
      private_key: toOpenSshPrivateKey(pair.private),
    } as const;
    const { client } = await world.connect({ target: { credential } });
    expect((await run(client, 'echo in')).stdout).toBe('in\n');
  });

  test('deny: a wrong password ends the session, and is shown nowhere', async () => {
    const world = await start();
    const credential = { type: 'password', password: 'old-secret' } as const;
    const { outcome, ended } = await failing(world, { target: { credential } });
    expect(outcome).toMatchObject({ stdout: '', status: undefined });
    expect(outcome.stderr).toMatch(/^sft: session ended: opa-demo-linux did not accept/);
    expect(outcome.stderr).toContain('sft-admin accounts set');
    expect(ended).toMatchObject({ reason: 'target_auth_failed', exit_status: null });
    expect(JSON.stringify([outcome, ended])).not.toContain('old-secret');
  });

  test('deny: a private key that is none', async () => {
    const world = await start();
    const credential = { type: 'private_key', private_key: 'not a key' } as const;
    const { ended } = await failing(world, { target: { credential } });
    expect(ended.reason).toBe('target_auth_failed');
  });
});

describe("the target's host key", () => {
  test('deny: another key; no credential is sent, the fingerprint and the command are shown', async () => {
    const world = await start();
    const pinned = freshHostKey().line;
    const { outcome, ended } = await failing(world, { target: { host_keys: [pinned] } });
    const shown = parsePublicKey(world.target.hostKeyLine);
    if (!shown.ok) throw new Error('no key');
    expect(ended.reason).toBe('host_key_mismatch');
    expect(outcome.status).toBeUndefined();
    expect(outcome.stderr).toContain(`ssh-ed25519 ${fingerprintOf(shown.value.blob)}`);
    expect(outcome.stderr).toContain('sft-admin servers trust opa-demo-linux');
    expect(world.target.seen.attempts).toBe(0);
  });

  for (const host_keys of [[], ['nonsense'], ['ssh-ed25519 AAAA']])
    test(`deny: pinned ${JSON.stringify(host_keys)} trusts nobody`, async () => {
      const world = await start();
      const { ended } = await failing(world, { target: { host_keys } });
      expect(ended.reason).toBe('host_key_mismatch');
      expect(world.target.seen.attempts).toBe(0);
    });

  test('one of several pinned keys is enough', async () => {
    const world = await start();
    const host_keys = [freshHostKey().line, world.target.hostKeyLine];
    const { client } = await world.connect({ target: { host_keys } });
    expect((await run(client, 'echo in')).stdout).toBe('in\n');
  });
});

describe('the address of the target', () => {
  test('deny: loopback where the record does not allow it', async () => {
    const world = await start();
    for (const host of ['127.0.0.1', 'localhost', '::1', '0.0.0.0', '127.1']) {
      const changes = { target: { host, allow_local_address: false } };
      const { outcome, ended } = await failing(world, changes);
      expect(ended.reason).toBe('target_unreachable');
      expect(outcome.stderr).toContain('allow_local_address');
    }
    expect(world.target.seen.attempts).toBe(0);
  });

  test('deny: the gateway itself, though local addresses are allowed', async () => {
    const world = await start();
    for (const host of ['127.0.0.1', 'localhost', '0.0.0.0']) {
      const target = { host, port: world.gateway.port, allow_local_address: true };
      const { outcome, ended } = await failing(world, { target });
      expect(ended.reason).toBe('target_unreachable');
      expect(outcome.stderr).toContain('points at the gateway itself');
    }
    expect(world.service.admissions).toHaveLength(3);
  });

  test('deny: the gateway itself, behind a forwarded port, by its host key', async () => {
    const world = await start();
    const { connect } = await import('node:net');
    const relay = createServer((socket) => {
      const on = connect(world.gateway.port, '127.0.0.1');
      socket.on('error', () => {}).pipe(on.on('error', () => {}));
      on.pipe(socket);
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    const { port } = relay.address() as { port: number };
    for (const host_keys of [[world.hostKeyLine], [world.target.hostKeyLine]]) {
      const { outcome, ended } = await failing(world, { target: { port, host_keys } });
      expect(ended.reason).toBe('target_unreachable');
      expect(outcome.stderr).toContain('points at the gateway itself');
    }
    relay.close();
  });

  test('nobody listens: said in one line, with where', async () => {
    const world = await start();
    const dead = await startTarget();
    await dead.close();
    const { outcome, ended } = await failing(world, { target: { port: dead.port } });
    expect(ended.reason).toBe('target_unreachable');
    expect(outcome.stderr).toContain(
      `cannot reach opa-demo-linux at 127.0.0.1:${dead.port}: connection refused`,
    );
  });

  test('a name that does not exist', async () => {
    const world = await start();
    const { outcome } = await failing(world, { target: { host: 'no-such-host.invalid' } });
    expect(outcome.stderr).toContain('cannot reach opa-demo-linux at no-such-host.invalid');
  });

  test('a listener that never speaks SSH is given up in time', async () => {
    const world = await start({ limits: { connectMs: 200 } });
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const { ended } = await failing(world, { target: { port } });
    expect(ended.reason).toBe('target_unreachable');
    silent.close();
  });
});

describe('a target that goes away', () => {
  test('what it printed is shown, then why the session ended', async () => {
    const world = await start();
    const { client, id } = await world.connect();
    const outcome = await run(client, 'echo last words; sleep 60', {}, (channel) => {
      channel.once('data', () => world.target.crash());
    });
    expect(outcome).toMatchObject({ stdout: 'last words\n', status: undefined });
    expect(outcome.stderr).toContain('sft: session ended: the server closed the connection');
    expect(await world.service.ended(id)).toMatchObject({ reason: 'target_closed' });
  });

  test('a command the target refuses: said, without a status', async () => {
    const world = await start({ target: { refuseSessions: true } });
    const { client } = await world.connect();
    const outcome = await run(client, 'echo x');
    expect(outcome).toMatchObject({ stdout: '', status: undefined });
    expect(outcome.stderr).toContain('the server refused');
  });
});
