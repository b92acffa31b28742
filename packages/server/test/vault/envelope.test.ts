import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { open, rewrap, type SealContext, type Sealed, seal } from '../../src/vault/envelope.ts';
import { PURPOSES } from '../../src/vault/keyring.ts';
import { Secret } from '../../src/vault/secret.ts';
import { keyringOf, random } from './keys.ts';

const RING = keyringOf('first');
const MINE = {
  purpose: 'account_secret',
  team: '01890a5d-ac96-774b-bcce-b302099a8050',
  account_id: '01890a5d-ac96-774b-bcce-b302099a8051',
  server_identity_revision: 3,
  version: 7,
} as const;
const SECRET = Secret.of('correct horse battery staple');
const sealed = seal(RING, MINE, SECRET, random);

const outcome = (context: SealContext, value: unknown, ring = RING) => {
  const opened = open(ring, context, value);
  return opened.ok ? opened.secret.expose().toString() : opened.reason;
};
const flip = (text: string, at: number) => {
  const bytes = Buffer.from(text, 'base64url');
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] as number) ^ 1;
  return bytes.toString('base64url');
};

describe('vault: a ciphertext that was moved does not open', () => {
  test.each([
    ['another account', { account_id: '01890a5d-ac96-774b-bcce-b302099a8052' }],
    ['an older version', { version: 6 }],
    ['a newer version', { version: 8 }],
    ['another team', { team: '01890a5d-ac96-774b-bcce-b302099a8053' }],
    ['another identity revision of the server', { server_identity_revision: 4 }],
  ])('to %s', (_, changes) => {
    expect(outcome({ ...MINE, ...changes }, sealed)).toBe('mismatch');
  });

  test.each(PURPOSES.filter((purpose) => purpose !== 'account_secret'))(
    'to the purpose %s',
    (purpose) => {
      expect(outcome({ purpose, team: MINE.team, version: 7 }, sealed)).toBe('mismatch');
    },
  );

  test('between two purposes of the service, in any direction', () => {
    for (const from of PURPOSES) {
      for (const to of PURPOSES) {
        if (from === 'account_secret' || to === 'account_secret' || from === to) continue;
        const context = { team: 't', version: 1 };
        const value = seal(RING, { ...context, purpose: from }, SECRET, random);
        expect(outcome({ ...context, purpose: to }, value)).toBe('mismatch');
      }
    }
  });

  test('text moved from one field of the context to another', () => {
    const value = seal(RING, { ...MINE, team: 'a', account_id: 'bc' }, SECRET, random);
    expect(outcome({ ...MINE, team: 'ab', account_id: 'c' }, value)).toBe('mismatch');
  });
});

describe('vault: an altered ciphertext does not open', () => {
  const other = seal(RING, { ...MINE, version: 8 }, SECRET, random);
  const twin = seal(RING, MINE, SECRET, random);

  test.each(['wrapped_key', 'wrap_nonce'] as const)('%s of another version', (field) => {
    expect(outcome(MINE, { ...sealed, [field]: other[field] })).toBe('mismatch');
  });

  test('the whole wrapping of another secret of the same context', () => {
    const { wrapped_key, wrap_nonce } = twin;
    expect(outcome(MINE, { ...sealed, wrapped_key, wrap_nonce })).toBe('mismatch');
  });

  test('the ciphertext and nonce of another secret of the same context', () => {
    const { ciphertext, nonce } = twin;
    expect(outcome(MINE, { ...sealed, ciphertext, nonce })).toBe('mismatch');
  });

  test.each(['wrapped_key', 'wrap_nonce', 'nonce', 'ciphertext'] as const)(
    'one bit of %s',
    (field) => {
      expect(outcome(MINE, { ...sealed, [field]: flip(sealed[field], 0) })).toBe('mismatch');
      expect(outcome(MINE, { ...sealed, [field]: flip(sealed[field], -1) })).toBe('mismatch');
    },
  );

  test('every truncation of the ciphertext', () => {
    const bytes = Buffer.from(sealed.ciphertext, 'base64url');
    for (let length = 0; length < bytes.length; length += 1) {
      const ciphertext = bytes.subarray(0, length).toString('base64url');
      expect(outcome(MINE, { ...sealed, ciphertext })).toBe(length < 16 ? 'malformed' : 'mismatch');
    }
  });

  test('a key id that is not in the keyring', () => {
    expect(outcome(MINE, { ...sealed, key_id: 'mk_000000000000000000000000' })).toBe('unknown_key');
    expect(outcome(MINE, sealed, keyringOf('second'))).toBe('unknown_key');
  });

  test('the key id of another master key that is in the keyring', () => {
    const both = keyringOf('second', 'first');
    expect(outcome(MINE, sealed, both)).toBe('correct horse battery staple');
    expect(outcome(MINE, { ...sealed, key_id: both.active_id }, both)).toBe('mismatch');
  });

  test.each([
    ['null', null],
    ['text', JSON.stringify(sealed)],
    ['an array', Object.values(sealed)],
    ['nothing', {}],
    ['a field more', { ...sealed, extra: '' }],
    ['a field less', { ...sealed, nonce: undefined }],
    ['a number for text', { ...sealed, nonce: 1 }],
    ['base64 with padding', { ...sealed, wrap_nonce: `${sealed.wrap_nonce}=` }],
    ['a nonce of another length', { ...sealed, nonce: flip(sealed.nonce, 0).slice(4) }],
    ['a wrapped key without its tag', { ...sealed, wrapped_key: sealed.wrapped_key.slice(0, 43) }],
    ['a key id that is no text', { ...sealed, key_id: 1 }],
    ['a ciphertext beyond the bound', { ...sealed, ciphertext: 'A'.repeat(100_000) }],
  ])('malformed: %s', (_, value) => {
    expect(outcome(MINE, value)).toBe('malformed');
  });
});

