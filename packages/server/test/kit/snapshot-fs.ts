import { MemoryFS, PGlite } from '@electric-sql/pglite';

/** A data directory, as nested entries. Of a file's bytes the zeros at its end are left out. */
export type Snapshot = readonly Entry[];

type Entry =
  | { readonly name: string; readonly mode: number; readonly entries: Snapshot }
  | {
      readonly name: string;
      readonly mode: number;
      readonly bytes: Uint8Array;
      readonly length: number;
    };

/** The private parts of Emscripten's MEMFS that this relies on. */
interface MemoryNode {
  readonly name: string;
  readonly mode: number;
  /** A folder's children by name, or a file's bytes with room to grow. */
  contents: Record<string, MemoryNode> | Uint8Array | null;
  usedBytes: number;
  readonly node_ops: {
    mknod?: (parent: MemoryNode, name: string, mode: number, dev: number) => MemoryNode;
  };
}
interface MemoryFiles {
  mkdirTree(path: string): void;
  lookupPath(path: string): { node: MemoryNode };
  isDir(mode: number): boolean;
}

/**
 * PGlite's memory file system, filled from another's files as they are. The way that PGlite
 * has for it, unpacking a tar archive, took longer than all else that a database's start does.
 */
export class SnapshotFS extends MemoryFS {
  readonly #from: Snapshot | undefined;

  /** @param from left out: the database is made by initdb */
  constructor(from?: Snapshot) {
    super();
    this.#from = from;
  }

  override async initialSyncFs(): Promise<void> {
    if (this.#from === undefined) return;
    this.#files.mkdirTree(PGlite.paths.PGDATA);
    put(this.#root, this.#from);
  }

  /** The database's files as they are now: right after a checkpoint, and nothing else runs. */
  snapshot(): Snapshot {
    return taken(this.#files, this.#root);
  }

  get #files(): MemoryFiles {
    return this.pg?.Module.FS as unknown as MemoryFiles;
  }

  get #root(): MemoryNode {
    return this.#files.lookupPath(PGlite.paths.PGDATA).node;
  }
}

function put(parent: MemoryNode, entries: Snapshot): void {
  for (const entry of entries) {
    const node = parent.node_ops.mknod?.(parent, entry.name, entry.mode, 0);
    if (node === undefined) throw new Error('not the memory file system that was expected');
    if ('entries' in entry) put(node, entry.entries);
    else {
      const bytes = new Uint8Array(entry.length);
      bytes.set(entry.bytes);
      node.contents = bytes;
      node.usedBytes = entry.length;
    }
  }
}

const taken = (files: MemoryFiles, folder: MemoryNode): Snapshot =>
  Object.values(folder.contents as Record<string, MemoryNode>).map((node): Entry => {
    const { name, mode, usedBytes: length } = node;
    if (files.isDir(mode)) return { name, mode, entries: taken(files, node) };
    const bytes = (node.contents as Uint8Array | null)?.subarray(0, length);
    return { name, mode, bytes: withoutZeros(bytes), length };
  });

function withoutZeros(bytes: Uint8Array = new Uint8Array()): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.slice(0, end);
}
