import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordingsIn } from '../../src/platform/recordings.ts';

const ID = '019cadc7-84e0-7190-b969-3f0e6130910b';
let directory = '';
const cast = () => join(directory, 'recordings', `${ID}.cast`);
const read = async (id = ID): Promise<string | undefined> => {
  const found = await recordingsIn(join(directory, 'recordings')).open(id);
  return found && (await text(found));
};
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-recordings-'));
  mkdirSync(join(directory, 'recordings'));
  writeFileSync(join(directory, 'master.key'), 'the master key');
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a recording is read', async () => {
  writeFileSync(cast(), 'a recording');
  expect(await read()).toBe('a recording');
});

// A gateway writes there, and it may be a stolen one: what it left is read by the service.
test.each<[string, () => unknown]>([
  ['nothing', () => undefined],
  ['a symbolic link', () => symlinkSync('../master.key', cast())],
  ['a folder', () => mkdirSync(cast())],
  ['a pipe that nobody writes to', () => execFileSync('mkfifo', [cast()])],
])('deny: %s in the place of a recording', async (_, put) => {
  put();
  expect(await read()).toBeUndefined();
});

test.each(['../master.key', `../recordings/${ID}`, `${ID}\u0000`, ID.toUpperCase(), ''])(
  'deny: %j, which is no session',
  async (id) => {
    writeFileSync(cast(), 'a recording');
    expect(await read(id)).toBeUndefined();
  },
);