describe('vault: sealing', () => {
  test('what was sealed opens, also after a trip through JSON', () => {
    expect(outcome(MINE, JSON.parse(JSON.stringify(sealed)))).toBe('correct horse battery staple');
  });

  test('nothing is used twice: data key, nonces and ciphertext differ for the same secret', () => {
    const again = seal(RING, MINE, SECRET, random);
    for (const field of ['wrapped_key', 'wrap_nonce', 'nonce', 'ciphertext'] as const) {
      expect(again[field]).not.toBe(sealed[field]);
    }
  });

  test('three draws: data key, nonce, nonce of the wrapping, of full length', () => {
    const asked: number[] = [];
    const counting = (bytes: number) => {
      asked.push(bytes);
      return random(bytes);
    };
    seal(RING, MINE, SECRET, counting);
    expect(asked).toEqual([32, 12, 12]);
  });

  test('a random source that gives fewer bytes is refused', () => {
    expect(() => seal(RING, MINE, SECRET, (n) => random(n - 1))).toThrow(RangeError);
    expect(() => seal(RING, MINE, SECRET, () => Buffer.alloc(0))).toThrow(RangeError);
  });

  test('the random source keeps its buffer: only a copy is wiped', () => {
    const source = Buffer.alloc(32, 7);
    seal(RING, MINE, SECRET, (n) => source.subarray(0, n));
    expect(source).toEqual(Buffer.alloc(32, 7));
  });

  test.each([
    ['an empty id', { account_id: '' }],
    ['a lone surrogate', { team: '\ud800' }],
    ['a fraction', { version: 1.5 }],
    ['not a number', { version: Number.NaN }],
    ['a negative revision', { server_identity_revision: -1 }],
    ['a missing revision', { server_identity_revision: undefined as never }],
  ])('a context with %s is refused', (_, changes) => {
    expect(() => seal(RING, { ...MINE, ...changes }, SECRET, random)).toThrow(RangeError);
    expect(() => open(RING, { ...MINE, ...changes }, sealed)).toThrow(RangeError);
  });

  test('a secret beyond 64 KiB is refused, one of 64 KiB and an empty one are not', () => {
    expect(() => seal(RING, MINE, Secret.of(Buffer.alloc(65_537)), random)).toThrow(RangeError);
    for (const length of [65_536, 0]) {
      const value = seal(RING, MINE, Secret.of(Buffer.alloc(length)), random);
      expect(outcome(MINE, value)).toHaveLength(length);
    }
  });

  test('fields of the caller that are no part of the context do not matter', () => {
    const row = { ...MINE, created_at: 'today' };
    expect(outcome(row, sealed)).toBe('correct horse battery staple');
  });
});

describe('vault: rotation of the master key', () => {
  const both = keyringOf('second', 'first');
  const moved = rewrap(both, MINE, sealed, random);
  const value = moved.ok ? moved.value : ({} as Sealed);

  test('the secret itself is not encrypted again', () => {
    expect(value.ciphertext).toBe(sealed.ciphertext);
    expect(value.nonce).toBe(sealed.nonce);
    expect(value.wrap_nonce).not.toBe(sealed.wrap_nonce);
  });

  test('afterwards the new master key alone opens it, and the old one does not', () => {
    expect(outcome(MINE, value, keyringOf('second'))).toBe('correct horse battery staple');
    expect(outcome(MINE, value, RING)).toBe('unknown_key');
  });

  test('a moved or damaged ciphertext is not carried over', () => {
    expect(rewrap(both, { ...MINE, version: 6 }, sealed, random)).toEqual({
      ok: false,
      reason: 'mismatch',
    });
    expect(rewrap(both, MINE, { ...sealed, key_id: 'x' }, random)).toEqual({
      ok: false,
      reason: 'unknown_key',
    });
    expect(rewrap(both, MINE, null, random)).toEqual({ ok: false, reason: 'malformed' });
  });
});

describe('vault: properties', () => {
  const text = fc.string({ minLength: 1, maxLength: 8 });
  const context = fc.record({
    purpose: fc.constant('account_secret' as const),
    team: text,
    account_id: text,
    server_identity_revision: fc.nat(3),
    version: fc.nat(3),
  });

  test('opens for an equal context and for no other', () => {
    fc.assert(
      fc.property(context, context, fc.uint8Array({ maxLength: 100 }), (a, b, bytes) => {
        const opened = open(RING, b, seal(RING, a, Secret.of(bytes), random));
        expect(opened.ok).toBe(JSON.stringify(a) === JSON.stringify(b));
        expect(open(RING, a, seal(RING, a, Secret.of(bytes), random)).ok).toBe(true);
      }),
    );
  });

  test('anything that JSON can hold is refused without a throw', () => {
    const part = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.constantFrom(...Object.values(sealed)),
    );
    const shape = fc.record({
      key_id: part,
      wrapped_key: part,
      wrap_nonce: part,
      nonce: part,
      ciphertext: part,
    });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), shape), (value) => {
        const same = JSON.stringify(value) === JSON.stringify(sealed);
        expect(open(RING, MINE, value).ok).toBe(same);
      }),
    );
  });
});
