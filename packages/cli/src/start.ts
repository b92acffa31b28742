import type { Program } from './command.ts';
import { run } from './run.ts';
import { nodeWorld } from './world/node-world.ts';

/** Runs a program on this machine, and ends the process. */
export async function start(program: Program): Promise<void> {
  // A reader that goes away (`sft list-servers | head -1`) is no fault of ours.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedPipe);
  const exit = await run(program, process.argv.slice(2), nodeWorld());
  await Promise.all([process.stdout, process.stderr].map(flushed));
  process.exit(exit);
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write('', () => resolve());
  });
