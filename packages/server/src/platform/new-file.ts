import { closeSync, fchmodSync, openSync, rmSync, writeSync } from 'node:fs';
import { StartupError } from './errors.ts';

/** A file that is made now, empty and readable by its owner only, for a secret to come. */
export interface NewFile {
  /** Once. */
  write(text: string): void;
  /** Removes it again: no secret came. */
  drop(): void;
}

/**
 * Takes the place of a secret before the secret is made: what cannot be written afterwards would
 * be lost for good.
 *
 * @throws StartupError when something is there already, which is never written over, or nothing
 * can be made there
 */
export function newFile(file: string): NewFile {
  let fd: number;
  try {
    fd = openSync(file, 'wx', 0o600);
  } catch (error) {
    throw refusal(file, error);
  }
  fchmodSync(fd, 0o600);
  return {
    write(text) {
      writeSync(fd, text);
      closeSync(fd);
    },
    drop() {
      closeSync(fd);
      rmSync(file, { force: true });
    },
  };
}

function refusal(file: string, cause: unknown): StartupError {
  const code = (cause as { code?: string }).code ?? 'unknown error';
  return code === 'EEXIST'
    ? new StartupError(`${file} is there already, and is never written over.`, {
        next: 'Remove it, or let POSTERN_BOOTSTRAP_TOKEN_FILE name another file.',
        cause,
      })
    : new StartupError(`${file} cannot be made (${code}).`, {
        next: 'Let POSTERN_BOOTSTRAP_TOKEN_FILE name a file in a directory that you can write to.',
        cause,
      });
}
