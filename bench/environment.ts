import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { number } from './table.ts';

const require = createRequire(import.meta.url);

/** The machine, and what decides how fast it can be. */
export function printEnvironment(): void {
  const { bindingAvailable } = require('ssh2/lib/protocol/crypto') as {
    bindingAvailable: boolean;
  };
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ` +
      `${number(totalmem() / 2 ** 30, 1)} GiB; ssh2's addon ${bindingAvailable ? 'loaded' : 'MISSING: SSH takes several times as long'}`,
  );
  console.log(load());
}

/** With other work on the machine only the ratios say something. */
export const load = (): string =>
  `Load average ${loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')} at ${new Date().toISOString().slice(0, 19)}Z`;

/** Resident memory of a process, in MB. */
export function residentMb(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return (Number(found?.[1]) * 1024) / 1e6;
}

export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux that Node runs on

/** Processor time that a process has used, in seconds: what others do meanwhile is not in it. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
