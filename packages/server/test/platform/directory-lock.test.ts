import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EXIT } from '@postern/shared';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDirectory } from '../../src/platform/directory-lock.ts';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'postern-lock-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

test('a second holder is refused, told who holds it and since when, with exit 78', async () => {
  const lock = await lockDirectory(directory);
  const second = lockDirectory(directory);
  await expect(second).rejects.toMatchObject({ exit: EXIT.config });
  await expect(second).rejects.toThrow(
    new RegExp(`in use by process ${process.pid}, since \\d{4}-\\d\\d-\\d\\dT`),
  );
  await lock.release();
});

test('released, it can be taken again, and nothing is left', async () => {
  await (await lockDirectory(directory)).release();
  await (await lockDirectory(directory)).release();
  expect(fs.readdirSync(directory)).toEqual([]);
});

test('of many that start at once exactly one holds it', async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, () => lockDirectory(directory)),
  );
  const held = results.filter((r) => r.status === 'fulfilled');
  expect(held).toHaveLength(1);
  await held[0]!.value.release();
});

test('a path longer than a socket name holds', async () => {
  const deep = path.join(directory, 'd'.repeat(120), 'e'.repeat(60));
  fs.mkdirSync(deep, { recursive: true });
  const lock = await lockDirectory(deep);
  await expect(lockDirectory(deep)).rejects.toThrow(/in use/);
  await lock.release();
});

test('what a killed holder left is taken over, by exactly one of many', async () => {
  const child = spawn(process.execPath, [
    '--input-type=module-typescript',
    '-e',
    `const { lockDirectory } = await import(${JSON.stringify(path.resolve(import.meta.dirname, '../../src/platform/directory-lock.ts'))});
     await lockDirectory(${JSON.stringify(directory)});
     console.log('held');
     setInterval(() => {}, 1000);`,
  ]);
  await once(child.stdout, 'data');
  await expect(lockDirectory(directory)).rejects.toThrow(`process ${child.pid},`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const [left] = fs.readdirSync(directory);
  expect(left).toMatch(/^postern\.lock\./);
  for (let round = 0; round < 10; round++) {
    // The dead socket again, under several names, and many that come at once.
    for (const n of [1, 2, 3])
      link(`${directory}/${left}`, `${directory}/postern.lock.0.${round}.${n}`);
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, () => lockDirectory(directory)),
    );
    const held = results.filter((r) => r.status === 'fulfilled');
    expect(held).toHaveLength(1);
    expect(fs.readdirSync(directory)).toHaveLength(1);
    await held[0]!.value.release();
  }
});

/** Until it is removed as dead, which the first round does. */
function link(from: string, to: string): void {
  if (fs.existsSync(from)) fs.linkSync(from, to);
}
