import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateEd25519 } from '../../src/ssh/private-key.ts';
import { parsePublicKey, publicKeyOf } from '../../src/ssh/public-key.ts';
import {
  type SessionProofFields,
  sessionProofBytes,
  signSessionProof,
  verifySessionProof,
} from '../../src/ssh/session-proof.ts';
import { wireString } from '../../src/ssh/wire.ts';

/** Any UTF-16, lone surrogates too. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

const mine = generateEd25519();
const other = generateEd25519();
const FIELDS: SessionProofFields = {
  team: 'demo',
  user_id: '01890a5d-ac96-774b-bcce-b302099a8057',
  server_id: '01890a5d-ac96-774b-bcce-b302099a8058',
  identity: 'pamadmin1',
  access_credential: {
    type: 'vaulted_account',
    account_id: '01890a5d-ac96-774b-bcce-b302099a8059',
  },
  nonce: 'zWq0yC0Xn1u6b8WmC1m0yQ',
  public_key: mine.public_line,
};
const proof = signSessionProof(FIELDS, mine.private);

describe('session proof: refused', () => {
  test.each([
    ['team', { team: 'other' }],
    ['user', { user_id: '01890a5d-ac96-774b-bcce-b302099a8060' }],
    ['server', { server_id: '01890a5d-ac96-774b-bcce-b302099a8061' }],
    ['identity', { identity: 'root' }],
    ['credential', { access_credential: { type: 'principal_account' } }],
    ['account', { access_credential: { type: 'vaulted_account', account_id: 'x' } }],
    ['nonce', { nonce: 'zWq0yC0Xn1u6b8WmC1m0yR' }],
    ['public key', { public_key: other.public_line }],
  ] as const)('a proof over another %s', (_, changes) => {
    expect(verifySessionProof({ ...FIELDS, ...changes }, proof)).toEqual({
      ok: false,
      reason: 'bad_signature',
    });
  });

  test('text moved from one field to the next', () => {
    const moved = {
      ...FIELDS,
      user_id: `${FIELDS.user_id}0`,
      server_id: FIELDS.server_id.slice(1),
    };
    expect(verifySessionProof(moved, proof).ok).toBe(false);
  });

  test('a credential with admin permissions, where they were not signed', () => {
    const plain = { ...FIELDS, access_credential: { type: 'principal_account' } } as const;
    const admin = {
      ...FIELDS,
      access_credential: { type: 'principal_account', admin_level_permissions: true },
    } as const;
    const signed = signSessionProof(plain, mine.private);
    expect(verifySessionProof(admin, signed)).toEqual({ ok: false, reason: 'bad_signature' });
  });

  test('a credential of a kind that is not known', () => {
    const odd = { ...FIELDS, access_credential: { type: 'certificate' } as never };
    expect(sessionProofBytes(odd)).toBeUndefined();
    expect(verifySessionProof(odd, proof)).toEqual({ ok: false, reason: 'malformed' });
  });

  test('a signature of another key', () => {
    const bytes = sessionProofBytes(FIELDS) as Buffer;
    const forged = sign(null, bytes, other.private).toString('base64url');
    expect(verifySessionProof(FIELDS, forged)).toEqual({ ok: false, reason: 'bad_signature' });
  });

  test('the same fields signed without the magic', () => {
    const bytes = sessionProofBytes(FIELDS) as Buffer;
    const bare = sign(null, bytes.subarray(24), mine.private).toString('base64url');
    expect(verifySessionProof(FIELDS, bare).ok).toBe(false);
  });

  test.each([
    '',
    'x',
    `${proof}=`,
    `${proof}A`,
    proof.slice(1),
    `${proof.slice(0, -1)}_`,
    'a'.repeat(10_000),
  ])('malformed proof text %#', (text) => {
    expect(verifySessionProof(FIELDS, text)).toEqual({ ok: false, reason: 'malformed' });
  });

  test.each([
    ['a lone surrogate', { identity: 'a\ud800' }],
    ['a field beyond the bound', { nonce: 'n'.repeat(1025) }],
  ])('%s, when signing and when verifying', (_, changes) => {
    expect(() => signSessionProof({ ...FIELDS, ...changes }, mine.private)).toThrow(TypeError);
    expect(verifySessionProof({ ...FIELDS, ...changes }, proof)).toEqual({
      ok: false,
      reason: 'malformed',
    });
  });

  test.each([
    ['not a key', 'nonsense'],
    ['ECDSA', publicKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey).line],
  ])('a public key that is %s', (_, public_key) => {
    expect(verifySessionProof({ ...FIELDS, public_key }, proof)).toEqual({
      ok: false,
      reason: 'bad_key',
    });
  });

  test('signing with a key other than the one named', () => {
    expect(() => signSessionProof(FIELDS, other.private)).toThrow('another key');
  });
});

describe('session proof: accepted', () => {
  test('over exactly these fields', () => {
    expect(verifySessionProof(FIELDS, proof)).toEqual({ ok: true });
  });

  test('the comment of the key does not matter', () => {
    expect(verifySessionProof({ ...FIELDS, public_key: `${mine.public_line} x` }, proof).ok).toBe(
      true,
    );
  });

  test('admin permissions: absent and false are one', () => {
    const absent = { ...FIELDS, access_credential: { type: 'principal_account' } } as const;
    const no = {
      ...FIELDS,
      access_credential: { type: 'principal_account', admin_level_permissions: false },
    } as const;
    expect(verifySessionProof(no, signSessionProof(absent, mine.private)).ok).toBe(true);
  });

  test('the bytes, as written down', () => {
    const line = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICa0C4+T//PYlxEvfrxYKyMtvXJRfQgv6Dz7MN3OQ9G7';
    const key = parsePublicKey(line);
    if (!key.ok) return expect.fail(key.reason);
    const bytes = sessionProofBytes({
      team: 't',
      user_id: 'u',
      server_id: 's',
      identity: 'i',
      access_credential: { type: 'vaulted_account', account_id: 'a' },
      nonce: 'n',
      public_key: line,
    });
    const texts = ['t', 'u', 's', 'i', 'vaulted_account', 'a', 'n'].map((text) => wireString(text));
    const magic = Buffer.from('postern-session-proof-v1');
    expect(bytes).toEqual(Buffer.concat([magic, ...texts, wireString(key.value.blob)]));
  });
});

describe('session proof: properties', () => {
  test('different fields never give the same bytes', () => {
    const fields = fc.record({
      team: fc.string({ maxLength: 3 }),
      user_id: fc.string({ maxLength: 3 }),
      identity: fc.string({ maxLength: 3 }),
      nonce: fc.string({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(fields, fields, (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b);
        const [x, y] = [a, b].map((part) => sessionProofBytes({ ...FIELDS, ...part }));
        expect(x?.equals(y as Buffer)).toBe(same);
      }),
    );
  });

  test('random text never throws when verified', () => {
    fc.assert(
      fc.property(anyText, fc.string(), (text, signature) => {
        verifySessionProof({ ...FIELDS, identity: text, public_key: text }, signature);
        verifySessionProof({ ...FIELDS, identity: text }, proof);
      }),
    );
  });
});
