import type { Client, ClientCallback, ClientChannel } from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect, run, until } from './run.ts';
import { startWorld, type TestWorld } from './world.ts';

const ALL = ['shell', 'exec', 'sftp', 'local_forward', 'remote_forward'];

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld({ limits: { refusals: 30 } });
});
afterAll(() => world.close());

const promised = <T>(start: (done: (error: Error | undefined | null, value: T) => void) => void) =>
  new Promise<T>((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value)));
  });

/** A refused command says why and fails with 255: to the client that is the failure. */
function started(open: (done: ClientCallback) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    open((error, channel) => {
      if (error) return reject(error);
      // In this tick: the reason and the status may be in the same read as the reply.
      void collect(channel).then(({ status, stdout, stderr }) => {
        if (status === 255 && stdout === '') reject(new Error(stderr));
        else resolve();
      });
    });
  });
}

/** Each asks for one thing; it must fail at the client and leave no trace at the target. */
const ASKS: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  shell: (client) => started((done) => client.shell({}, done)),
  exec: (client) => started((done) => client.exec('echo leaked', done)),
  sftp: (client) => promised((done) => client.sftp(done)),
  local_forward: (client) =>
    promised((done) => client.forwardOut('127.0.0.1', 1, '127.0.0.1', world.target.port, done)),
  remote_forward: (client) => promised((done) => client.forwardIn('127.0.0.1', 0, done)),
};

/** Refused whatever is granted. */
const NEVER: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  'another subsystem': (client) => started((done) => client.subsys('netconf', done)),
  'a unix socket, out': (client) =>
    promised((done) => client.openssh_forwardOutStreamLocal('/run/docker.sock', done)),
  'a unix socket, in': (client) =>
    promised((done) =>
      client.openssh_forwardInStreamLocal('/tmp/x.sock', (error) => done(error, undefined)),
    ),
  X11: (client) => promised((done) => client.exec('echo leaked', { x11: true }, done)),
};

const trace = () => {
  const { commands, channels } = world.target.seen;
  return [...commands, ...channels];
};

describe('channels', () => {
  for (const [needed, ask] of Object.entries(ASKS)) {
    test(`deny: ${needed} where everything else is granted`, async () => {
      const before = trace();
      const { client, id } = await world.connect({ channels: ALL.filter((c) => c !== needed) });
      await expect(ask(client)).rejects.toThrow();
      expect(trace()).toEqual(before);
      await until('recorded', () => world.events(id).some((e) => e.type === 'refused'));
      client.end();
    });
  }

  for (const [what, ask] of Object.entries(NEVER)) {
    test(`deny: ${what}, though all channels are granted`, async () => {
      const before = trace();
      const { client } = await world.connect({ channels: ALL });
      await expect(ask(client)).rejects.toThrow();
      expect(trace()).toEqual(before);
      client.end();
    });
  }

  test('deny: the agent is not forwarded', async () => {
    const session = world.open({ channels: ALL });
    const before = trace();
    const client = await world.login(session, { agent: '/nonexistent', agentForward: true });
    await promised((done) => client.exec('true', done)).catch(() => {});
    expect(trace()).toEqual(before);
    client.end();
  });

  test('deny: whoever asks for a command on a terminal learns why', async () => {
    const { client } = await world.connect({ channels: ['sftp'] });
    expect(await run(client, 'echo leaked', { pty: true })).toMatchObject({
      status: 255,
      stdout: '',
      stderr: 'sft: this access does not include exec, only sftp\r\n',
    });
    client.end();
  });

  test('deny: channels beyond the tenth, and a closed one makes room', async () => {
    const { client } = await world.connect({ channels: ALL });
    const open: ClientChannel[] = [];
    for (let i = 0; i < 10; i += 1)
      open.push(await promised<ClientChannel>((done) => client.exec('cat', done)));
    await expect(run(client, 'echo eleventh')).rejects.toThrow();
    await expect(ASKS.local_forward?.(client)).rejects.toThrow();
    const [first] = open;
    if (first === undefined) throw new Error('none open');
    const over = collect(first);
    first.end();
    await over;
    expect((await run(client, 'echo again')).stdout).toBe('again\n');
    client.end();
  });

  test('deny: a second command on one channel', async () => {
    const { client } = await world.connect();
    const channel = await promised<ClientChannel>((done) => client.exec('cat', done));
    const wire = client as unknown as {
      _protocol: { exec: (id: number, command: string, reply: boolean) => void };
    };
    const { outgoing } = channel as unknown as { outgoing: { id: number } };
    wire._protocol.exec(outgoing.id, 'echo leaked', false);
    const outcome = collect(channel);
    channel.end('x');
    expect((await outcome).stdout).toBe('x');
    expect(world.target.seen.commands).not.toContain('echo leaked');
    client.end();
  });

  test('flood: after too many refusals the connection is ended', async () => {
    const { client, id } = await world.connect({ channels: ['shell'] });
    const asks = Array.from({ length: 40 }, () => ASKS.local_forward?.(client).catch(() => {}));
    await Promise.all(asks);
    expect(await world.service.ended(id)).toMatchObject({ reason: 'limit_exceeded' });
  });

  test('environment: only LANG, LC_* and TERM reach the target', async () => {
    const { client } = await world.connect();
    const env = {
      LANG: 'C.UTF-8',
      LC_ALL: 'C',
      LD_PRELOAD: '/tmp/x.so',
      PATH: '/tmp',
      BASH_ENV: 'x',
    };
    await run(client, 'true', { env });
    expect(world.target.seen.env).toEqual({ LANG: 'C.UTF-8', LC_ALL: 'C' });
    client.end();
  });
});
