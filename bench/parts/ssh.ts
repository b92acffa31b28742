import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, toOpenSshPrivateKey } from '@postern/shared';
import { openByRest } from '../../e2e/world/ssh-session.ts';
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
  /** Called before each run, and not timed. */
  args(command: string): readonly string[] | Promise<readonly string[]>;
  readonly env: Readonly<Record<string, string>>;
}

/** Through the gateway, by our client and by OpenSSH, against OpenSSH straight to the same sshd. */
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
  await bulk(ours, openSshWay(world), theirs);
  const { service, people } = world;
  await ask(service, people.ellis, 'POST', `/access_requests/${granted.id}/drop`);
}

const PLAIN_ENV = { PATH: '/usr/bin:/bin', HOME: '/nonexistent' };

const directWay = (direct: DirectSsh): Way => ({
  name: 'OpenSSH direct, with a key',
  file: 'ssh',
  args: (command) => [...direct.options, `${ACCOUNT}@127.0.0.1`, command],
  env: PLAIN_ENV,
});

/** The same client on both ways: what is left is the gateway's. */
const openSshWay = (world: BenchWorld): Way => ({
  name: 'OpenSSH, through the gateway, recorded',
  file: 'ssh',
  args: async (command) => [...(await sessionOptions(world)), command],
  env: PLAIN_ENV,
});

/** A session serves once, with a key of its own. */
async function sessionOptions({ service, people, directory }: BenchWorld): Promise<string[]> {
  const answer = await ask<Answer<'resolve'>>(service, people.ellis, 'POST', '/resolve', {
    names: [SERVER],
  });
  const method = answer.user_access_methods.find((m) => m.identity === ACCOUNT);
  if (method === undefined) throw new Error(`no way to ${ACCOUNT}`);
  const { reply, key } = await openByRest(service, people.ellis, method);
  const { host, port, username, host_keys } = reply.body.gateway;
  const [keyFile, known] = [join(directory, 'session_key'), join(directory, 'session_known')];
  writeFileSync(keyFile, toOpenSshPrivateKey(key), { mode: 0o600 });
  writeFileSync(known, host_keys.map((line) => `[${host}]:${port} ${line}\n`).join(''));
  return [
    ...['-F', 'none', '-i', keyFile, '-p', String(port)],
    ...['-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=yes'],
    ...['-o', `UserKnownHostsFile=${known}`, '-o', 'Ciphers=aes128-gcm@openssh.com'],
    `${username}@${host}`,
  ];
}

async function commands(ours: Way, theirs: Way): Promise<void> {
  const [a = [], b = []] = await interleaved([ours, theirs], 'true', ROUNDS);
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

async function bulk(ours: Way, gateway: Way, theirs: Way): Promise<void> {
  const command = `head -c ${MIB * 2 ** 20} /dev/zero`;
  const times = await interleaved([ours, gateway, theirs], command, BULK_ROUNDS);
  const rates = times.map((of) => measured(of.map((ms) => (MIB * 1000) / ms)));
  const direct = rates[2]?.median ?? Number.NaN;
  printTable(
    `ssh: ${MIB} MiB read, aes128-gcm on each connection, ${BULK_ROUNDS} interleaved rounds`,
    ['what', 'MiB/s, median (quartiles)', '× direct', 'bar'],
    [ours, gateway, theirs].map((way, i) => {
      const rate = rates[i] ?? measured([]);
      const ratio = rate.median / direct;
      const limit = way === theirs ? '' : bar(ratio, 'at least', 0.8);
      return [way.name, spread(rate), number(ratio, 2), limit];
    }),
  );
}

async function interleaved(
  ways: readonly Way[],
  command: string,
  rounds: number,
): Promise<number[][]> {
  const times: number[][] = ways.map(() => []);
  for (let round = 0; round <= rounds; round++)
    for (const [i, way] of ways.entries()) {
      const ms = await run(way, command);
      if (round > 0) times[i]?.push(ms);
    }
  return times;
}

async function run({ name, file, args, env }: Way, command: string): Promise<number> {
  const words = await args(command);
  const start = performance.now();
  const child = spawn(file, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${name}: ended with ${code}: ${errors}`);
  return performance.now() - start;
}
