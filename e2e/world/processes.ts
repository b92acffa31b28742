import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';

const read = (pid: number, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
};

const parentOf = (pid: number): number => Number(/^PPid:\s+(\d+)/m.exec(read(pid, 'status'))?.[1]);

const running = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** The process and all that it started, as far as they run now. */
export function familyOf(pid: number): number[] {
  const all = running().map((one) => [one, parentOf(one)] as const);
  const family = [pid];
  for (const member of family)
    for (const [one, parent] of all) if (parent === member) family.push(one);
  return family;
}

/** The gateway that the service runs as its child. */
export function gatewayOf(servicePid: number): number {
  const found = familyOf(servicePid).find((pid) =>
    read(pid, 'cmdline').includes('packages/gateway/'),
  );
  if (found === undefined) throw new Error('no gateway runs');
  return found;
}

/** What any user of the same machine account could read of a process. */
export const exposedBy = (pid: number): string =>
  `${read(pid, 'cmdline')}\n${read(pid, 'environ')}`;

const peakMiB = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+)/m.exec(read(pid, 'status'))?.[1] ?? 0) / 1024;

/** Watches how much memory processes take at most, in MiB, until it is stopped. */
export function peaksOf<T extends Record<string, number>>(
  pids: T,
): { stop(): { readonly [K in keyof T]: number } } {
  const peaks = Object.fromEntries(Object.keys(pids).map((name) => [name, 0]));
  const look = (): void => {
    for (const [name, pid] of Object.entries(pids))
      peaks[name] = Math.max(peaks[name] ?? 0, Math.round(peakMiB(pid)));
  };
  const timer = setInterval(look, 50);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return peaks as { readonly [K in keyof T]: number };
    },
  };
}

/** What a process has open, by the names the kernel gives. */
export function openFilesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

export const argumentsOf = (pid: number): string[] => read(pid, 'cmdline').split('\0').slice(0, -1);

export const environmentOf = (pid: number): Record<string, string> =>
  Object.fromEntries(
    read(pid, 'environ')
      .split('\0')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

/** Regions larger than this are reserved address space, not memory. */
const MAX_REGION = 256 * 1024 * 1024;

/** Looks through the writable memory of a process, piece by piece. Only root may. */
export function searchMemory(pid: number, look: (piece: Buffer) => void): number {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  let bytes = 0;
  try {
    for (const line of read(pid, 'maps').split('\n')) {
      const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
      if (!(end - start <= MAX_REGION)) continue;
      const piece = Buffer.alloc(end - start);
      try {
        bytes += readSync(memory, piece, 0, piece.length, start);
      } catch {
        continue;
      }
      look(piece);
    }
  } finally {
    closeSync(memory);
  }
  return bytes;
}
