// `npm run fix [-- PATH…]`: formats and applies the lint fixes that are safe.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const paths = process.argv.slice(2);
const biome = join(root, 'node_modules', '.bin', 'biome');
const done = spawnSync(biome, ['check', '--write', ...(paths.length > 0 ? paths : ['.'])], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = done.status ?? 70;
