import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  makeToken,
  matchesToken,
  parseToken,
  TOKEN_SECRET_BYTES,
} from '../../src/identity/token.ts';

/** Any UTF-16, lone surrogates too. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

const ID = '01890a5d-ac96-774b-bcce-b302099a8057';
const SECRET = Buffer.alloc(32, 'a secret that tests can know');
const { token, hash } = makeToken(ID, SECRET);
const last = token.slice(-1);

describe('token: refused', () => {
  test.each([
    ['empty', ''],
    ['another prefix', token.replace('pst_', 'ghp_')],
    ['upper-case prefix', token.replace('pst_', 'PST_')],
    ['no prefix', token.slice(4)],
    ['cut off', token.slice(0, -1)],
    ['a character more', `${token}A`],
    ['a line end', `${token}\n`],
    ['white space before', ` ${token}`],
    ['the scheme before', `Bearer ${token}`],
    ['two tokens', `${token} ${token}`],
    ['an id with hyphens', token.replace(/_.{32}_/, `_${ID}_`)],
    ['an upper-case id', token.replace(/[0-9a-f]{32}/, (id) => id.toUpperCase())],
    ['base64 in place of base64url', `${token.slice(0, -2)}+/`],
    [
      'a second spelling of the secret',
      token.slice(0, -1) + String.fromCharCode(last.charCodeAt(0) + 1),
    ],
    ['a megabyte', `${token}${'A'.repeat(1_000_000)}`],
  ])('%s', (_, text) => {
    expect(parseToken(text)).toEqual({ ok: false });
  });

  const presented = parseToken(token);
  const matches = (kept: string) => presented.ok && matchesToken(presented, kept);

  test('the right id with another secret', () => {
    expect(matches(makeToken(ID, randomBytes(32)).hash)).toBe(false);
  });

  test('the right secret with another id: the hash is over both', () => {
    expect(matches(makeToken('01890a5d-ac96-774b-bcce-b302099a8058', SECRET).hash)).toBe(false);
  });

  test.each([
    ['empty', ''],
    ['cut off', hash.slice(0, -1)],
    ['longer', `${hash}00`],
    ['upper case', hash.toUpperCase()],
    ['not hex', 'z'.repeat(64)],
    ['the secret itself', SECRET.toString('hex')],
    ['the hash of the secret alone', createHash('sha256').update(SECRET).digest('hex')],
  ])('a kept hash that is %s', (_, kept) => {
    expect(matches(kept)).toBe(false);
  });

  test.each([0, 16, 31, 33])('making one of %i random bytes', (length) => {
    expect(() => makeToken(ID, randomBytes(length))).toThrow(RangeError);
  });

  test.each(['', 'x', ID.toUpperCase(), ID.replaceAll('-', ''), `${ID}0`])(
    'making one for the id %j',
    (id) => {
      expect(() => makeToken(id, SECRET)).toThrow(RangeError);
    },
  );
});

describe('token: accepted', () => {
  test('its form, and the row it names', () => {
    expect(token).toMatch(/^pst_01890a5dac96774bbcceb302099a8057_[A-Za-z0-9_-]{43}$/);
    expect(hash).toBe(createHash('sha256').update(token).digest('hex'));
    expect(TOKEN_SECRET_BYTES * 8).toBe(256);
  });

  test('every token that is made is parsed, and matches its own hash only', () => {
    const id = fc.uuid();
    const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => Buffer.from(b));
    fc.assert(
      fc.property(id, secret, (uuid, bytes) => {
        const made = makeToken(uuid, bytes);
        const parsed = parseToken(made.token);
        if (!parsed.ok) return expect.fail('not parsed');
        expect(parsed.id).toBe(uuid);
        expect(matchesToken(parsed, made.hash)).toBe(true);
        expect(matchesToken(parsed, hash)).toBe(false);
      }),
    );
  });
});

describe('token: its text is nowhere but in the token', () => {
  const leaks = (shown: string) =>
    shown.includes(token.slice(-43)) || shown.includes(SECRET.toString('hex'));

  test('not in what was parsed', () => {
    const parsed = parseToken(token);
    expect(leaks(inspect(parsed, { depth: 9, showHidden: true }) + JSON.stringify(parsed))).toBe(
      false,
    );
  });

  test('not in a refusal', () => {
    expect(leaks(JSON.stringify(parseToken(`${token}x`)))).toBe(false);
  });

  test('not in an error', () => {
    for (const make of [
      () => makeToken('x', SECRET),
      () => makeToken(ID, Buffer.concat([SECRET, SECRET])),
    ]) {
      try {
        make();
        expect.fail('must throw');
      } catch (error) {
        expect(leaks(inspect(error))).toBe(false);
      }
    }
  });

  test('random text never throws', () => {
    fc.assert(fc.property(anyText, (text) => void parseToken(text)));
    fc.assert(fc.property(fc.string(), (text) => void parseToken(`pst_${text}`)));
  });
});
