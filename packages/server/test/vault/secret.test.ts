import { format, inspect } from 'node:util';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/vault/secret.ts';

const TEXT = 'correct horse battery staple';
const secret = Secret.of(TEXT);

function logged(): string {
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  log.info({ secret, nested: { list: [secret] } }, 'a line with %s and %j', secret, secret);
  log.error(new Error(`failed with ${secret}`));
  return lines.join('');
}

describe('secret: never shown', () => {
  test.each([
    ['in a template', () => `${secret}`],
    ['added to text', () => `x${String(secret)}`],
    ['as JSON', () => JSON.stringify({ secret, list: [secret] })],
    ['inspected', () => inspect(secret, { showHidden: true, depth: 9 })],
    ['inspected inside something', () => inspect({ a: [new Map([[1, secret]])] }, { depth: 9 })],
    ['formatted', () => format('%s %o %O %j %d', secret, secret, secret, secret, secret)],
    ['logged by pino', logged],
    ['as the message of an error', () => inspect(new Error(secret as unknown as string))],
    ['by its properties', () => JSON.stringify(Object.getOwnPropertyDescriptors(secret))],
    ['spread', () => JSON.stringify({ ...secret })],
    ['cloned', () => inspect(structuredClone(secret), { showHidden: true })],
  ])('%s', (_, show) => {
    const shown = show();
    expect(shown).not.toContain('horse');
    expect(shown).not.toContain(Buffer.from(TEXT).toString('hex'));
    expect(shown).not.toContain('99,111,114'); // the bytes of "cor" as numbers
  });
});

describe('secret', () => {
  test('expose gives the bytes', () => {
    expect(secret.expose().toString()).toBe(TEXT);
  });

  test('it is a copy: the original may be wiped', () => {
    const original = Buffer.from(TEXT);
    const copy = Secret.of(original);
    original.fill(0);
    expect(copy.expose().toString()).toBe(TEXT);
  });

  test('wiped, also by leaving a `using` block, it is all zero', () => {
    let seen: Buffer;
    {
      using short = Secret.of(TEXT);
      seen = short.expose();
    }
    expect(seen.every((byte) => byte === 0)).toBe(true);
  });
});
