import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../e2e/world/run.ts';
import { bundleClient } from '../../scripts/bundle.ts';
import { bar, measured, number, printTable, spread } from '../table.ts';
import { ask, type BenchWorld } from '../world.ts';

const ROUNDS = 21;
const TRIP = 'one round trip';

/** How long a person waits for the client itself, against Node that does nothing. */
export async function benchClient(world: BenchWorld): Promise<void> {
  const { service, people, directory } = world;
  const sft = await builtClient(directory);
  const commands = {
    'node -e 0': [process.execPath, '-e', '0'],
    'sft --version': [sft, '--version'],
    'sft list-servers': [sft, 'list-servers'],
  } as const;
  const times = new Map([...Object.keys(commands), TRIP].map((name) => [name, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, [file, ...args]] of Object.entries(commands)) {
      const ms = run(file, args, people.ellis.env);
      if (round > 0) times.get(name)?.push(ms);
    }
    const start = performance.now();
    await ask(service, people.ellis, 'GET', '/servers');
    if (round > 0) times.get(TRIP)?.push(performance.now() - start);
  }
  const of = (name: string) => measured(times.get(name) ?? []);
  const node = of('node -e 0').median;
  const trip = of(TRIP).median;
  const version = of('sft --version').median / node;
  const list = (of('sft list-servers').median - trip) / node;
  printTable(
    `client: ms from start to end, ${ROUNDS} interleaved rounds, bundled as by \`npm run build\``,
    ['what', 'ms, median (quartiles)', '× node -e 0', 'bar'],
    [
      ['node -e 0', spread(of('node -e 0'), 1), '1.00', ''],
      [
        'sft --version',
        spread(of('sft --version'), 1),
        number(version, 2),
        bar(version, 'at most', 1.3),
      ],
      [
        'sft list-servers, less one round trip',
        spread(of('sft list-servers'), 1),
        number(list, 2),
        bar(list, 'at most', 2),
      ],
      ['one round trip: GET /servers', spread(of(TRIP), 1), '', ''],
    ],
  );
}

function run(file: string, args: readonly string[], env: Readonly<Record<string, string>>): number {
  const start = performance.now();
  const ran = spawnSync(file, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ms = performance.now() - start;
  if (ran.status !== 0) throw new Error(`${file} ${args.join(' ')}: ${ran.stderr}`);
  return ms;
}

/** The client as `npm run build` leaves it, apart from the clone's own. @returns its launcher */
export async function builtClient(directory: string): Promise<string> {
  const root = join(directory, 'client');
  if (existsSync(root)) return join(root, 'bin/sft');
  mkdirSync(join(root, 'bin'), { recursive: true });
  mkdirSync(join(root, 'packages/cli'), { recursive: true });
  for (const file of ['sft', 'launch.sh'])
    copyFileSync(join(ROOT, 'bin', file), join(root, 'bin', file));
  for (const modules of ['node_modules', 'packages/cli/node_modules'])
    symlinkSync(join(ROOT, modules), join(root, modules));
  await bundleClient(ROOT, join(root, 'packages/cli/dist'));
  return join(root, 'bin/sft');
}
