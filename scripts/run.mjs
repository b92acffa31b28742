// `node scripts/run.mjs FILE [args]`: installs what is missing, then runs FILE on the
// pinned Node. This is how every npm script starts, so that a fresh clone needs only
// Node >= 20 and npm.
import { spawn } from 'node:child_process';
import { delimiter, join, resolve } from 'node:path';
import { bootstrap, pinnedNode } from './bootstrap.mjs';

bootstrap();
const root = resolve(import.meta.dirname, '..');
const [file, ...args] = process.argv.slice(2);
const child = spawn(
  pinnedNode(),
  ['--disable-warning=ExperimentalWarning', resolve(root, file), ...args],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
    },
  },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  if (signal) process.kill(process.pid, signal);
  else process.exit(code ?? 70);
});
