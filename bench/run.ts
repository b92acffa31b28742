import { benchEngine } from './engine/run.ts';
import { load, printEnvironment } from './environment.ts';
import { benchClient } from './parts/client.ts';
import { benchLatency } from './parts/latency.ts';
import { benchResolve, printMemory } from './parts/resolve.ts';
import { benchSsh } from './parts/ssh.ts';
import { benchScim } from './scim/run.ts';
import { type BenchWorld, endAll, startWorld } from './world.ts';

/** In the order they are run; those of a world share one. */
const ALONE = { engine: () => benchEngine(), scim: () => benchScim() } as const;
const IN_A_WORLD: Readonly<Record<string, (world: BenchWorld) => Promise<void>>> = {
  memory: printMemory,
  resolve: benchResolve,
  client: benchClient,
  ssh: benchSsh,
  latency: benchLatency,
};
const NAMES = [...Object.keys(ALONE), ...Object.keys(IN_A_WORLD)];

/** `npm run bench [-- PART…]`: prints what is measured; nothing is asserted. */
async function main(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(
      `bench: there is no part ${unknown.join(', ')}.\nParts: ${NAMES.join(', ')}; all without one.\n`,
    );
    return 64;
  }
  const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name);
  printEnvironment();
  for (const [name, part] of Object.entries(ALONE)) if (isWanted(name)) await part();
  const parts = Object.entries(IN_A_WORLD).filter(([name]) => isWanted(name));
  if (parts.length === 0) return 0;
  const world = await startWorld({ sshd: isWanted('ssh') });
  const interrupted = (): void => {
    void endAll(world.ends).finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    console.log(`\nTarget: ${world.target.description}`);
    for (const [, part] of parts) {
      await part(world);
      console.log(load());
    }
  } finally {
    await endAll(world.ends);
  }
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 70;
  },
);
