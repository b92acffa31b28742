import type { FilesPort } from '../context.ts';

// Asked for in this way it is there already; `import 'node:fs'` loads its promises as well,
// and with them web streams, a tenth of the time that a whole command takes. The files are
// small and few: nothing is gained by reading them beside something else.
const fs = process.getBuiltinModule('node:fs');

export const nodeFiles: FilesPort = {
  read: async (path) => fs.readFileSync(path, 'utf8'),
  mode: async (path) => fs.statSync(path).mode & 0o777,
  writePrivate: async (path, text) => {
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
    if (folder !== '') fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    // A new file beside it, then the name: never half a file, never one that others can read.
    const fresh = `${path}.${process.pid}.new`;
    fs.rmSync(fresh, { force: true });
    const file = fs.openSync(fresh, 'wx', 0o600);
    try {
      fs.writeFileSync(file, text);
      fs.fchmodSync(file, 0o600);
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
    fs.renameSync(fresh, path);
  },
  remove: async (path) => fs.unlinkSync(path),
  isDirectory: async (path) => fs.statSync(path).isDirectory(),
  list: async (path) => fs.readdirSync(path).sort(),
  lock: async (path, interrupt) => (await import('./node-lock.ts')).lockFile(path, interrupt),
  async stdin() {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  },
};
