import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Paths from the tree's root, and what stands in them. */
export type Files = Readonly<Record<string, string>>;

/** npm packages as far as a rule sees them: a folder with a name and a main file. */
const NPM = [
  '@electric-sql/pglite',
  '@inquirer/prompts',
  'fastify',
  'kysely',
  'pg',
  'pg-boss',
  'pino',
  'ssh2',
  'typebox',
  'undici',
  'vitest',
];
const WORKSPACE = ['shared', 'server', 'gateway', 'cli'];

/** A workspace of its own in a temporary folder, removed when it goes out of scope. */
export class Tree implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'postern-tree-'));

  constructor(...layers: Files[]) {
    for (const name of NPM) {
      this.write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
      this.write(`node_modules/${name}/index.js`, 'module.exports = {};');
    }
    const dependencies = Object.fromEntries(
      [...NPM, ...WORKSPACE.map((name) => `@postern/${name}`)].map((name) => [name, '*']),
    );
    this.write('package.json', JSON.stringify({ name: 'fixture', type: 'module', dependencies }));
    mkdirSync(join(this.root, 'node_modules', '@postern'), { recursive: true });
    for (const name of WORKSPACE) {
      const exports = { '.': './src/index.ts' };
      const manifest = { name: `@postern/${name}`, type: 'module', exports, dependencies };
      this.write(`packages/${name}/package.json`, JSON.stringify(manifest));
      symlinkSync(
        join(this.root, 'packages', name),
        join(this.root, 'node_modules/@postern', name),
      );
    }
    for (const files of layers) {
      for (const [path, text] of Object.entries(files)) this.write(path, text);
    }
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
