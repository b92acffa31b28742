import { spawnSync } from 'node:child_process';
import type { InputStream } from '../streams.ts';

/**
 * Hands every key to the other side, Ctrl-C included, and writes what comes back as it is.
 * Node's raw mode leaves the terminal's own output processing on, which makes CR LF of
 * every LF: full-screen programs, which move down with LF, would draw at the left edge.
 * @returns what puts the terminal back.
 */
export function rawMode(stdin: InputStream): () => void {
  stdin.setRawMode?.(true);
  // Where there is no stty it is only the look of such programs.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  // Node puts back the state it found when raw mode began, output processing included.
  return () => stdin.setRawMode?.(false);
}
