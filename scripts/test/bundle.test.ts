import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundleClient } from '../bundle.ts';
import { output } from '../report.ts';
import { Tree } from './tree.ts';

const root = resolve(import.meta.dirname, '../..');

/** Whether ssh2's addon is there after `script`: without it everything works, slower. */
async function loadsAddon(script: string): Promise<string> {
  const look = `${script};
    const { _cache } = (await import('node:module')).default;
    console.log(Object.keys(_cache).some((file) => file.endsWith('sshcrypto.node')));`;
  const args = ['--input-type=module', '-e', look];
  return (await output(process.execPath, args, { cwd: join(root, 'packages/cli') })).stdout;
}

describe('the bundle of the client', { timeout: 60_000 }, () => {
  test('it starts, and says the same version as the source', async () => {
    // Inside the package, as dist is: that is where ssh2 is found.
    const folder = mkdtempSync(join(root, 'packages/cli/node_modules/.bundle-'));
    try {
      expect(await bundleClient(root, join(folder, 'dist'))).toEqual(['sft', 'sft-admin']);
      for (const [program, source] of [
        ['sft', 'main'],
        ['sft-admin', 'admin'],
      ]) {
        const built = [join(folder, 'dist', `${program}.mjs`), '--version'];
        const plain = [join(root, `packages/cli/src/${source}.ts`), '--version'];
        const [a, b] = await Promise.all(
          [built, plain].map((args) => output(process.execPath, args, { cwd: root })),
        );
        expect(a).toMatchObject({ code: 0, stdout: b?.stdout, stderr: '' });
        expect(a?.stdout).toMatch(new RegExp(`^${program} \\d+\\.\\d+\\.\\d+\\n$`));
      }
      expect(existsSync(join(folder, 'dist/chunks'))).toBe(true);
      expect(readdirSync(folder)).toEqual(['dist']);
      const [ssh] = readdirSync(join(folder, 'dist/chunks')).filter((f) => f.startsWith('run-'));
      const chunk = join(folder, 'dist/chunks', ssh ?? '');
      expect(await loadsAddon(`await import(${JSON.stringify(chunk)})`)).toBe(
        await loadsAddon("await import('ssh2')"),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a new build replaces the old one as a whole', async () => {
    using tree = new Tree({
      'node_modules/ssh2/lib/client.js': 'module.exports = class {};',
      'packages/cli/src/main.ts': "const m = await import('./ssh.ts'); console.log(m.kind);",
      'packages/cli/src/ssh.ts': "import ssh2 from 'ssh2'; export const kind = typeof ssh2.Client;",
    });
    const dist = join(tree.root, 'packages/cli/dist');
    mkdirSync(join(dist, 'chunks'), { recursive: true });
    tree.write('packages/cli/dist/chunks/old.mjs', '');
    expect(await bundleClient(tree.root, dist)).toEqual(['sft']);
    expect(existsSync(join(dist, 'chunks/old.mjs'))).toBe(false);
    expect(readFileSync(join(dist, 'sft.mjs'), 'utf8')).not.toContain('ssh2');
    const ran = await output(process.execPath, [join(dist, 'sft.mjs')], { cwd: tree.root });
    expect(ran.stdout).toBe('function\n');
  });

  test('nothing is built, and nothing taken away, when there is no source', async () => {
    using tree = new Tree({ 'dist/kept.mjs': '' });
    expect(await bundleClient(tree.root, join(tree.root, 'dist'))).toEqual([]);
    expect(existsSync(join(tree.root, 'dist/kept.mjs'))).toBe(true);
  });
});
