import {
  type AccessMethod,
  compile,
  compileUser,
  evaluatePlanned,
  type Facts,
  indexServers,
  listPlaces,
  type UserPlan,
} from '../../packages/server/src/policy/index.ts';
import { naiveEvaluate } from '../../packages/server/test/policy/naive.ts';
import { pairsOf, SIZES, type Size, type Workload, workload } from './population.ts';
import { ACCOUNTS, CONDITION_BITS, makeReference, type Reference } from './reference.ts';

const PAIRS = 1 << 16;
const ROUNDS = 6;
const ROUND_MS = 400;

/** Ours, as the service calls it: by ids, with plans made once, whole answers. */
interface Ours {
  evaluate(userId: string, serverId: string): readonly AccessMethod[];
  /** Places in the list of servers. */
  list(userId: string): Uint32Array;
  readonly loadMs: number;
}

/**
 * The policy engine against what the hardware could do (bits, see reference.ts) and against
 * a naive evaluator, in one process, rounds interleaved. Exit code 1 when answers differ.
 */
export async function benchEngine(sizes: readonly Size[] = SIZES): Promise<void> {
  console.log(`\nPolicy engine, one thread, node ${process.version}: whole answers, string ids`);
  console.log(
    '| size | engine | evaluations/s | of reference | × naive | p50 µs | p99 µs | list ms | list p99 ms | load ms | answers |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|---|');
  for (const size of sizes) benchSize(size);
}

function benchSize(size: Size): void {
  const world = workload(size);
  const ours = makeOurs(world);
  const reference = makeReference(world);
  const naive = (user: number, server: number) => naively(world, user, server);
  const faults = differences(world, ours, reference);
  if (faults.length > 0) process.exitCode = 1;

  const pairs = pairsOf(world, PAIRS, 77);
  const users = Array.from({ length: PAIRS }, (_, i) => `user-${pairs[2 * i]}`);
  const servers = Array.from({ length: PAIRS }, (_, i) => `server-${pairs[2 * i + 1]}`);
  const askOurs = (i: number) => ours.evaluate(users[i] ?? '', servers[i] ?? '').length;
  const askReference = (i: number) => reference.check(pairs[2 * i] ?? 0, pairs[2 * i + 1] ?? 0);
  const askNaive = (i: number) => naive(pairs[2 * i] ?? 0, pairs[2 * i + 1] ?? 0).length;
  const rates = { ours: [] as number[], reference: [] as number[], naive: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    const one = [rate(askOurs, 64), rate(askReference, 64), rate(askNaive, 1)] as const;
    if (round === 0) continue; // warming up
    rates.ours.push(one[0]);
    rates.reference.push(one[1]);
    rates.naive.push(one[2]);
  }
  const [r, o, n] = [best(rates.reference), best(rates.ours), best(rates.naive)];
  const latency = latencies(askOurs);
  const lists = listTimes(world, (u) => ours.list(`user-${u}`));
  const refLists = listTimes(world, (u) => reference.list(u));
  const says = faults.length === 0 ? 'equal' : `${faults.length} DIFFER, first: ${faults[0]}`;
  row(size, 'ours', o, r, n, latency, lists, ours.loadMs, says);
  row(size, 'bitset reference', r, r, n, null, refLists, null, '');
  row(size, 'naive', n, r, n, null, null, null, '');
}

function makeOurs(world: Workload): Ours {
  const start = performance.now();
  const compiled = compile(world);
  const index = indexServers(compiled, world.servers);
  const plans = new Map<string, { plan: UserPlan; facts: Facts }>();
  for (const [i, user] of world.users.entries())
    plans.set(user.id, { plan: compileUser(compiled, user), facts: world.facts[i] as Facts });
  const loadMs = performance.now() - start;
  return {
    evaluate(userId, serverId) {
      const user = plans.get(userId);
      const server = index.byId.get(serverId);
      if (user === undefined || server === undefined) return [];
      return evaluatePlanned(user.plan, server, user.facts, world.now);
    },
    list(userId) {
      const user = plans.get(userId);
      if (user === undefined) return new Uint32Array(0);
      return listPlaces(user.plan, index, world.now);
    },
    loadMs,
  };
}

function naively(world: Workload, user: number, server: number): AccessMethod[] {
  const [u, s, f] = [world.users[user], world.servers[server], world.facts[user]];
  return u && s && f ? naiveEvaluate(world, u, s, f, world.now) : [];
}

