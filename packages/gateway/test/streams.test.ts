import { createHash, randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Client, ClientChannel } from 'ssh2';
import { afterEach, describe, expect, test } from 'vitest';
import { collect, run, shell, until } from './run.ts';
import { startWorld, type TestWorld, type WorldOptions } from './world.ts';

const worlds: TestWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(options: WorldOptions = {}): Promise<TestWorld> {
  const world = await startWorld(options);
  worlds.push(world);
  return world;
}

const exec = (client: Client, command: string): Promise<ClientChannel> =>
  new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
  });

const MB = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in buffers that somebody still holds: of this process, in which all three of a world run. */
function inUse(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe('exit', () => {
  test('every status from 0 to 255 comes back as it was', async () => {
    const world = await start();
    const { client } = await world.connect();
    for (const code of [0, 1, 2, 126, 127, 128, 254, 255])
      expect((await run(client, `exit ${code}`)).status).toBe(code);
  });

  test('a command killed by a signal says which', async () => {
    const world = await start();
    const { client } = await world.connect();
    expect(await run(client, 'kill -KILL $$')).toMatchObject({ status: null, signal: 'SIGKILL' });
    expect(await run(client, 'kill -TERM $$')).toMatchObject({ status: null, signal: 'SIGTERM' });
  });

  test('40 sessions at once, each with its own status', async () => {
    const world = await start();
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const { client } = await world.connect();
        const outcome = await run(client, `echo ${i}; exit ${i}`);
        client.end();
        return outcome;
      }),
    );
    outcomes.forEach((outcome, i) => {
      expect(outcome).toMatchObject({ stdout: `${i}\n`, status: i });
    });
    await until('all ended', () => world.gateway.sessions().length === 0);
  }, 180_000);

  test('a command that closes its output early keeps its status, also without stdin', async () => {
    const world = await start();
    const { client } = await world.connect();
    const command = 'exec <&- >&- 2>&-; sleep 0.4; exit 11';
    expect(await run(client, command)).toMatchObject({ stdout: '', status: 11 });
    expect(world.target.seen.hungUp).toBe(0);
  });

  test('the end of the output reaches the client before the command is over, then the status', async () => {
    const world = await start();
    const { client } = await world.connect();
    const channel = await exec(client, 'echo done; exec >&- 2>&-; sleep 0.4; exit 9');
    const order: string[] = [];
    channel.once('end', () => order.push('end'));
    channel.once('exit', () => order.push('exit'));
    expect(await collect(channel)).toMatchObject({ stdout: 'done\n', status: 9 });
    expect(order).toEqual(['end', 'exit']);
  });
});

describe('streams', () => {
  test('the end of stdin passes, output goes on after it', async () => {
    const world = await start();
    const { client } = await world.connect();
    const outcome = await run(client, 'cat; sleep 0.1; echo after', {}, (c) => c.end('input\n'));
    expect(outcome.stdout).toBe('input\nafter\n');
  });

  test('stdin that is closed at once', async () => {
    const world = await start();
    const { client } = await world.connect();
    for (let i = 0; i < 20; i += 1) expect((await run(client, 'wc -c')).stdout.trim()).toBe('0');
  });

  test('bytes that are no text pass unharmed', async () => {
    const world = await start();
    const { client } = await world.connect();
    const bytes = Buffer.concat([randomBytes(100_000), Buffer.from([0, 255, 0, 10, 13])]);
    const channel = await exec(client, 'cat');
    const received: Buffer[] = [];
    channel.on('data', (chunk: Buffer) => received.push(chunk));
    channel.end(bytes);
    await new Promise((resolve) => channel.once('close', resolve));
    expect(Buffer.concat(received).equals(bytes)).toBe(true);
  });

  for (const recorded of [true, false])
    test(`200 MB in and out, in bounded memory (recorded: ${recorded})`, async () => {
      const world = await start();
      const { client } = await world.connect({ recorded });
      const block = randomBytes(MB);
      const sent = createHash('sha256');
      const got = createHash('sha256');
      const channel = await exec(client, 'cat');
      let received = 0;
      channel.on('data', (chunk: Buffer) => {
        received += chunk.length;
        got.update(chunk);
      });
      const before = inUse();
      let peak = before;
      for (let i = 0; i < 200; i += 1) {
        sent.update(block);
        if (!channel.write(block)) await new Promise((resolve) => channel.once('drain', resolve));
        if (i % 20 === 19) peak = Math.max(peak, inUse());
      }
      channel.end();
      await new Promise((resolve) => channel.once('close', resolve));
      expect(received).toBe(200 * MB);
      expect(got.digest('hex')).toBe(sent.digest('hex'));
      expect(peak - before).toBeLessThan(150 * MB);
    }, 180_000);

  test('a client that does not read costs bounded memory, and loses nothing', async () => {
    const world = await start();
    const { client } = await world.connect();
    const channel = await exec(client, `head -c ${200 * MB} /dev/zero`);
    channel.pause();
    const before = process.memoryUsage().rss;
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(process.memoryUsage().rss - before).toBeLessThan(60 * MB);
    let received = 0;
    channel.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    channel.resume();
    await new Promise((resolve) => channel.once('close', resolve));
    expect(received).toBe(200 * MB);
  }, 180_000);

  test('stdout and stderr, both long and both waiting for the client, stay apart and whole', async () => {
    const world = await start();
    const { client } = await world.connect();
    const channel = await exec(
      client,
      `
      (head -c ${12 * MB} /dev/zero | tr '\\0' o) &
      (head -c ${12 * MB} /dev/zero | tr '\\0' e) >&2 & wait`,
    );
    let out = 0;
    let err = 0;
    let strange = 0;
    channel.pause();
    channel.stderr.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    channel.on('data', (chunk: Buffer) => {
      out += chunk.length;
      strange += chunk.filter((byte) => byte !== 0x6f).length;
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      err += chunk.length;
      strange += chunk.filter((byte) => byte !== 0x65).length;
    });
    channel.resume();
    channel.stderr.resume();
    await new Promise((resolve) => channel.once('close', resolve));
    expect({ out, err, strange }).toEqual({ out: 12 * MB, err: 12 * MB, strange: 0 });
  }, 180_000);

  test('fresh keys in mid-stream, on both sides, harm nothing', async () => {
    const world = await start({ limits: { rekeyBytes: 4 * MB, tickMs: 10 } });
    const { client } = await world.connect();
    let exchanges = 0;
    client.on('handshake', () => {
      exchanges += 1;
    });
    const channel = await exec(client, 'cat');
    const block = randomBytes(MB);
    const sent = createHash('sha256');
    const got = createHash('sha256');
    channel.on('data', (chunk: Buffer) => got.update(chunk));
    for (let i = 0; i < 40; i += 1) {
      sent.update(block);
      if (!channel.write(block)) await new Promise((resolve) => channel.once('drain', resolve));
    }
    channel.end();
    await new Promise((resolve) => channel.once('close', resolve));
    expect(got.digest('hex')).toBe(sent.digest('hex'));
    expect(exchanges).toBeGreaterThan(1);
  }, 180_000);
});

