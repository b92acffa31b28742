import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './run.ts';
import { freshHostKey } from './target.ts';
import { type AdmittedChanges, startWorld, type TestWorld } from './world.ts';

// The real client of most people. Where there is none, these are skipped, and say so.
const version = spawnSync('ssh', ['-V'], { encoding: 'utf8' });
const missing = version.error !== undefined;
if (missing) console.warn('openssh.test.ts skipped: no `ssh` on this machine');

const ALL = ['shell', 'exec', 'sftp', 'local_forward', 'remote_forward'];

let world: TestWorld;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-openssh-'));
  mkdirSync(join(folder, 'served'));
  world = await startWorld({ target: { sftpDirectory: join(folder, 'served') } });
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Options that make ssh use one session's key and trust one host key. */
function options(changes: AdmittedChanges = {}): { readonly args: string[]; readonly id: string } {
  const session = world.open(changes);
  const key = join(folder, session.id);
  const known = join(folder, 'known_hosts');
  writeFileSync(key, session.privateKey, { mode: 0o600 });
  writeFileSync(known, `postern ${world.hostKeyLine}\n`);
  const settings = [
    `IdentityFile=${key}`,
    'IdentitiesOnly=yes',
    `UserKnownHostsFile=${known}`,
    'GlobalKnownHostsFile=none',
    'HostKeyAlias=postern',
    'StrictHostKeyChecking=yes',
    'BatchMode=yes',
    `User=${session.id}`,
    `Port=${world.gateway.port}`,
  ];
  return { args: ['-F', 'none', ...settings.flatMap((o) => ['-o', o])], id: session.id };
}

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(program: string, args: readonly string[], input?: string | Buffer) {
  const child = spawn(program, args, { stdio: 'pipe' });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
  child.stdin.on('error', () => {});
  if (input !== undefined) child.stdin.end(input);
  const result = new Promise<Result>((resolve) => {
    child.once('close', (code) =>
      resolve({
        code,
        stdout: Buffer.concat(out).toString('latin1'),
        stderr: Buffer.concat(err).toString('utf8'),
      }),
    );
  });
  const all = (pieces: readonly Buffer[]) => Buffer.concat(pieces).toString('latin1');
  return { child, result, printed: () => all(out), complained: () => all(err) };
}

const ssh = (changes: AdmittedChanges, more: string[], input: string | Buffer = '') =>
  start('ssh', [...options(changes).args, ...more], input).result;