/** Everything the three disagree about, on pairs that are not the timed ones. */
function differences(world: Workload, ours: Ours, reference: Reference): string[] {
  const faults: string[] = [];
  const pairs = pairsOf(world, 2000, 4);
  const sample = world.policies.length > 1000 ? 100 : 1000;
  for (let i = 0; i < 2000; i++) {
    const [user = 0, server = 0] = pairs.subarray(2 * i);
    const methods = ours.evaluate(`user-${user}`, `server-${server}`);
    if (bitsOf(methods) !== reference.check(user, server)) faults.push(`bits ${user} ${server}`);
    if (i < sample && text(methods) !== text(naively(world, user, server)))
      faults.push(`methods ${user} ${server}`);
    if (i < 50) {
      const list = ours.list(`user-${user}`);
      if (list.join() !== reference.list(user).join()) faults.push(`list ${user}`);
    }
  }
  return faults;
}

function bitsOf(methods: readonly AccessMethod[]): number {
  let bits = 0;
  for (const { identity, access_credential, conditionals } of methods) {
    const isOwn = access_credential.type === 'principal_account';
    const account = ACCOUNTS.indexOf(isOwn ? 'principal' : identity);
    const asked = conditionals.reduce(
      (sum, c) => sum | (CONDITION_BITS[c.type as keyof typeof CONDITION_BITS] ?? 0),
      0,
    );
    bits |= 1 << (account * 8 + asked);
  }
  return bits >>> 0;
}

/** What decides, in one order of fields; descriptions are for people. */
const text = (methods: readonly AccessMethod[]): string =>
  JSON.stringify(
    methods.map((m) => [
      m.identity,
      m.access_credential.type,
      m.privilege,
      m.channels,
      m.allowed,
      m.expires_at,
      m.resource_status,
      m.rule_ids,
      m.conditionals.map((c) => [c.type, c.condition_is_met, c.expires_at]),
    ]),
  );

let sink = 0;

/** Answers per second of this thread's processor time: neighbours on the machine do not count. */
function rate(ask: (i: number) => number, batch: number): number {
  const start = process.threadCpuUsage();
  const end = performance.now() + ROUND_MS;
  let done = 0;
  while (performance.now() < end) {
    for (let i = 0; i < batch; i++) sink += ask((done + i) % PAIRS);
    done += batch;
  }
  const { user, system } = process.threadCpuUsage(start);
  return (done * 1_000_000) / (user + system);
}

/** Every call timed on its own. */
function latencies(ask: (i: number) => number): Times {
  const times = new Float64Array(200_000);
  for (let i = 0; i < times.length; i++) {
    const start = performance.now();
    sink += ask(i % PAIRS);
    times[i] = (performance.now() - start) * 1000;
  }
  return quantiles(times);
}

/** Lists of 300 people, each asked twice; the second time counts. */
function listTimes(world: Workload, list: (user: number) => { length: number }): Times {
  const people = Math.min(300, world.users.length);
  const step = Math.floor(world.users.length / people);
  const times = new Float64Array(people);
  for (let i = 0; i < people; i++) sink += list(i * step).length;
  for (let i = 0; i < people; i++) {
    const start = performance.now();
    sink += list(i * step).length;
    times[i] = performance.now() - start;
  }
  return quantiles(times);
}

interface Times {
  readonly p50: number;
  readonly p99: number;
}

function quantiles(times: Float64Array): Times {
  const sorted = times.toSorted();
  const at = (q: number) => sorted[Math.floor((sorted.length - 1) * q)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** The round that was disturbed least. */
const best = (values: readonly number[]): number => Math.max(...values);

function row(
  size: Size,
  engine: string,
  speed: number,
  reference: number,
  naive: number,
  latency: Times | null,
  list: Times | null,
  loadMs: number | null,
  answers: string,
): void {
  const number = (x: number | undefined, digits = 2) => (x === undefined ? '' : x.toFixed(digits));
  console.log(
    `| ${[
      size.name,
      engine,
      Math.round(speed).toLocaleString('en'),
      number(speed / reference, 3),
      number(speed / naive, 0),
      number(latency?.p50),
      number(latency?.p99),
      number(list?.p50, 3),
      number(list?.p99, 3),
      number(loadMs ?? undefined, 0),
      answers,
    ].join(' | ')} |`,
  );
}

/** `node bench/engine/run.ts [small|medium|large]` */
if (import.meta.main) {
  const [name] = process.argv.slice(2);
  await benchEngine(SIZES.filter((size) => name === undefined || size.name === name));
  if (sink === 0) console.log('nothing was answered');
}
