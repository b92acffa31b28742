import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type DirectSsh, startDirect } from '../direct.ts';
import { bar, measured, number, printTable, spread } from '../table.ts';
import { ACCOUNT, ask, type BenchWorld, grant, SERVER } from '../world.ts';
import { builtClient } from './client.ts';

const ROUNDS = 15;
const MIB = 500;
const BULK_ROUNDS = 5;

interface Way {
  readonly name: string;
  readonly file: string;
  args(command: string): string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Through the gateway, by our client, against OpenSSH straight to the same machine's sshd. */
export async function benchSsh(world: BenchWorld): Promise<void> {
  if (world.noSshd !== undefined) {
    console.log(`\nssh: skipped. ${world.noSshd}`);
    return;
  }
  const sft = await builtClient(world.directory);
  const granted = await grant(world);
  const direct = await startDirect(world.directory);
  world.ends.push(() => direct.stop());
  const ours: Way = {
    name: 'sft ssh, through the gateway, recorded',
    file: sft,
    args: (command) => ['ssh', SERVER, '--account', ACCOUNT, '--', command],
    env: world.people.ellis.env,
  };
  const theirs = directWay(direct);
  await commands(ours, theirs);
  await bulk(ours, theirs);
  const { service, people } = world;
  await ask(service, people.ellis, 'POST', `/access_requests/${granted.id}/drop`);
}

const directWay = (direct: DirectSsh): Way => ({
  name: 'OpenSSH direct, with a key',
  file: 'ssh',
  args: (command) => [...direct.options, `${ACCOUNT}@127.0.0.1`, command],
  env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' },
});

async function commands(ours: Way, theirs: Way): Promise<void> {
  const [a, b] = await interleaved(ours, theirs, 'true', ROUNDS);
  const ratio = measured(a.map((ms, i) => ms / (b[i] ?? Number.NaN)));
  const medians = measured(a).median / measured(b).median;
  printTable(
    `ssh: \`true\` on the machine's own sshd, ${ROUNDS} interleaved rounds, process start to end`,
    ['what', 'ms, median (quartiles)', 'bar'],
    [
      [ours.name, spread(measured(a)), ''],
      [theirs.name, spread(measured(b)), ''],
      ['ratio of the medians', number(medians, 2), bar(medians, 'at most', 1.5)],
      ['ratio round by round', spread(ratio, 2), ''],
    ],
  );
}

async function bulk(ours: Way, theirs: Way): Promise<void> {
  const command = `head -c ${MIB * 2 ** 20} /dev/zero`;
  const [a, b] = await interleaved(ours, theirs, command, BULK_ROUNDS);
  const rate = (times: number[]) => measured(times.map((ms) => (MIB * 1000) / ms));
  const ratio = rate(a).median / rate(b).median;
  printTable(
    `ssh: ${MIB} MiB read, aes128-gcm on each connection, ${BULK_ROUNDS} interleaved rounds`,
    ['what', 'MiB/s, median (quartiles)', 'bar'],
    [
      [ours.name, spread(rate(a)), ''],
      [theirs.name, spread(rate(b)), ''],
      ['ratio of the medians', number(ratio, 2), bar(ratio, 'at least', 0.8)],
    ],
  );
}

async function interleaved(
  ours: Way,
  theirs: Way,
  command: string,
  rounds: number,
): Promise<[number[], number[]]> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++)
    for (const [i, way] of [ours, theirs].entries()) {
      const ms = await run(way, command);
      if (round > 0) times[i]?.push(ms);
    }
  return times;
}

async function run({ name, file, args, env }: Way, command: string): Promise<number> {
  const start = performance.now();
  const child = spawn(file, args(command), { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${name}: ended with ${code}: ${errors}`);
  return performance.now() - start;
}
