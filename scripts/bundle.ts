import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** The programs of the client, and where each begins. */
const PROGRAMS: Readonly<Record<string, string>> = {
  sft: 'packages/cli/src/main.ts',
  'sft-admin': 'packages/cli/src/admin.ts',
};

/**
 * Bundles the client into `outdir`: one small file for each program, and chunks that a
 * command loads when it needs them. The folder is replaced as a whole, so that a program
 * started meanwhile finds either the old files or the new ones.
 *
 * @returns the names of the programs built: those whose source is there
 */
export async function bundleClient(root: string, outdir: string): Promise<string[]> {
  const present = Object.entries(PROGRAMS).filter(([, entry]) => existsSync(join(root, entry)));
  if (present.length === 0) return [];
  const fresh = `${outdir}.${process.pid}`;
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(present),
    outdir: fresh,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.22',
    // ssh2 loads an addon by its own path: it stays a package, loaded by Node.
    external: ['ssh2'],
    // Packages that are still CommonJS call `require` for Node's own modules.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
    },
    logLevel: 'warning',
  });
  rmSync(outdir, { recursive: true, force: true });
  renameSync(fresh, outdir);
  return present.map(([name]) => name);
}
