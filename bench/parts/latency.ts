import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AccessRequest } from '@postern/shared';
import { bar, measured, number, printTable } from '../table.ts';
import { ACCOUNT, approve, ask, type BenchWorld, SERVER } from '../world.ts';
import { builtClient } from './client.ts';

const ROUNDS = 24;
const PATIENCE_MS = 60_000;

/**
 * What two people feel of each other: the approver's yes until the waiting client's command
 * runs on the target, and his "no longer" until the client has ended.
 */
export async function benchLatency(world: BenchWorld): Promise<void> {
  const sft = await builtClient(world.directory);
  const connected: number[] = [];
  const cut: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [toConnect, toCut] = await oneRound(world, sft);
    if (round === 0) continue; // warming up
    connected.push(toConnect);
    cut.push(toCut);
  }
  const row = (name: string, values: number[], limit: 'median' | 'p99'): string[] => {
    const m = measured(values);
    return [
      name,
      number(m.median),
      number(m.p99),
      number(Math.max(...values)),
      bar(m[limit], 'at most', 1000, `ms (${limit})`),
    ];
  };
  printTable(
    `latency: ms, ${ROUNDS} rounds, each with a client process of its own`,
    ['what', 'p50', 'p99', 'max', 'bar'],
    [
      row('approve sent → command of `sft ssh --wait` runs on the target', connected, 'median'),
      row('revoke sent → client of the live session has ended', cut, 'p99'),
    ],
  );
}

async function oneRound(world: BenchWorld, sft: string): Promise<[number, number]> {
  const { ellis, dana } = world.people;
  const child = spawn(
    sft,
    [
      'ssh',
      SERVER,
      ...['--account', ACCOUNT, '--reason', 'measure', '--wait', '--'],
      'echo connected; cat',
    ],
    { env: ellis.env, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  try {
    const pending = await waitingRequest(world, child);
    await new Promise((done) => setTimeout(done, 300)); // its stream of events stands
    const approved = performance.now();
    await approve(world, pending);
    await printed(child, 'connected');
    const toConnect = performance.now() - approved;
    const exited = once(child, 'exit');
    const revoked = performance.now();
    await ask(world.service, dana, 'POST', `/access_requests/${pending.id}/revoke`, {});
    const [code] = (await exited) as [number];
    const toCut = performance.now() - revoked;
    if (code !== 255) throw new Error(`the client of a cut session ended with ${code}`);
    return [toConnect, toCut];
  } finally {
    child.kill('SIGKILL');
  }
}

/** The request that the client has raised, and that it waits for. */
async function waitingRequest(world: BenchWorld, child: ChildProcess): Promise<AccessRequest> {
  const { service, people } = world;
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const { list } = await ask<{ list: AccessRequest[] }>(
      service,
      people.ellis,
      'GET',
      '/access_requests?state=pending',
    );
    if (list[0] !== undefined) return list[0];
    if (child.exitCode !== null) throw new Error(`the client ended with ${child.exitCode}`);
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('the client raised no request');
}

async function printed(child: ChildProcess, text: string): Promise<void> {
  const { stdout } = child;
  if (stdout === null) throw new Error('its output is not read');
  let seen = '';
  for await (const chunk of stdout.iterator({ destroyOnReturn: false })) {
    seen += String(chunk);
    if (seen.includes(text)) return;
  }
  throw new Error(`the client ended before it printed ${text}`);
}
