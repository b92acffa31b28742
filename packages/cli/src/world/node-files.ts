import { chmod, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FilesPort } from '../context.ts';

export const nodeFiles: FilesPort = {
  read: (path) => readFile(path, 'utf8'),
  mode: async (path) => (await stat(path)).mode & 0o777,
  async writePrivate(path, text) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // A new file beside it, then the name: never half a file, never one that others can read.
    const fresh = `${path}.${process.pid}.new`;
    await unlink(fresh).catch(() => undefined);
    const file = await open(fresh, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(fresh, 0o600);
    await rename(fresh, path);
  },
  remove: (path) => unlink(path),
  isDirectory: async (path) => (await stat(path)).isDirectory(),
  list: async (path) => (await readdir(path)).sort(),
  async stdin() {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  },
};
