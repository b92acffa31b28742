import { chmodSync, cpSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Output, output } from '../report.ts';
import { Tree } from './tree.ts';

const BIN = resolve(import.meta.dirname, '../../bin');
const STAMP = { 'node_modules/.postern-installed': 'x' };
/** A Node that says how it was started. */
const NODE = {
  'node_modules/node-test-x1/bin/node': '#!/bin/sh\nfor arg; do printf "<%s>" "$arg"; done\n',
};
/** What keeps Node from hanging at its end (nodejs/node#54918); the service still optimizes beside its work. */
const FLAGS = {
  client: '<--no-concurrent-sparkplug><--no-concurrent-recompilation><--min-semi-space-size=16>',
  service: '<--no-concurrent-sparkplug><--max-semi-space-size=8><--wasm-tiering-budget=150000000>',
};
const BUNDLE = { 'packages/cli/dist/sft.mjs': '', 'packages/server/dist/main.mjs': '' };
const HISTORY = '.git/logs/HEAD';

class Clone extends Tree {
  constructor(...layers: ConstructorParameters<typeof Tree>) {
    super(...layers);
    cpSync(BIN, join(this.root, 'bin'), { recursive: true });
    const node = join(this.root, Object.keys(NODE)[0] ?? '');
    if (layers.includes(NODE)) chmodSync(node, 0o755);
  }

  run(program: string, args: string[] = [], cwd = this.root): Promise<Output> {
    return output(program, args, { cwd });
  }
}

describe('launchers', () => {
  test.each(['sft', 'sft-admin', 'posternd'])(
    '%s: nothing installed is 78 and a command',
    async (name) => {
      using clone = new Clone();
      const ran = await clone.run(`bin/${name}`);
      expect(ran.code).toBe(78);
      expect(ran.stdout).toBe('');
      const [what, next, ...rest] = ran.stderr.trimEnd().split('\n');
      expect(what).toBe(`${name}: nothing is installed in ${clone.root} yet.`);
      expect(next).toContain('npm run demo');
      expect(rest).toEqual([]);
    },
  );

  test('the bundle is started when there is one, and arguments arrive as they are', async () => {
    using clone = new Clone(STAMP, NODE, BUNDLE);
    const ran = await clone.run('bin/sft', ['ssh', 'a b', '', '--', '*', "it's"]);
    expect(ran.stdout).toBe(
      `${FLAGS.client}<bin/../packages/cli/dist/sft.mjs><ssh><a b><><--><*><it's>`,
    );
  });

  test('posternd is started from its bundle too', async () => {
    using clone = new Clone(STAMP, NODE, BUNDLE);
    const ran = await clone.run('bin/posternd', ['serve']);
    expect(ran.stdout).toBe(`${FLAGS.service}<bin/../packages/server/dist/main.mjs><serve>`);
  });

  test.each([
    ['sft', 'packages/cli/src/main.ts', 'packages/cli/dist/sft.mjs'],
    ['posternd', 'packages/server/src/main.ts', 'packages/server/dist/main.mjs'],
  ])('%s: no bundle of what was there before the last pull', async (name, source, bundle) => {
    using clone = new Clone(STAMP, NODE, BUNDLE, { [HISTORY]: '' });
    const at = (file: string, second: number) => utimesSync(join(clone.root, file), second, second);
    at(bundle, 1_000);
    at(HISTORY, 2_000);
    expect((await clone.run(`bin/${name}`)).stdout).toContain(`<bin/../${source}>`);
    at(bundle, 3_000);
    expect((await clone.run(`bin/${name}`)).stdout).toContain(`<bin/../${bundle}>`);
  });

  test.each([
    ['sft', 'packages/cli/src/main.ts'],
    ['sft-admin', 'packages/cli/src/admin.ts'],
    ['posternd', 'packages/server/src/main.ts'],
  ])('%s: else its source', async (name, source) => {
    using clone = new Clone(STAMP, NODE);
    const ran = await clone.run(`bin/${name}`, ['serve']);
    const flags = name === 'posternd' ? FLAGS.service : FLAGS.client;
    expect(ran.stdout).toBe(
      `${flags}<--disable-warning=ExperimentalWarning><bin/../${source}><serve>`,
    );
  });

  test('symbolic links to a launcher are followed, relative and absolute, one after another', async () => {
    using clone = new Clone(STAMP, NODE, BUNDLE);
    mkdirSync(join(clone.root, 'home/bin'), { recursive: true });
    symlinkSync('../../bin/sft', join(clone.root, 'home/bin/near'));
    symlinkSync(join(clone.root, 'home/bin/near'), join(clone.root, 'far'));
    for (const link of ['home/bin/near', 'far']) {
      const ran = await clone.run(join(clone.root, link), ['-v'], '/');
      expect(ran.stdout).toMatch(/\/packages\/cli\/dist\/sft\.mjs><-v>$/);
    }
  });
});
