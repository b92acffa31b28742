import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that some tests need and no npm package brings, with the Debian package that does. */
export const TOOLS = {
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  sshd: 'openssh-server',
  tmux: 'tmux',
  strace: 'strace',
  chromium: 'chromium',
} as const;
export type Tool = keyof typeof TOOLS;

/** sshd stands in a folder that an ordinary user's PATH does not name. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/sbin'];

/** The program's full path (sshd insists on being started by one), or null. */
export function find(tool: Tool, path = process.env.PATH ?? ''): string | null {
  for (const folder of [...path.split(delimiter), ...SYSTEM_FOLDERS]) {
    const file = join(folder, tool);
    if (folder !== '' && isExecutable(file)) return file;
  }
  return null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function missing(tools: readonly Tool[] = Object.keys(TOOLS) as Tool[]): Tool[] {
  return tools.filter((tool) => find(tool) === null);
}

/** The command that brings them. */
export function remedy(tools: readonly Tool[]): string {
  return `apt-get install ${[...new Set(tools.map((tool) => TOOLS[tool]))].join(' ')}`;
}
