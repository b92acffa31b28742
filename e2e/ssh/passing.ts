import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client, SFTPWrapper } from 'ssh2';
import { beforeAll, describe, expect, it } from 'vitest';
import { newEngineer } from '../world/engineer.ts';
import { freePort } from '../world/free-port.ts';
import { grant, HOST, methodFor } from '../world/grant.ts';
import type { Person } from '../world/people.ts';
import { gatewayOf, peaksOf } from '../world/processes.ts';
import { connectSsh, execSsh, openByRest } from '../world/ssh-session.ts';
import type { World } from '../world/world.ts';

const SSH = ['ssh', HOST, '--account', 'pamadmin1'];
const MIB = 1024 * 1024;

/** What goes through a session: bytes, many at once, and nothing that the policy does not name. */
export function passingSuite(site: () => World): void {
  describe('what passes through', () => {
    let ready: Person;
    beforeAll(async () => {
      ready = await newEngineer(site(), 'passing');
      await grant(site().service, ready, site().people.dana, 'pamadmin1');
    });

    it('100 MB of input and of output arrive as they were, in bounded memory', async () => {
      const bytes = randomBytes(100 * MIB);
      const sum = createHash('sha256').update(bytes).digest('hex');
      const started = performance.now();
      const client = ready.start('sft', [...SSH, '--', 'cat'], { keepsOutput: false });
      const back = createHash('sha256');
      let received = 0;
      client.child.stdout?.on('data', (data: Buffer) => {
        back.update(data);
        received += data.length;
      });
      const peaks = peaksOf({
        client: client.child.pid ?? 0,
        gateway: gatewayOf(site().service.pid),
      });
      await pipeline(Readable.from(piecesOf(bytes)), client.child.stdin as Writable);
      const ended = await client.ended;
      const seconds = (performance.now() - started) / 1000;
      const memory = peaks.stop();
      console.log(`100 MB there and back: ${seconds.toFixed(1)} s, peaks in MiB`, memory);
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(received).toBe(bytes.length);
      expect(back.digest('hex')).toBe(sum);
      expect(memory.client).toBeLessThan(400);
      expect(memory.gateway).toBeLessThan(400);
    }, 240_000);

    it('40 sessions at once end with the 40 right exit codes', async () => {
      const method = await methodFor(site().service, ready, 'pamadmin1');
      const numbers = Array.from({ length: 40 }, (_, i) => i);
      const started = performance.now();
      const clients: Client[] = [];
      // Eight logins at a time; then all forty are there at once, and run at once.
      for (let i = 0; i < numbers.length; i += 8) {
        const logins = numbers
          .slice(i, i + 8)
          .map(async () => connectSsh(await openByRest(site().service, ready, method)));
        clients.push(...(await Promise.all(logins)));
      }
      const connected = performance.now();
      const ran = await Promise.all(
        clients.map((client, i) => execSsh(client, `sleep 1; echo session ${i}; exit ${i}`)),
      );
      for (const client of clients) client.end();
      console.log(
        `40 sessions: connected in ${Math.round(connected - started)} ms, ` +
          `run in ${Math.round(performance.now() - connected)} ms`,
      );
      expect(ran.map(({ code }) => code)).toEqual(numbers);
      expect(ran.map(({ stdout }) => stdout.toString())).toEqual(
        numbers.map((i) => `session ${i}\n`),
      );
    }, 240_000);

    it('6 sft at once end with the 6 right exit codes', async () => {
      const numbers = [0, 1, 2, 3, 4, 5];
      const ran = await Promise.all(numbers.map((i) => ready.sft(...SSH, '--', `exit ${i}`)));
      expect(ran.map(({ code }) => code)).toEqual(numbers);
    }, 120_000);

    it('a channel that the policy does not name is refused, and the others go on', async () => {
      const method = await methodFor(site().service, ready, 'pamadmin1');
      const client = await connectSsh(await openByRest(site().service, ready, method));
      const forward = new Promise<Error | undefined>((done) =>
        client.forwardOut('127.0.0.1', 1, '127.0.0.1', site().target.port, done),
      );
      expect((await forward)?.message).toContain('Channel open failure');
      const agent = new Promise<Error | undefined>((done) =>
        client.forwardIn('127.0.0.1', 0, done),
      );
      expect(await agent).toBeInstanceOf(Error);
      expect((await execSsh(client, 'exit 4')).code).toBe(4);
      client.end();
    });

    it('sft ssh -L does not open what the policy does not name', async () => {
      const port = await freePort();
      const spec = `${port}:127.0.0.1:${site().target.port}`;
      const client = ready.start('sft', [...SSH, '-L', spec, '--', 'echo up; cat']);
      await client.until('up');
      const socket = connect(port, '127.0.0.1');
      const got: Buffer[] = [];
      socket.on('data', (data) => got.push(data)).on('error', () => undefined);
      await new Promise((done) => socket.once('close', done));
      expect(Buffer.concat(got).toString()).toBe('');
      client.child.stdin?.end();
      const ended = await client.ended;
      expect(ended.code).toBe(0);
      expect(ended.stderr).toMatch(/refused|prohibited|not allowed|forward/i);
    });

    it('sftp writes and reads as the account', async ({ skip }) => {
      skip(!site().sshd, 'needs sshd and root');
      const method = await methodFor(site().service, ready, 'pamadmin1');
      const client = await connectSsh(await openByRest(site().service, ready, method));
      const sftp = await new Promise<SFTPWrapper>((done, fail) =>
        client.sftp((error, wrapper) => (error ? fail(error) : done(wrapper))),
      );
      const bytes = randomBytes(3 * MIB);
      await new Promise<void>((done, fail) =>
        sftp.writeFile('by-sftp', bytes, (error) => (error ? fail(error) : done())),
      );
      const back = await new Promise<Buffer>((done, fail) =>
        sftp.readFile('by-sftp', (error, data) => (error ? fail(error) : done(data))),
      );
      expect(back.equals(bytes)).toBe(true);
      const owner = await execSsh(client, 'stat -c %U by-sftp; rm by-sftp');
      expect(owner.stdout.toString()).toBe('pamadmin1\n');
      client.end();
    }, 60_000);
  });
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
