import { cpSync, existsSync, renameSync, rmSync } from 'node:fs';
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

/** Programs of the service whose packages are started as one file each; entry by name. */
const SERVICE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'packages/server': {
    main: 'packages/server/src/main.ts',
    'initdb-main': 'packages/server/src/platform/initdb-main.ts',
  },
  'packages/gateway': { main: 'packages/gateway/src/main.ts' },
};
const MIGRATIONS = 'packages/server/src/platform/migrations';
/** These bring files of their own, or code that is not JavaScript. */
const LEFT_OUT = ['@electric-sql/pglite', '@node-rs/argon2', 'pg-native', 'ssh2'];

const COMMON = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.22',
  outExtension: { '.js': '.mjs' },
  // Not keepNames: naming every function when it is made took a third of the service's speed.
  // Packages that are still CommonJS call `require` for Node's own modules.
  banner: { js: COMMONJS },
  logLevel: 'warning',
} as const;

/**
 * Bundles the client into packages/cli/dist: one small file for each program, and chunks that
 * a command loads when it needs them.
 *
 * @param outdir where instead
 * @returns the names of the programs built: those whose source is there
 */
export async function bundleClient(
  root: string,
  outdir = join(root, 'packages/cli/dist'),
): Promise<string[]> {
  const present = Object.entries(PROGRAMS).filter(([, entry]) => existsSync(join(root, entry)));
  if (present.length === 0) return [];
  await replaced(outdir, (fresh) =>
    build({
      ...COMMON,
      absWorkingDir: root,
      entryPoints: Object.fromEntries(present),
      outdir: fresh,
      chunkNames: 'chunks/[name]-[hash]',
      splitting: true,
      plugins: [ssh2Client(join(root, 'packages/cli'))],
    }),
  );
  return present.map(([name]) => name);
}

/**
 * Bundles posternd and the gateway into packages/{server,gateway}/dist: as source they are two
 * thousand files, found and read one by one at every start.
 */
async function bundleService(root: string): Promise<string[]> {
  for (const [folder, entryPoints] of Object.entries(SERVICE))
    await replaced(join(root, folder, 'dist'), async (fresh) => {
      await build({
        ...COMMON,
        absWorkingDir: root,
        entryPoints,
        outdir: fresh,
        external: LEFT_OUT,
      });
      if (entryPoints['initdb-main'] !== undefined)
        cpSync(join(root, MIGRATIONS), join(fresh, 'migrations'), { recursive: true });
    });
  return ['posternd'];
}

/** Everything that bin/ starts; `BUNDLES` are the folders. @returns the programs' names */
export const bundleAll = async (root: string): Promise<string[]> => [
  ...(await bundleClient(root)),
  ...(await bundleService(root)),
];

export const BUNDLES = ['packages/cli/dist', ...Object.keys(SERVICE).map((name) => `${name}/dist`)];

/**
 * Makes a folder anew as a whole, so that a program started meanwhile finds either the old
 * files or the new ones.
 */
async function replaced(folder: string, make: (fresh: string) => Promise<unknown>): Promise<void> {
  const fresh = `${folder}.${process.pid}`;
  await make(fresh);
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}
