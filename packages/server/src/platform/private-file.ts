import fs from 'node:fs';
import type { ConfigProblem } from './config-sources.ts';

const READABLE_BY_OTHERS = 0o007;
const WRITABLE_BY_GROUP = 0o020;

/** A file that holds a secret. @returns undefined, with a problem, when it is open to others or unreadable. */
export function readPrivateFile(file: string, problems: ConfigProblem[]): string | undefined {
  try {
    const { mode } = fs.statSync(file);
    if ((mode & (READABLE_BY_OTHERS | WRITABLE_BY_GROUP)) === 0)
      return fs.readFileSync(file, 'utf8');
    problems.push({ where: file, what: 'is open to others; chmod 600 it' });
  } catch (error) {
    const { code } = error as { code?: string };
    const what =
      code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown error'})`;
    problems.push({ where: file, what });
  }
  return undefined;
}
