import fs from 'node:fs';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

type EmscriptenOptions = Parameters<NodeFS['init']>[1];
type Emscripten = Parameters<NonNullable<EmscriptenOptions['preRun']>[number]>[0];

/** The private parts of Emscripten's NODEFS that this relies on; a test counts the fsyncs. */
interface MountedFs {
  lookupPath(path: string): { node: { mount: { type: NodeFsType } } };
  ErrnoError: new (errno: number) => Error;
}
interface NodeFsType {
  realPath(node: unknown): string;
  stream_ops: { fsync?: (stream: { nfd?: number | null; node: unknown }) => number };
}

const EIO = 29; // WASI's number

/**
 * PGlite's file system with a working fsync. As shipped its NODEFS has no such
 * operation, so that "commit" would only mean "handed to the kernel". To be used with
 * {@link DURABLE_START_PARAMS}.
 */
export class DurableNodeFS extends NodeFS {
  readonly #onSync: () => void;

  constructor(directory: string, onSync: () => void = () => {}) {
    super(directory);
    this.#onSync = onSync;
  }

  override async init(pg: PGlite, options: EmscriptenOptions) {
    const { emscriptenOpts } = await super.init(pg, options);
    const addFsync = (module: Emscripten): void => {
      const mounted = module.FS as unknown as MountedFs;
      const type = mounted.lookupPath(PGlite.paths.PGDATA).node.mount.type;
      type.stream_ops.fsync = ({ nfd, node }) => {
        this.#onSync();
        try {
          if (typeof nfd === 'number') fs.fsyncSync(nfd);
          else syncPath(type.realPath(node));
          return 0;
        } catch {
          throw new mounted.ErrnoError(EIO);
        }
      };
    };
    return {
      emscriptenOpts: { ...emscriptenOpts, preRun: [...preRuns(emscriptenOpts), addFsync] },
    };
  }
}

const preRuns = ({ preRun }: EmscriptenOptions) =>
  Array.isArray(preRun) ? preRun : preRun ? [preRun] : [];

/**
 * fsync is on, by the one method that is not a no-op in WASM; text output is the same as
 * PostgreSQL's. The buffers are memory of the service, and the kernel caches the files too.
 */
export const DURABLE_START_PARAMS: string[] = [
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  ...['-c', 'wal_sync_method=fsync', '-c', 'shared_buffers=32MB'],
  ...['-c', 'TimeZone=UTC', '-c', 'DateStyle=ISO'],
];

export const MEMORY_START_PARAMS: string[] = [
  ...PGlite.defaultStartParams,
  ...['-c', 'shared_buffers=2MB', '-c', 'TimeZone=UTC', '-c', 'DateStyle=ISO'],
];

/** Makes a new data directory survive a power cut: initdb wrote it without syncing. */
export function syncTree(directory: string): void {
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
    const child = path.join(directory, entry.name);
    if (entry.isDirectory()) syncTree(child);
    else if (entry.isFile()) syncPath(child);
  }
  syncPath(directory);
}

function syncPath(target: string): void {
  const fd = fs.openSync(target, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
