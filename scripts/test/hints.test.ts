import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { sft } from '../../packages/cli/src/sft.ts';
import { sftAdmin } from '../../packages/cli/src/sft-admin.ts';
import { codeFiles, isPackageSource } from '../sources.ts';

const root = resolve(import.meta.dirname, '../..');

it('every command that a message tells people to run exists', () => {
  const known = new Set(
    [sft, sftAdmin].flatMap((p) => Object.keys(p.commands).map((c) => `${p.name} ${c}`)),
  );
  const missing: string[] = [];
  let seen = 0;
  for (const file of codeFiles(root).filter(isPackageSource)) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, program, words] of text.matchAll(/\b(sft-admin|sft) ([a-z-]+(?: [a-z-]+)?)/g)) {
      seen += 1;
      const [first = ''] = (words ?? '').split(' ');
      if (!known.has(`${program} ${words}`) && !known.has(`${program} ${first}`))
        missing.push(`${file}: ${program} ${words}`);
    }
  }
  expect(seen).toBeGreaterThan(10);
  expect(missing).toEqual([]);
});
