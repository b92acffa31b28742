import { chmodSync, cpSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TOOLS } from '../needs.ts';
import { type Output, output } from '../report.ts';
import { Tree } from './tree.ts';

const CI = resolve(import.meta.dirname, '../../.ci/run');
const README = 'Tests:\n\n```sh\n$ npm test   # all of them\n```\n';

/** Runs .ci/run in a clone with this README, where npm is a script and no tool is missing. */
async function ci(readme: string, npm: string): Promise<Output> {
  const programs = Object.fromEntries(Object.keys(TOOLS).map((tool) => [`bin/${tool}`, '']));
  using tree = new Tree(programs, {
    'README.md': readme,
    'bin/npm': `#!/bin/sh\n[ "$1" = run ] && { echo "npm $*"; exit \${CHECK:-0}; }\n${npm}\n`,
  });
  for (const program of [...Object.keys(TOOLS), 'npm'])
    chmodSync(join(tree.root, 'bin', program), 0o755);
  cpSync(CI, join(tree.root, '.ci/run'));
  const env = { ...process.env, PATH: `${join(tree.root, 'bin')}:${process.env.PATH}` };
  return await output(join(tree.root, '.ci/run'), [], { cwd: '/', env });
}

describe('.ci/run', () => {
  test('checks, then runs the test command of the README, and ends with its last line', async () => {
    const ran = await ci(README, 'echo "ran npm $*"; echo "12 passed, 0 failed, 1 skipped"');
    expect(ran.code).toBe(0);
    expect(ran.stdout).toBe(
      'npm run --silent check\nran npm test\n12 passed, 0 failed, 1 skipped\n',
    );
  });

  test('a failure keeps its exit code, and the sum stays the last line', async () => {
    const npm = 'echo "1 passed, 2 failed, 0 skipped"; echo "npm error" >&2; exit 3';
    const ran = await ci(README, npm);
    expect(ran.code).toBe(3);
    expect(ran.stdout).toMatch(/npm error\n1 passed, 2 failed, 0 skipped\n$/);
  });

  test.each([
    ['in no code block', 'Run npm test.\n\n    npm test\n'],
    ['only as part of another command', '```sh\nnpm test -- packages/cli\n```\n'],
    ['only after a code block', '```sh\nnpm run demo\n```\nnpm test\n'],
  ])('refused: the README shows the test command %s', async (_, readme) => {
    const ran = await ci(readme, 'echo "12 passed, 0 failed, 0 skipped"');
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('no `npm test` in a code block');
  });

  test('refused: the tests end without adding up', async () => {
    const ran = await ci(README, 'echo "all is well"');
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('without adding up');
  });

  test('it installs the packages that the tests look for', () => {
    const table = readFileSync(CI, 'utf8').matchAll(/^ {2}\[(\S+)\]=(\S+)$/gm);
    expect(Object.fromEntries([...table].map(([, tool, name]) => [tool, name]))).toEqual(TOOLS);
  });
});
