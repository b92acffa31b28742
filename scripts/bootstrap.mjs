// Installs what the project needs, into the clone and the package manager's cache
// only. Plain JavaScript without imports from npm: it runs on whatever Node (>= 20)
// the machine has, before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PNPM = 'pnpm@10.34.9';
const root = resolve(import.meta.dirname, '..');
const stampFile = join(root, 'node_modules', '.postern-installed');

/** The pinned Node of this platform, or the machine's own where npm has none (macOS). */
export function pinnedNode() {
  const pinned = join(
    root,
    'node_modules',
    `node-${process.platform}-${process.arch}`,
    'bin',
    'node',
  );
  return existsSync(pinned) ? pinned : process.execPath;
}

/** What the installed tree was made from: it changes when a manifest or the lockfile does. */
function stamp() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${PNPM}`);
  const manifests = [
    'package.json',
    'pnpm-workspace.yaml',
    'pnpm-lock.yaml',
    'e2e/package.json',
    'bench/package.json',
  ];
  for (const name of readdirSync(join(root, 'packages')).sort())
    manifests.push(`packages/${name}/package.json`);
  for (const file of manifests) {
    if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

export function bootstrap() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    fail(
      `Node ${process.versions.node} is too old to install with.`,
      'Install Node 20 or newer and run the same command again.',
    );
  }
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp()) return;
  process.stderr.write('Installing dependencies (once per clone; about a minute)…\n');
  const started = Date.now();
  const frozen =
    existsSync(join(root, 'pnpm-lock.yaml')) && process.env.POSTERN_UPDATE_LOCKFILE !== '1';
  const done = spawnSync(
    'npx',
    [
      '-y',
      PNPM,
      'install',
      frozen ? '--frozen-lockfile' : '--no-frozen-lockfile',
      '--reporter=append-only',
      '--loglevel=error',
    ],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: {
        ...process.env,
        CI: 'true',
        // ssh2's addon is compiled against these headers, not against the outer Node's.
        npm_config_nodedir: join(root, 'node_modules', `node-${process.platform}-${process.arch}`),
        // Without this its objects abort the process when they are collected: see the file.
        CXXFLAGS: `${process.env.CXXFLAGS ?? ''} -include "${join(root, 'scripts', 'object-wrap.h')}"`,
      },
    },
  );
  if (done.status !== 0) {
    fail(
      'Installing the dependencies failed (see above).',
      'Check that the npm registry can be reached, then run the same command again.',
    );
  }
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stampFile, stamp());
  process.stderr.write(`Installed in ${Math.round((Date.now() - started) / 1000)} s.\n`);
}

function fail(what, next) {
  process.stderr.write(`postern: ${what}\n${next}\n`);
  process.exit(70);
}
