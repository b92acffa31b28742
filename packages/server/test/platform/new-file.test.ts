import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StartupError } from '../../src/platform/errors.ts';
import { newFile } from '../../src/platform/new-file.ts';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'postern-new-file-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const refusalOf = (file: string): StartupError => {
  try {
    newFile(file);
  } catch (error) {
    if (error instanceof StartupError) return error;
    throw error;
  }
  throw new Error('it was made');
};

test('it takes its place at once, for its owner only, and holds what is written', () => {
  const at = path.join(folder, 'token');
  const file = newFile(at);
  expect(fs.readFileSync(at, 'utf8')).toBe('');
  file.write('secret\n');
  expect(fs.readFileSync(at, 'utf8')).toBe('secret\n');
  expect(fs.statSync(at).mode & 0o777).toBe(0o600);
});

test('dropped, nothing is left of it', () => {
  const at = path.join(folder, 'token');
  newFile(at).drop();
  expect(fs.readdirSync(folder)).toEqual([]);
});

test('refused: what is there already is never written over', () => {
  const at = path.join(folder, 'token');
  fs.writeFileSync(at, 'older');
  const refusal = refusalOf(at);
  expect([refusal.message, refusal.exit]).toEqual([
    `${at} is there already, and is never written over.`,
    78,
  ]);
  expect(refusal.next).toMatch(/^Remove it, or /);
  expect(fs.readFileSync(at, 'utf8')).toBe('older');
});

test('refused: a place where nothing can be made', () => {
  const refusal = refusalOf(path.join(folder, 'none', 'token'));
  expect(refusal.message).toMatch(/token cannot be made \(ENOENT\)\.$/);
  expect(refusal.next).toContain('POSTERN_BOOTSTRAP_TOKEN_FILE');
});
