import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { childrenOf, cpuSeconds, residentMb } from '../environment.ts';
import { bar, measured, number, printTable, spread } from '../table.ts';
import { ask, type BenchWorld, SERVER } from '../world.ts';

const CONNECTIONS = 64;
const ROUNDS = 7;
const ROUND_MS = 3_000;

interface Loaded {
  readonly ok: number;
  readonly others: number;
  readonly seconds: number;
  readonly p99: number;
}

/** `POST /resolve` with authentication, under load, against Fastify with nothing behind it. */
export async function benchResolve(world: BenchWorld): Promise<void> {
  const { service, people } = world;
  const body = { names: [SERVER] };
  const answer = await ask(service, people.ellis, 'POST', '/resolve', body);
  const bare = spawn(process.execPath, [join(import.meta.dirname, '../load/bare.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    bare.stdin.end(JSON.stringify(answer));
    const [bareUrl] = (await once(createInterface(bare.stdout), 'line')) as [string];
    const ours = {
      name: 'POST /resolve of the service, with a token',
      url: `${service.url}/v1/teams/${service.team}/resolve`,
      headers: { authorization: `Bearer ${people.ellis.token}` },
      pid: service.pid,
    };
    const theirs = {
      name: 'bare Fastify, JSON POST with a schema, same answer',
      url: `${bareUrl}/resolve`,
      headers: {},
      pid: bare.pid ?? 0,
    };
    const [a, b] = await interleaved(ours, theirs, JSON.stringify(body));
    const ratio = measured(a.rates.map((rate, i) => rate / (b.rates[i] ?? Number.NaN)));
    const cpu = measured(b.cpu).median / measured(a.cpu).median;
    const row = (name: string, side: Side): string[] => [
      name,
      spread(measured(side.rates)),
      spread(measured(side.cpu), 0),
      number(measured(side.p99).median, 1),
      String(side.others),
    ];
    printTable(
      `resolve: ${CONNECTIONS} connections, ${ROUNDS} interleaved rounds of ${ROUND_MS / 1000} s (load: bench/load/post.ts, sockets in a process of its own)`,
      ['what', 'requests/s', 'µs of CPU a request', 'p99 ms', 'not 200'],
      [
        row(ours.name, a),
        row(theirs.name, b),
        ['ratio, requests/s', spread(ratio, 2), bar(ratio.median, 'at least', 0.7)],
        ['ratio, CPU a request', number(cpu, 2), bar(cpu, 'at least', 0.7)],
      ],
    );
  } finally {
    await stopped(bare);
  }
}

interface Subject {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pid: number;
}

interface Side {
  readonly rates: number[];
  readonly cpu: number[];
  readonly p99: number[];
  others: number;
}

async function interleaved(ours: Subject, theirs: Subject, body: string): Promise<[Side, Side]> {
  const sides: [Side, Side] = [emptySide(), emptySide()];
  for (let round = 0; round <= ROUNDS; round++)
    for (const [i, subject] of [ours, theirs].entries()) {
      const before = cpuSeconds(subject.pid);
      const ms = round === 0 ? 1_500 : ROUND_MS;
      const { ok, others, seconds, p99 } = await load(subject, body, ms);
      if (round === 0) continue; // warming up
      const side = sides[i] as Side;
      side.rates.push(ok / seconds);
      side.cpu.push(((cpuSeconds(subject.pid) - before) * 1e6) / ok);
      side.p99.push(p99);
      side.others += others;
    }
  return sides;
}

const emptySide = (): Side => ({ rates: [], cpu: [], p99: [], others: 0 });

async function load({ url, headers }: Subject, body: string, ms: number): Promise<Loaded> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../load/post.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ url, headers, body, connections: CONNECTIONS, ms }));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return JSON.parse(line) as Loaded;
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** The embedded service when nobody asks anything of it. */
export async function printMemory({ service }: BenchWorld): Promise<void> {
  await new Promise((done) => setTimeout(done, 5_000));
  const mb = residentMb(service.pid);
  const gateway = childrenOf(service.pid).reduce((sum, pid) => sum + residentMb(pid), 0);
  printTable(
    'memory: resident, MB, idle, with PGlite inside',
    ['process', 'MB', 'bar'],
    [
      ['posternd serve', number(mb), bar(mb, 'at most', 450, 'MB')],
      ['its gateway', number(gateway), ''],
    ],
  );
}
