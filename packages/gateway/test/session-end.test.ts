import { existsSync } from 'node:fs';
import type { ClientChannel } from 'ssh2';
import { afterEach, describe, expect, test } from 'vitest';
import { type OpenSink, openFile } from '../src/appender.ts';
import { LIMITS } from '../src/limits.ts';
import { castPath } from '../src/recording.ts';
import { ServiceUnavailable } from '../src/service-port.ts';
import { collect, type Outcome, run, shell, until } from './run.ts';
import { startWorld, type TestWorld, type WorldOptions } from './world.ts';

const HOUR = 3_600_000;
/** Nothing ends a session here by the way, only what the test is about. */
const ALONE = { renewMs: HOUR, leaseMs: 2 * HOUR };
const worlds: TestWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(options: WorldOptions = {}): Promise<TestWorld> {
  const world = await startWorld(options);
  worlds.push(world);
  return world;
}

/** A command that would run for a minute, and what it came to. */
async function longCommand(world: TestWorld, seconds_left = 3600) {
  const { client, id } = await world.connect({ seconds_left });
  let outcome: Promise<Outcome> | undefined;
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.exec('echo started; exec sleep 60', (error, opened) => {
      if (error) return reject(error);
      outcome = collect(opened);
      opened.once('data', () => resolve(opened));
    });
  });
  if (outcome === undefined) throw new Error('not open');
  return { client, id, channel, outcome };
}

const cutOf = (session_id: string, reason = 'revoked', message = 'revoked by Dana Reyes') =>
  ({ type: 'cut', session_id, reason, message }) as const;

