import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function found(): boolean {
  try {
    execFileSync('ssh-keygen', ['-?'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

export const haveSshKeygen = found();
if (!haveSshKeygen) console.warn('skipped: ssh-keygen is not on this machine (openssh-client)');

/** Runs `use` with a directory of its own and a shell-free ssh-keygen. */
export function withSshKeygen<T>(
  use: (tools: {
    readonly dir: string;
    keygen(...args: string[]): string;
    read(name: string): string;
    write(name: string, text: string): string;
  }) => T,
): T {
  const dir = mkdtempSync(join(tmpdir(), 'postern-keys-'));
  try {
    return use({
      dir,
      keygen: (...args) =>
        execFileSync('ssh-keygen', args, {
          cwd: dir,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      read: (name) => readFileSync(join(dir, name), 'utf8'),
      write: (name, text) => {
        writeFileSync(join(dir, name), text, { mode: 0o600 });
        return join(dir, name);
      },
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
