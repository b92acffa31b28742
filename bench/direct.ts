import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, untilOpen } from '../e2e/world/free-port.ts';
import { run } from '../e2e/world/run.ts';
import { SSHD } from '../e2e/world/sshd-target.ts';
import { ACCOUNTS } from '../e2e/world/target.ts';

export interface DirectSsh {
  /** For `ssh`: everything but the account and the command. */
  readonly options: readonly string[];
  stop(): Promise<void>;
}

/**
 * A second sshd for the accounts of the first, into which a key opens the way: what the
 * gateway is held against. Same binary, same settings, no ssh configuration of this machine.
 */
export async function startDirect(directory: string): Promise<DirectSsh> {
  const file = (name: string): string => join(directory, name);
  for (const name of ['direct_host', 'direct_user']) {
    const made = await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)], {
      env: { PATH: '/usr/bin:/bin' },
    });
    if (made.code !== 0) throw new Error(`ssh-keygen: ${made.stderr}`);
  }
  // Read by sshd as the account, below a directory of ours that it may only pass through.
  chmodSync(directory, 0o711);
  writeFileSync(file('direct_keys'), readFileSync(file('direct_user.pub')), { mode: 0o644 });
  const port = await freePort();
  writeFileSync(file('direct_sshd_config'), configuration(file, port), { mode: 0o600 });
  const child = spawn(SSHD, ['-D', '-e', '-f', file('direct_sshd_config')], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  await untilOpen(port);
  const known = `[127.0.0.1]:${port} ${readFileSync(file('direct_host.pub'), 'utf8')}`;
  writeFileSync(file('direct_known'), known);
  const settings = {
    UserKnownHostsFile: file('direct_known'),
    StrictHostKeyChecking: 'yes',
    IdentityFile: file('direct_user'),
    IdentitiesOnly: 'yes',
    BatchMode: 'yes',
    Ciphers: 'aes128-gcm@openssh.com',
  };
  return {
    options: [
      ...['-F', 'none', '-p', String(port)],
      ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ],
    stop: async () => {
      const gone = once(child, 'exit');
      if (child.kill('SIGTERM')) await gone;
    },
  };
}

const configuration = (file: (name: string) => string, port: number): string => `
Port ${port}
ListenAddress 127.0.0.1
HostKey ${file('direct_host')}
PidFile ${file('direct_sshd.pid')}
AuthorizedKeysFile ${file('direct_keys')}
# The keys' folder is a temporary one: its parents belong to everybody.
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
AllowUsers ${ACCOUNTS.join(' ')}
UsePAM no
UseDNS no
PrintMotd no
`;