describe('a cut', () => {
  test('ends the session on the signal itself: one line why, no status, the command is hung up', async () => {
    const world = await start({ limits: { ...ALONE, tickMs: HOUR } });
    const { id, outcome } = await longCommand(world);
    world.service.signal(cutOf(id));
    expect(await outcome).toMatchObject({
      stdout: 'started\n',
      stderr: 'sft: session ended: revoked by Dana Reyes\n',
      status: undefined,
      signal: undefined,
    });
    expect(await world.service.ended(id)).toMatchObject({ reason: 'revoked', exit_status: null });
    expect(world.gateway.sessions()).toEqual([]);
  });

  test('ends that session only', async () => {
    const world = await start();
    const one = await longCommand(world);
    const two = await longCommand(world);
    world.service.signal(cutOf(one.id));
    await one.outcome;
    await world.service.ended(one.id);
    expect(world.gateway.sessions()).toEqual([two.id]);
    expect((await run(two.client, 'echo fine')).stdout).toBe('fine\n');
  });

  test('by the answer to a renewal, when the stream was lost', async () => {
    const world = await start({ limits: { renewMs: 50 } });
    const { id, outcome } = await longCommand(world);
    world.service.lease = () => ({
      lease_seconds: 15,
      sessions: [{ id, seconds_left: 3600 }],
      cut: [{ id, reason: 'user_disabled', message: 'the account was disabled' }],
    });
    expect((await outcome).stderr).toBe('sft: session ended: the account was disabled\n');
    expect(await world.service.ended(id)).toMatchObject({ reason: 'user_disabled' });
  });

  test('what the client types after it never reaches the target', async () => {
    const world = await start();
    const { client, id } = await world.connect();
    const channel = await shell(client);
    await until('prompt', () => world.target.seen.channels.includes('shell'));
    const outcome = collect(channel);
    world.service.signal(cutOf(id));
    channel.write('too late\n');
    await outcome;
    expect(world.target.seen.input).not.toContain('too late');
  });

  test('a client that reads nothing is cut all the same', async () => {
    const world = await start();
    const { client, id } = await world.connect();
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      client.exec('yes', (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    channel.pause();
    channel.on('error', () => {});
    await new Promise((resolve) => setTimeout(resolve, 200));
    world.service.signal(cutOf(id));
    await world.service.ended(id);
    await until('gone', () => world.gateway.sessions().length === 0);
  });

  test('shows no control characters of the message', async () => {
    const world = await start();
    const { id, outcome } = await longCommand(world);
    world.service.signal(cutOf(id, 'terminated', 'because\u001b[2J\u202e'));
    expect((await outcome).stderr).toBe('sft: session ended: because\ufffd[2J\ufffd\n');
  });
});

describe('the end of its time', () => {
  test('expired: on the clock of the gateway, without an answer from the service', async () => {
    const world = await start({ limits: ALONE });
    const { id, outcome } = await longCommand(world, 600);
    world.pass(600_000);
    expect((await outcome).stderr).toBe('sft: session ended: its time is over\n');
    expect(await world.service.ended(id)).toMatchObject({ reason: 'expired' });
  });

  test('warned: on a terminal, not in the output of a command', async () => {
    const world = await start({ limits: { tickMs: 20 } });
    const { client, id } = await world.connect();
    const terminal = await shell(client);
    const said = collect(terminal);
    const command = await new Promise<ClientChannel>((resolve, reject) => {
      client.exec('cat', (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    const printed = collect(command);
    let warnings = 0;
    terminal.stderr.on('data', () => {
      warnings += 1;
    });
    const there = new Promise((resolve) => command.once('data', resolve));
    command.write('there\n');
    const prompt = new Promise((resolve) => terminal.once('data', resolve));
    terminal.write('size\r');
    await Promise.all([there, prompt]);
    world.service.signal({ type: 'deadline', session_id: id, seconds_left: 59 });
    await until('warned', () => warnings > 0);
    command.end();
    terminal.end('exit 0\r');
    expect((await said).stderr).toBe('\r\nsft: this session ends in 59 seconds\r\n');
    expect((await printed).stderr).toBe('');
  });

  test('an extension keeps the session', async () => {
    const world = await start({ limits: { ...ALONE, tickMs: 20 } });
    const { client, id } = await world.connect({ seconds_left: 600 });
    world.service.signal({ type: 'deadline', session_id: id, seconds_left: 3600 });
    world.pass(700_000);
    const outcome = await run(client, 'sleep 0.3; echo made it');
    expect(outcome.stdout).toBe('made it\n');
  });
});

describe('the lease', () => {
  test('lost: without renewals every session ends', async () => {
    const world = await start({ limits: { renewMs: 50, tickMs: 20 } });
    const one = await longCommand(world);
    const two = await longCommand(world);
    world.service.renew = async () => {
      throw new ServiceUnavailable('no answer');
    };
    world.pass(LIMITS.leaseMs);
    for (const { id, outcome } of [one, two]) {
      expect((await outcome).stderr).toContain('the policy service cannot be reached');
      expect(await world.service.ended(id)).toMatchObject({ reason: 'lease_lost' });
    }
  });

  test('lost: a renewal that hangs counts as none', async () => {
    const world = await start({ limits: { renewMs: 50, tickMs: 20 } });
    const { id, outcome } = await longCommand(world);
    world.service.renew = () => new Promise(() => {});
    world.pass(LIMITS.leaseMs);
    await outcome;
    expect(await world.service.ended(id)).toMatchObject({ reason: 'lease_lost' });
  });

  test('kept: a service that is away for less changes nothing, and hears the end later', async () => {
    const world = await start({ limits: { renewMs: 50 } });
    const { client, id } = await world.connect();
    world.service.down = new ServiceUnavailable('restarting');
    expect((await run(client, 'echo working')).stdout).toBe('working\n');
    client.end();
    await until('ended', () => world.gateway.sessions().length === 0);
    world.service.down = undefined;
    expect(await world.service.ended(id)).toMatchObject({ reason: 'client_closed' });
  });

  test('deny: a session the service no longer lists ends', async () => {
    const world = await start({ limits: { renewMs: 50 } });
    const { id, outcome } = await longCommand(world);
    world.service.lease = () => ({ lease_seconds: 15, sessions: [], cut: [] });
    await outcome;
    expect(await world.service.ended(id)).toMatchObject({ reason: 'terminated' });
  });
});

describe('recording', () => {
  /** Fails once `bytes` have been written to the recordings. */
  const roomFor = (bytes: number): OpenSink => {
    let left = bytes;
    return async (path) => {
      const file = await openFile(path);
      return {
        append: async (chunk) => {
          left -= chunk.length;
          if (left < 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
          await file.append(chunk);
        },
        close: () => file.close(),
      };
    };
  };

  test('disk full: the session ends, and what was not recorded was not shown', async () => {
    const world = await start({ openSink: roomFor(20_000) });
    const { client, id } = await world.connect();
    const outcome = await run(client, 'yes 0123456789 | head -c 500000; sleep 60', {});
    expect(outcome.status).toBeUndefined();
    expect(outcome.stderr).toContain('sft: session ended: it cannot be recorded');
    expect(outcome.stdout.length).toBeLessThan(20_000);
    expect(await world.service.ended(id)).toMatchObject({
      reason: 'recording_failed',
      recording_sha256: null,
      detail: 'recording: ENOSPC',
    });
  });

  test('disk full from the start: the command is never run', async () => {
    const world = await start({ openSink: roomFor(0) });
    const { client, id } = await world.connect();
    await run(client, 'echo leaked').catch(() => {});
    expect(await world.service.ended(id)).toMatchObject({ reason: 'recording_failed' });
    expect(world.target.seen.commands).toEqual([]);
  });

  test('unwritable folder: the login is refused, and the target is not touched', async () => {
    const openSink: OpenSink = async () => {
      throw Object.assign(new Error('read-only'), { code: 'EROFS' });
    };
    const world = await start({ openSink });
    const session = world.open();
    await expect(world.login(session)).rejects.toThrow('cannot be recorded');
    expect(await world.service.ended(session.id)).toMatchObject({ reason: 'recording_failed' });
    expect(world.target.seen.attempts).toBe(0);
  });

  test('a session whose rule asks for none writes none', async () => {
    const world = await start({
      openSink: async () => {
        throw new Error('must not be called');
      },
    });
    const { client, id } = await world.connect({ recorded: false });
    expect((await run(client, 'echo off the record')).stdout).toBe('off the record\n');
    client.end();
    expect(await world.service.ended(id)).toMatchObject({ recording_sha256: null });
    expect(existsSync(castPath(world.recordings, id))).toBe(false);
  });

  test('holds what was shown, and what was asked for', async () => {
    const world = await start();
    const { client, id } = await world.connect();
    await run(client, 'echo hello; echo oops >&2; exit 4');
    client.end();
    const ended = await world.service.ended(id);
    expect(ended.recording_sha256).toMatch(/^[0-9a-f]{64}$/);
    const [header, ...lines] = world.cast(id) as [Record<string, unknown>, ...unknown[][]];
    expect(header).toMatchObject({ version: 3, title: 'ana as pamadmin1 on opa-demo-linux' });
    expect(lines.map(([, code, data]) => `${code} ${data}`).sort()).toEqual(
      ['o hello\n', 'o oops\n', 'x 4'].sort(),
    );
    const events = world.events(id);
    // A client may ask for its command before the target has let the gateway in.
    expect(events).toContainEqual({ at: expect.any(String), type: 'login' });
    expect(events.filter((e) => e.type !== 'login')).toMatchObject([
      { type: 'exec', channel: 1, command: 'echo hello; echo oops >&2; exit 4', terminal: false },
      { type: 'closed', channel: 1, exit_status: 4, bytes_in: 0, bytes_out: 11 },
      { type: 'ended', reason: 'client_closed' },
    ]);
  });
});

describe('stopping', () => {
  test('every session is told, ended and reported; nobody new is let in', async () => {
    const world = await start();
    const one = await longCommand(world);
    // Though the command runs on, and its client would.
    await world.gateway.stop();
    expect((await one.outcome).stderr).toContain('the gateway is stopping');
    const reported = world.service.reports.find((r) => r.report.type === 'ended');
    expect(reported).toMatchObject({ id: one.id, report: { reason: 'gateway_stopped' } });
    await expect(world.login(world.open())).rejects.toThrow();
  });
});