describe.skipIf(missing)('OpenSSH', () => {
  test('a command: its output, its errors, its status', async () => {
    const { code, stdout, stderr } = await ssh({}, ['127.0.0.1', 'cat; echo e >&2; exit 42'], 'in');
    expect({ code, stdout, stderr }).toEqual({ code: 42, stdout: 'in', stderr: 'e\n' });
  });

  test('40 logins at once keep their statuses', async () => {
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) => ssh({}, ['127.0.0.1', `exit ${i}`])),
    );
    expect(results.map((r) => r.code)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  }, 180_000);

  test('20 MB each way', async () => {
    const bytes = randomBytes(20 * 1024 * 1024);
    const { code, stdout } = await ssh({}, ['127.0.0.1', 'cat'], bytes);
    expect(code).toBe(0);
    expect(Buffer.from(stdout, 'latin1').equals(bytes)).toBe(true);
  }, 180_000);

  test('fresh keys of the client in mid-stream', async () => {
    const bytes = randomBytes(8 * 1024 * 1024);
    const { stdout } = await ssh({}, ['-o', 'RekeyLimit=1M', '127.0.0.1', 'cat'], bytes);
    expect(Buffer.from(stdout, 'latin1').equals(bytes)).toBe(true);
  }, 180_000);

  test('a shell', async () => {
    const { code, stdout } = await ssh({}, ['-tt', '127.0.0.1'], 'hello\rexit 3\r');
    expect(code).toBe(3);
    expect(stdout).toContain('you said hello');
  });

  test('deny: a refused login says why', async () => {
    const { args, id } = options();
    const first = start('ssh', [...args, '127.0.0.1', 'true'], '');
    expect((await first.result).code).toBe(0);
    const { code, stderr } = await start('ssh', [...args, '127.0.0.1', 'true'], '').result;
    expect(code).toBe(255);
    expect(stderr).toContain('sft: refused: the session was admitted before');
    expect(id).toBeTruthy();
  });

  test('deny: an exec without the privilege runs nothing and says why', async () => {
    const { code, stdout, stderr } = await ssh({ channels: ['sftp'] }, [
      '127.0.0.1',
      'echo leaked',
    ]);
    expect(code).toBe(255);
    expect(stdout).toBe('');
    expect(stderr).toContain('sft: this access does not include exec, only sftp');
  });

  test('deny: a certificate offered beside the key does not help a wrong key', async () => {
    const wrong = join(folder, 'wrong');
    const ca = join(folder, 'ca');
    for (const file of [wrong, ca])
      spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    const { args, id } = options();
    spawnSync('ssh-keygen', ['-q', '-s', ca, '-I', 'x', '-n', id, `${wrong}.pub`]);
    const mine = args.map((a) => (a.startsWith('IdentityFile=') ? `IdentityFile=${wrong}` : a));
    const more = ['-o', `CertificateFile=${wrong}-cert.pub`, '127.0.0.1', 'true'];
    expect((await start('ssh', [...mine, ...more], '').result).code).toBe(255);
    expect(world.gateway.sessions()).not.toContain(id);
  });

  test('deny: agent and X11 forwarding are not granted', async () => {
    const more = ['-A', '-X', '127.0.0.1', 'echo "[$SSH_AUTH_SOCK$DISPLAY]"'];
    const { args } = options({ channels: ALL });
    const before = { ...process.env };
    delete before.SSH_AUTH_SOCK;
    const { stdout } = await start('ssh', [...args, ...more], '').result;
    expect(stdout.includes('leaked')).toBe(false);
    expect(world.target.seen.channels).not.toContain('agent');
    expect(world.target.seen.channels).not.toContain('x11');
  });

  test('a cut: 255 and one line', async () => {
    const { args, id } = options();
    const running = start('ssh', [...args, '127.0.0.1', 'echo started; exec sleep 60']);
    await until('started', () => running.printed().includes('started'));
    world.service.signal({
      type: 'cut',
      session_id: id,
      reason: 'revoked',
      message: 'revoked by Dana Reyes',
    });
    const { code, stderr } = await running.result;
    expect(code).toBe(255);
    expect(stderr).toContain('sft: session ended: revoked by Dana Reyes');
  });

  test('a cut of a connection without a channel says why as well', async () => {
    const { args, id } = options({ channels: ALL });
    const running = start('ssh', [...args, '-N', '-R', '0:127.0.0.1:9', '127.0.0.1']);
    await until('it listens there', () => running.complained().includes('Allocated port'));
    const cut = { reason: 'revoked', message: 'revoked by Dana Reyes' };
    world.service.signal({ type: 'cut', session_id: id, ...cut });
    const { code, stderr } = await running.result;
    expect(code).toBe(255);
    expect(stderr).toContain('sft: session ended: revoked by Dana Reyes');
  });

  test("the target's host key is not the one on record: the fingerprint and the command", async () => {
    const pinned = { target: { host_keys: [freshHostKey().line] } };
    const { code, stderr } = await ssh(pinned, ['127.0.0.1', 'true']);
    expect(code).toBe(255);
    expect(stderr).toMatch(/sft: session ended: the host key of opa-demo-linux .* SHA256:/);
    expect(stderr).toContain('sft-admin servers trust opa-demo-linux');
  });

  test('sftp: put, get, and the bytes are the same', async () => {
    const bytes = randomBytes(3 * 1024 * 1024);
    writeFileSync(join(folder, 'up'), bytes);
    const { args } = options();
    const batch = `put ${join(folder, 'up')} /f\nget /f ${join(folder, 'down')}\n`;
    const { code, stderr } = await start('sftp', [...args, '-b', '-', '127.0.0.1'], batch).result;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, 'down')).equals(bytes)).toBe(true);
  }, 180_000);

  test('scp', async () => {
    const bytes = randomBytes(500_000);
    writeFileSync(join(folder, 'sent'), bytes);
    const { args } = options();
    const paths = [join(folder, 'sent'), '127.0.0.1:/g'];
    const { code, stderr } = await start('scp', [...args, ...paths], '').result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readFileSync(join(folder, 'served', 'g')).equals(bytes)).toBe(true);
  });

  test('-L, and -W', async () => {
    const echo = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    const { port } = echo.address() as { port: number };
    const through = await ssh(
      { channels: ['local_forward'] },
      ['-W', `127.0.0.1:${port}`, '127.0.0.1'],
      'echo this',
    );
    expect(through.stdout).toBe('echo this');

    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const local = (probe.address() as { port: number }).port;
    await new Promise((resolve) => probe.close(resolve));
    const { args } = options({ channels: ['local_forward'] });
    const spec = `127.0.0.1:${local}:127.0.0.1:${port}`;
    const running = start('ssh', [...args, '-N', '-L', spec, '127.0.0.1']);
    let heard = '';
    for (let i = 0; i < 400 && heard === ''; i += 1) {
      heard = await new Promise<string>((resolve) => {
        const socket = connect(local, '127.0.0.1', () => socket.write('over'));
        socket.once('data', (bytes) => {
          resolve(bytes.toString());
          socket.destroy();
        });
        socket.once('error', () => setTimeout(() => resolve(''), 50));
      });
    }
    running.child.kill();
    await running.result;
    echo.close();
    expect(heard).toBe('over');
  });

  test('ControlMaster: several commands over one connection', async () => {
    const { args, id } = options();
    const socket = join(folder, 'mux');
    const control = ['-o', `ControlPath=${socket}`];
    const master = start('ssh', [...args, ...control, '-M', '-N', '127.0.0.1']);
    await until('master', () => world.gateway.sessions().includes(id) && existsSync(socket));
    for (const code of [0, 5, 77]) {
      const slave = start('ssh', [...args, ...control, '127.0.0.1', `exit ${code}`], '');
      expect((await slave.result).code).toBe(code);
    }
    master.child.kill();
    await master.result;
    expect(world.service.admissions.filter((a) => a.session_id === id)).toHaveLength(1);
  });
});
