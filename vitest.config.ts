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
    include: ['packages/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