describe('a terminal', () => {
  test('its size, its name and its changes reach the target', async () => {
    const world = await start();
    const { client } = await world.connect();
    const channel = await shell(client);
    const outcome = collect(channel);
    channel.write('size\r');
    await until('pty', () => world.target.seen.input.includes('size'));
    channel.setWindow(50, 132, 0, 0);
    await until('resized', () => world.target.seen.sizes.length > 0);
    channel.write('exit 5\r');
    const { stdout, status } = await outcome;
    expect(stdout).toContain('100x30');
    expect(stdout).toContain('resized 132x50');
    expect(status).toBe(5);
    expect(world.target.seen.ptys).toMatchObject([{ cols: 100, rows: 30, term: 'xterm-256color' }]);
  });

  test('a change while the target is being asked is not lost', async () => {
    const world = await start();
    for (let i = 0; i < 10; i += 1) {
      const { client } = await world.connect();
      const channel = await shell(client);
      const outcome = collect(channel);
      setTimeout(() => channel.setWindow(50, 132, 0, 0), i);
      await new Promise((resolve) => setTimeout(resolve, 2 * i + 20));
      channel.write('size\rexit 0\r');
      expect((await outcome).stdout).toContain('132x50');
      client.end();
    }
  });

  test('its session is recorded with its size and the changes', async () => {
    const world = await start();
    const { client, id } = await world.connect();
    const channel = await shell(client);
    const outcome = collect(channel);
    await until('prompt', () => world.target.seen.channels.includes('shell'));
    channel.setWindow(50, 132, 0, 0);
    await until('resized', () => world.target.seen.sizes.length > 0);
    channel.write('exit 0\r');
    await outcome;
    client.end();
    await world.service.ended(id);
    const [header, ...lines] = world.cast(id) as [Record<string, unknown>, ...unknown[][]];
    expect(header.term).toEqual({ cols: 100, rows: 30, type: 'xterm-256color' });
    expect(lines.map(([, code, data]) => `${code} ${data}`)).toContain('r 132x50');
    expect(lines.some(([, code]) => code === 'i')).toBe(false);
  });

  test('signals pass', async () => {
    const world = await start();
    const { client } = await world.connect();
    const channel = await exec(client, 'echo ready; exec sleep 60');
    const outcome = collect(channel);
    await new Promise((resolve) => channel.once('data', resolve));
    channel.signal('INT');
    expect(await outcome).toMatchObject({ status: null, signal: 'SIGINT' });
    expect(world.target.seen.signals).toEqual(['INT']);
  });

  test('a client that hangs up hangs up the command', async () => {
    const world = await start();
    const { client, id } = await world.connect();
    await exec(client, 'sleep 60');
    world.dropClients();
    expect(await world.service.ended(id)).toMatchObject({ reason: 'client_closed' });
  });
});
