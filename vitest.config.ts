import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const src = (name: string) =>
  fileURLToPath(new URL(`packages/${name}/src/index.ts`, import.meta.url));

// Every workspace package is aliased to its source, so that tests (and mutation
// testing) load the files they are about, never a build of them.
export default defineConfig({
  resolve: {
    alias: {
      '@postern/shared': src('shared'),
      '@postern/server': src('server'),
      '@postern/gateway': src('gateway'),
      '@postern/cli': src('cli'),
    },
  },
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: '100%',
    // Patience alone, for a slow machine with other work: no rule is held by any of these.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['packages/{shared,gateway,cli}/test/**/*.test.ts', 'scripts/test/**/*.test.ts'],
          // Nothing is kept in modules, so that files may share them: loading them for every
          // file took longer than most files do.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'service',
          include: ['packages/server/test/**/*.test.ts'],
          globalSetup: ['packages/server/test/kit/global-setup.ts'],
          // As above; here PGlite would be compiled for every file as well.
          isolate: false,
        },
      },
      {
        // One at a time: they start real servers, and the accounts of the machine's sshd.
        extends: true,
        test: { name: 'e2e', include: ['e2e/**/*.e2e.ts'], fileParallelism: false },
      },
    ],
  },
});
