import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { EXIT, generateEd25519 } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { runSft, startSft } from '../fake/process.ts';
import { reach } from '../fake/reach.ts';
import { id, SERVER, session } from '../fake/things.ts';

const { service, gateway, env } = reach();
const ssh = (...words: string[]) => ['ssh', SERVER.name, ...words];
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('a command through the gateway', () => {
  test.each([0, 1, 3, 75, 255])('its status is ours: %i', async (status) => {
    const { exit, err } = await runSft(ssh('--', `exit ${status}`), env());
    expect([exit, err]).toEqual([status, '']);
  });

  test.each([
    ['KILL', 137],
    ['TERM', 143],
    ['INT', 130],
  ])('killed by %s: %i', async (signal, expected) => {
    const { exit } = await runSft(ssh('--', `kill -${signal} $$; sleep 5`), env());
    expect(exit).toBe(expected);
  });

  test('stdout and stderr stay apart, byte by byte', async () => {
    const { out, err } = await runSft(
      ssh('--', "printf 'a\\nb\\r\\n\\0\\377'; printf e >&2"),
      env(),
    );
    expect([out.toString('latin1'), err]).toEqual(['a\nb\r\n\0\u00ff', 'e']);
  });

  test('it ends when its input does', async () => {
    const { exit, out } = await runSft(ssh('--', 'cat; echo end'), env(), Buffer.from('in'));
    expect([exit, out.toString()]).toEqual([0, 'inend\n']);
  });

  test('100 MB there and back are unharmed', async () => {
    const block = randomBytes(1024 * 1024);
    const input = Buffer.concat(Array.from({ length: 100 }, () => block));
    const { exit, out } = await runSft(ssh('--', 'cat'), env(), input);
    expect([exit, out.length]).toEqual([0, input.length]);
    expect(sha(out)).toBe(sha(input));
  });

  test('the key is the one that was proved, and the name is the session', async () => {
    await runSft(ssh('--', 'true'), env());
    const [, blob] = service().last('openSession').body.public_key.split(' ');
    expect(new Set(gateway().keys)).toEqual(new Set([blob]));
    expect(new Set(gateway().usernames)).toEqual(new Set([id(60)]));
  });

  test('LANG and LC_* go along, nothing else does', async () => {
    await runSft(ssh('--', 'true'), { ...env(), LANG: 'C.UTF-8', LC_TIME: 'C', AWS_SECRET: 'x' });
    expect(Object.fromEntries(gateway().environment)).toEqual({ LANG: 'C.UTF-8', LC_TIME: 'C' });
  });

  test('Ctrl-C reaches the command as a signal', async () => {
    const running = startSft(
      ssh('--', 'trap "echo caught >&2; exit 9" INT; echo on >&2; while :; do sleep 0.05; done'),
      env(),
    );
    while (!running.err().includes('on')) await new Promise((r) => setTimeout(r, 20));
    running.kill('SIGINT');
    const { exit, err } = await running.done;
    expect([exit, err, gateway().signals]).toEqual([9, 'on\ncaught\n', ['INT']]);
  });

  test('Ctrl-C that the command ignores still ends it here: 130', async () => {
    const running = startSft(ssh('--', 'trap "" INT; echo on >&2; sleep 30'), env());
    while (!running.err().includes('on')) await new Promise((r) => setTimeout(r, 20));
    running.kill('SIGINT');
    expect((await running.done).exit).toBe(130);
  });
});

