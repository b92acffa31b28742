import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** The programs of the client, and where each begins. */
const PROGRAMS: Readonly<Record<string, string>> = {
  sft: 'packages/cli/src/main.ts',
  'sft-admin': 'packages/cli/src/admin.ts',
};

const COMMONJS = [
  "import { createRequire as requireFrom } from 'node:module';",
  'const require = requireFrom(import.meta.url);',
  'const __dirname = import.meta.dirname;',
].join('\n');

/** Where a bundle finds ssh2's addon; without it ssh2 does the same in JavaScript, slower. */
const ADDON = 'ssh2/lib/protocol/crypto/build/Release/sshcrypto.node';

/**
 * Of ssh2 its client alone, in the bundle: as a package it is forty files, read one by one at
 * every `sft ssh`. Its addon stays where the package manager built it, and the look at the
 * processor, which only orders ciphers that we order ourselves, is left out.
 */
const ssh2Client = (from: string): Plugin => ({
  name: 'ssh2-client',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^ssh2$/ }, ({ path }) => ({ path, namespace: 'ssh2' }));
    onLoad({ filter: /^ssh2$/, namespace: 'ssh2' }, () => ({
      contents: "exports.Client = require('ssh2/lib/client.js');",
      resolveDir: from,
    }));
    onResolve({ filter: /\/sshcrypto\.node$/ }, () => ({ path: ADDON, external: true }));
    onResolve({ filter: /^cpu-features$/ }, ({ path }) => ({ path, namespace: 'nothing' }));
    onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'exports.none = true;' }));
  },
});

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
    plugins: [ssh2Client(join(root, 'packages/cli'))],
    // Packages that are still CommonJS call `require` for Node's own modules.
    banner: { js: COMMONJS },
    logLevel: 'warning',
  });
  rmSync(outdir, { recursive: true, force: true });
  renameSync(fresh, outdir);
  return present.map(([name]) => name);
}
