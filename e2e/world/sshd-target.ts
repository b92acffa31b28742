import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort, untilOpen } from './free-port.ts';
import { run } from './run.ts';
import { ACCOUNTS, type Target } from './target.ts';

export const SSHD = '/usr/sbin/sshd';

/** Why there can be no real sshd here, and what to do; undefined when there can. */
export function whyNoSshd(): string | undefined {
  if (!existsSync(SSHD)) return 'OpenSSH server is missing: apt-get install openssh-server';
  if (userInfo().uid !== 0)
    return 'root is needed to make the accounts: sudo npm run demo -- --sshd';
  return undefined;
}

const SYSTEM_ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

async function system(file: string, args: readonly string[], input = ''): Promise<void> {
  const ran = await run(file, args, { env: SYSTEM_ENV, input });
  if (ran.code !== 0) throw new Error(`${file} ${args.join(' ')}: ${ran.stderr.trim()}`);
}

/**
 * The machine's own sshd on a loopback port of its own, with the real accounts pamadmin1
 * and pamadmin2. Both go when it stops. Refuses where such an account exists already.
 */
export async function startSshd(): Promise<Target> {
  const why = whyNoSshd();
  if (why !== undefined) throw new Error(why);
  const directory = mkdtempSync(join(tmpdir(), 'postern-sshd-'));
  const made: string[] = [];
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    const exited = child && new Promise((done) => child?.once('exit', done));
    if (child?.kill('SIGTERM')) await exited;
    for (const account of made.splice(0)) await removeAccount(account);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const passwords: Record<string, string> = {};
    for (const account of ACCOUNTS) {
      const exists = await run('id', [account], { env: SYSTEM_ENV });
      if (exists.code === 0)
        throw new Error(
          `the account ${account} exists already; remove it first: userdel -r ${account}`,
        );
      await system('useradd', ['--create-home', '--shell', '/bin/sh', account]);
      made.push(account);
      passwords[account] = randomBytes(18).toString('base64url');
      await system('chpasswd', [], `${account}:${passwords[account]}\n`);
    }
    const port = await freePort();
    const key = join(directory, 'host_ed25519');
    await system('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    writeFileSync(join(directory, 'sshd_config'), configuration(directory, port, key), {
      mode: 0o600,
    });
    child = spawn(SSHD, ['-D', '-e', '-f', join(directory, 'sshd_config')], {
      stdio: ['ignore', 'ignore', 'ignore'],
      env: SYSTEM_ENV,
    });
    await untilOpen(port);
    return { port, passwords, description: "the machine's own OpenSSH sshd", stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function removeAccount(account: string): Promise<void> {
  await run('pkill', ['-KILL', '-u', account], { env: SYSTEM_ENV });
  for (let tries = 0; tries < 20; tries++) {
    const ran = await run('userdel', ['--remove', account], { env: SYSTEM_ENV });
    // 8: still logged in; 12: no mail spool to remove.
    if (ran.code !== 8) return;
    await new Promise((wait) => setTimeout(wait, 100));
  }
}

const configuration = (directory: string, port: number, key: string): string => `
Port ${port}
ListenAddress 127.0.0.1
HostKey ${key}
PidFile ${join(directory, 'sshd.pid')}
AuthorizedKeysFile none
PasswordAuthentication yes
KbdInteractiveAuthentication no
PermitRootLogin no
AllowUsers ${ACCOUNTS.join(' ')}
UsePAM no
UseDNS no
MaxStartups 200:30:400
MaxSessions 100
PrintMotd no
Subsystem sftp internal-sftp
`;