describe('what goes wrong on the way', () => {
  test('another host key than the pinned one: 255, and the key is never used', async () => {
    const other = generateEd25519().public_line;
    service().on('openSession', () => ({
      status: 201,
      body: {
        session: session(),
        gateway: { host: '127.0.0.1', port: gateway().port, username: id(60), host_keys: [other] },
      },
    }));
    const { exit, err } = await runSft(ssh('--', 'true'), env());
    expect(exit).toBe(EXIT.transport);
    expect(err).toMatch(/^sft: The gateway shows another host key \(SHA256:\S+\)/);
    expect(gateway().keys).toEqual([]);
  });

  test('no host key named at all: nothing is accepted, 255', async () => {
    service().on('openSession', () => ({
      status: 201,
      body: {
        session: session(),
        gateway: { host: '127.0.0.1', port: gateway().port, username: id(60), host_keys: [] },
      },
    }));
    expect((await runSft(ssh('--', 'true'), env())).exit).toBe(EXIT.transport);
    expect(gateway().keys).toEqual([]);
  });

  test('not admitted: 255, and why as the service knows it', async () => {
    gateway().refuses = true;
    service().on('getSession', () => ({ body: session({ end_reason: 'target_unreachable' }) }));
    const { exit, err } = await runSft(ssh('--', 'true'), env());
    expect(exit).toBe(EXIT.transport);
    expect(err).toMatch(/^sft: The server cannot be reached from the gateway\.\n/);
  });

  test('not admitted, and the gateway says why in a banner: one line, 255', async () => {
    gateway().refuses = true;
    gateway().banner = 'sft: refused: the approval has ended\r\n';
    const { exit, err } = await runSft(ssh('--', 'true'), env());
    expect([exit, err]).toEqual([
      EXIT.transport,
      'sft: refused: the approval has ended\nRun the same command again.\n',
    ]);
  });

  test('any other banner is shown, printable', async () => {
    gateway().banner = 'Recorded.\u001b]0;x\u0007\r\n';
    const { exit, err } = await runSft(ssh('--', 'true'), env());
    expect([exit, new Set(err.trim().split('\n'))]).toEqual([
      0,
      new Set(['Recorded.\ufffd]0;x\ufffd']),
    ]);
  });

  test('nobody listens at the gateway: 255, with the address', async () => {
    const { port } = gateway();
    await gateway().stop();
    const { exit, err } = await runSft(ssh('--', 'true'), env());
    expect(exit).toBe(EXIT.transport);
    expect(err).toContain(`sft: The gateway at 127.0.0.1:${port} cannot be reached (ECONNREFUSED)`);
  });

  test('cut in mid-session: 255, one line why', async () => {
    gateway().onExec = (_command, channel) => {
      channel.write('half');
      setTimeout(() => {
        for (const connection of gateway().connections) connection.end();
      }, 50);
      return true;
    };
    service().on('getSession', () => ({ body: session({ end_reason: 'expired' }) }));
    const { exit, out, err } = await runSft(ssh('--', 'x'), env());
    expect([exit, out.toString()]).toEqual([EXIT.transport, 'half']);
    expect(err).toBe(
      'sft: The time of your access is over.\nRun the same command again to ask for more.\n',
    );
  });

  test('cut, and the gateway has said why itself: it is not said twice', async () => {
    gateway().onExec = (_command, channel) => {
      channel.stderr.write('sft: session ended: revoked by Dana Reyes\n');
      channel.close();
      return true;
    };
    const { exit, err } = await runSft(ssh('--', 'x'), env());
    expect([exit, err]).toEqual([EXIT.transport, 'sft: session ended: revoked by Dana Reyes\n']);
  });

  test('a reader that goes away ends it: as SIGPIPE would', async () => {
    const running = startSft(ssh('--', 'yes'), env());
    await new Promise((r) => setTimeout(r, 100));
    running.closeOutput();
    expect((await running.done).exit).toBe(141);
  });
});

describe('forwards', () => {
  const echo = async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, port: (server.address() as { port: number }).port };
  };
  const free = async () => {
    const { server, port } = await echo();
    await new Promise((resolve) => server.close(resolve));
    return port;
  };

  test('-L: bytes pass both ways and end with their ends', async () => {
    const { server, port } = await echo();
    const here = await free();
    const running = startSft(ssh('-N', '-L', `${here}:127.0.0.1:${port}`), env());
    const bytes = randomBytes(3_000_000);
    expect(sha(await talk(here, bytes))).toBe(sha(bytes));
    running.kill('SIGINT');
    expect((await running.done).exit).toBe(130);
    server.close();
  });

  test('-L of a port that is taken: 64, before anything is connected', async () => {
    const { server, port } = await echo();
    const { exit, err } = await runSft(ssh('-N', '-L', `${port}:x:1`), env());
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain(`sft: Port ${port} at 127.0.0.1 is in use.`);
    expect(gateway().keys).toEqual([]);
    server.close();
  });

  test('-D: a SOCKS client connects through', async () => {
    const { server, port } = await echo();
    const here = await free();
    const running = startSft(ssh('-N', '-D', String(here)), env());
    const request = Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff]);
    const answer = await talk(here, Buffer.concat([request, Buffer.from('through socks')]));
    expect(answer.subarray(0, 4)).toEqual(Buffer.from([5, 0, 5, 0]));
    expect(answer.subarray(12).toString()).toBe('through socks');
    running.kill('SIGINT');
    await running.done;
    server.close();
  });

  test('-R: what connects there arrives here', async () => {
    const { server, port } = await echo();
    const running = startSft(ssh('-N', '-R', `0:127.0.0.1:${port}`), env());
    while (!running.err().includes('Listening at port 4022 over there'))
      await new Promise((r) => setTimeout(r, 20));
    expect(await gateway().forwardBack('back and forth')).toBe('back and forth');
    running.kill('SIGTERM');
    expect((await running.done).exit).toBe(143);
    server.close();
  });

  test('-R refused: 255, and it says so', async () => {
    gateway().allowsRemoteForward = false;
    const { exit, err } = await runSft(ssh('-R', '8080:x:1', '--', 'true'), env());
    expect(exit).toBe(EXIT.transport);
    expect(err).toContain('sft: Listening at 127.0.0.1:8080 over there is refused.');
  });
});

/** Says `bytes` to a port as soon as it is listened at, and gives what comes back. */
async function talk(port: number, bytes: Buffer): Promise<Buffer> {
  const until = Date.now() + 40_000;
  for (;;) {
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        const chunks: Buffer[] = [];
        const socket = connect(port, '127.0.0.1');
        socket.on('error', reject);
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('close', () => resolve(Buffer.concat(chunks)));
        socket.on('connect', () => socket.end(bytes));
      });
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((r) => setTimeout(r, 50));
    }
  }
}
