import { hkdfSync } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareKeyring,
  createKeyring,
  keyringCheck,
  PURPOSES,
  parseMasterKey,
} from '../../src/vault/keyring.ts';
import { keyringOf, masterKey } from './keys.ts';

/** Any UTF-16, lone surrogates too. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

const bytes = masterKey('first').export();
const reason = (text: string) => {
  const parsed = parseMasterKey(text);
  return parsed.ok ? 'accepted' : parsed.reason;
};

describe('master key: refused', () => {
  test.each([
    ['empty', ''],
    ['31 bytes', bytes.subarray(1).toString('hex')],
    ['33 bytes', Buffer.concat([bytes, Buffer.of(1)]).toString('base64')],
    ['cut off by one character', bytes.toString('base64url').slice(0, -1)],
    ['32 characters, which is a password', 'correct-horse-battery-staple-2026'.slice(0, 32)],
    ['two keys', `${bytes.toString('hex')}\n${bytes.toString('hex')}`],
    [
      'base64 with a line break',
      `${bytes.toString('base64').slice(0, 20)}\n${bytes.toString('base64').slice(20)}`,
    ],
    ['raw bytes read as text', bytes.toString('latin1')],
  ])('malformed: %s', (_, text) => {
    expect(reason(text)).toBe('malformed');
  });

  test.each([
    ['zeros', Buffer.alloc(32)],
    ['one byte repeated', Buffer.alloc(32, 0xaa)],
    ['a short text repeated', Buffer.from('postern!'.repeat(4))],
  ])('weak: %s', (_, key) => {
    expect(reason(key.toString('hex'))).toBe('weak');
  });
});

describe('master key: accepted', () => {
  test('hex, base64 and base64url of the same bytes are the same key', () => {
    const forms = [
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      bytes.toString('base64'),
    ];
    forms.push(bytes.toString('base64url'), ` ${bytes.toString('base64url')}\r\n`);
    for (const form of forms) {
      const parsed = parseMasterKey(form);
      expect(parsed.ok && parsed.value.export()).toEqual(bytes);
    }
  });

  test('every random key is read, and never called weak', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const distinct = new Set(key).size >= 16;
        expect(reason(Buffer.from(key).toString('base64'))).toBe(distinct ? 'accepted' : 'weak');
      }),
    );
  });

  test('random text never throws', () => {
    fc.assert(fc.property(anyText, (text) => void parseMasterKey(text)));
  });
});

describe('keyring', () => {
  test('the first key is the one that seals', () => {
    expect(keyringOf('first', 'second').active_id).toBe(keyringOf('first').active_id);
    expect(keyringOf('first', 'second').key_ids).toHaveLength(2);
  });

  test('none, and one key twice, are refused', () => {
    expect(createKeyring([])).toEqual({ ok: false, reason: 'no_key' });
    const twice = [masterKey('first'), masterKey('first')];
    expect(createKeyring(twice)).toEqual({ ok: false, reason: 'twice_the_same' });
  });

  test('purpose keys differ by purpose and by master key, and from the master key', () => {
    const ring = keyringOf('first', 'second');
    const keys = ring.key_ids.flatMap((id) =>
      PURPOSES.map((purpose) => ring.purposeKey(id, purpose)?.export().toString('hex')),
    );
    const all = [...keys, bytes.toString('hex')];
    expect(new Set(all).size).toBe(2 * PURPOSES.length + 1);
    expect(ring.purposeKey('mk_000000000000000000000000', 'log')).toBeUndefined();
  });

  test('the derivation is HKDF-SHA256 as written down, so that a later release opens it', () => {
    const ring = keyringOf('first');
    const derive = (info: string, length: number) =>
      Buffer.from(hkdfSync('sha256', bytes, 'postern-vault-v1', info, length));
    expect(ring.active_id).toBe(`mk_${derive('key-id', 12).toString('hex')}`);
    expect(ring.purposeKey(ring.active_id, 'cookie')?.export()).toEqual(
      derive('purpose/cookie', 32),
    );
  });

  test('shown, logged or put into JSON it says nothing of its keys', () => {
    const ring = keyringOf('first');
    ring.purposeKey(ring.active_id, 'log');
    const shown = `${inspect(ring, { depth: 9, showHidden: true })} ${JSON.stringify(ring)} ${ring}`;
    for (const form of ['hex', 'base64', 'base64url'] as const) {
      expect(shown).not.toContain(bytes.toString(form));
    }
    expect(JSON.parse(JSON.stringify(ring))).toEqual({ active_id: ring.active_id });
  });
});

describe('keyring check', () => {
  const stored = JSON.parse(JSON.stringify(keyringCheck(keyringOf('first'))));

  test('the same key, or more keys, fit', () => {
    expect(compareKeyring(keyringOf('first'), stored)).toEqual({ ok: true });
    expect(compareKeyring(keyringOf('second', 'first'), stored)).toEqual({ ok: true });
  });

  test('a wrong master key is told in one line that names both', () => {
    const result = compareKeyring(keyringOf('second'), stored);
    expect(result).toMatchObject({ ok: false });
    const detail = result.ok ? '' : result.detail;
    expect(detail).toContain(keyringOf('first').active_id);
    expect(detail).toContain(keyringOf('second').active_id);
    expect(detail).not.toContain('\n');
  });

  test('one of two needed keys missing is not enough', () => {
    const both = keyringCheck(keyringOf('first', 'second'));
    expect(compareKeyring(keyringOf('second'), both).ok).toBe(false);
  });

  test.each([
    null,
    undefined,
    {},
    [],
    'x',
    { key_ids: [] },
    { key_ids: ['x'] },
    { key_ids: [1] },
    { key_ids: 'mk_' },
  ])('a damaged record is refused: %j', (damaged) => {
    expect(compareKeyring(keyringOf('first'), damaged).ok).toBe(false);
  });

  test('it reveals no key', () => {
    expect(JSON.stringify(stored)).not.toContain(bytes.toString('hex'));
    expect(Object.keys(stored)).toEqual(['key_ids']);
  });
});
