import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import ssh2 from 'ssh2';
import { describe, expect, test } from 'vitest';
import { generateEd25519, toOpenSshPrivateKey } from '../../src/ssh/private-key.ts';
import {
  ed25519FromRaw,
  ed25519ToRaw,
  parsePublicKey,
  parsePublicKeyBlob,
  publicKeyOf,
  toPublicKey,
} from '../../src/ssh/public-key.ts';
import { wireMpint, wireString } from '../../src/ssh/wire.ts';
import { haveSshKeygen, withSshKeygen } from './openssh.ts';

const edLine = generateEd25519().public_line;
const edBlob = Buffer.from(edLine.split(' ')[1] as string, 'base64');
const lineOf = (type: string, blob: Buffer) => `${type} ${blob.toString('base64')}`;
const rsaBlob = (e: Buffer, n: Buffer) =>
  Buffer.concat([wireString('ssh-rsa'), wireMpint(e), wireMpint(n)]);
const point = (hex: string) =>
  Buffer.concat([wireString('ssh-ed25519'), wireString(Buffer.from(hex, 'hex'))]);
const reason = (line: string) => {
  const parsed = parsePublicKey(line);
  return parsed.ok ? 'accepted' : parsed.reason;
};

describe('public key: refused', () => {
  test.each([
    ['empty', ''],
    ['no key', 'ssh-ed25519'],
    ['options before the type', `command="id" ${edLine}`],
    ['leading space', ` ${edLine}`],
    ['two spaces', edLine.replace(' ', '  ')],
    ['a line end', `${edLine}\n`],
    ['a second line', `${edLine}\n${edLine}`],
    ['a control character in the comment', `${edLine} a\u001b[2J`],
    ['base64 with a wrong last character', lineOf('ssh-ed25519', edBlob).replace(/.$/, '*')],
    ['base64 without its padding', `${edLine}=`],
    ['bytes after the key', lineOf('ssh-ed25519', Buffer.concat([edBlob, Buffer.of(0)]))],
    ['31 bytes', lineOf('ssh-ed25519', point('11'.repeat(31)))],
    ['33 bytes', lineOf('ssh-ed25519', point('11'.repeat(33)))],
    ['a line beyond the bound', `${edLine} ${'x'.repeat(20_000)}`],
  ])('malformed: %s', (_, line) => {
    expect(reason(line)).toBe('malformed');
  });

  test('type mismatch: the word is not the type inside', () => {
    expect(reason(edLine.replace('ssh-ed25519', 'ssh-rsa'))).toBe('type_mismatch');
  });

  test.each(['ssh-ed25519-cert-v01@openssh.com', 'ssh-rsa-cert-v01@openssh.com'])(
    'certificate: %s',
    (type) => {
      expect(reason(lineOf(type, Buffer.concat([wireString(type), Buffer.alloc(80)])))).toBe(
        'certificate',
      );
    },
  );

  test.each(['ssh-dss', 'sk-ssh-ed25519@openssh.com', 'constructor'])(
    'unsupported type: %s',
    (type) => {
      expect(reason(lineOf(type, Buffer.concat([wireString(type), wireString('x')])))).toBe(
        'unsupported_type',
      );
    },
  );

  // Every encoding of a point of small order, with either sign, canonical or not.
  test.each([
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ])('weak key: an Ed25519 point of small order %s', (hex) => {
    const signed = Buffer.from(hex, 'hex');
    signed[31] = (signed[31] as number) | 0x80;
    for (const raw of [Buffer.from(hex, 'hex'), signed]) {
      expect(ed25519FromRaw(raw).ok).toBe(false);
    }
  });

  test.each([
    ['X25519', generateKeyPairSync('x25519').publicKey],
    ['Ed448', generateKeyPairSync('ed448').privateKey],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey],
    ['brainpoolP256r1', generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }).publicKey],
    ['a secret key', createSecretKey(Buffer.alloc(32))],
  ])('unsupported type: a key object of %s', (_, key) => {
    expect(toPublicKey(key)).toEqual({ ok: false, reason: 'unsupported_type' });
    expect(() => publicKeyOf(key)).toThrow(TypeError);
  });

  test('weak key: RSA of 2048 bits', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(() => publicKeyOf(publicKey)).toThrow('weak_key');
  });

  test('weak key: RSA with exponent 1, 3, an even one, or an even modulus', () => {
    const n = Buffer.alloc(384, 0xff);
    for (const e of [1, 3, 65_536]) {
      expect(parsePublicKeyBlob(rsaBlob(Buffer.of(e >> 16, (e >> 8) & 255, e & 255), n))).toEqual({
        ok: false,
        reason: 'weak_key',
      });
    }
    n[383] = 0xfe;
    expect(parsePublicKeyBlob(rsaBlob(Buffer.of(1, 0, 1), n))).toEqual({
      ok: false,
      reason: 'weak_key',
    });
  });

  test('ECDSA: another curve inside, a compressed point, a point off the curve', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const good = publicKeyOf(publicKey).blob;
    const type = wireString('ecdsa-sha2-nistp256');
    const off = Buffer.from(good);
    off[off.length - 1] = (off.at(-1) as number) ^ 1;
    const compressed = Buffer.concat([Buffer.of(2), good.subarray(-64, -32)]);
    const cases = [
      [
        Buffer.concat([type, wireString('nistp384'), wireString(good.subarray(-65))]),
        'type_mismatch',
      ],
      [Buffer.concat([type, wireString('nistp256'), wireString(compressed)]), 'malformed'],
      [off, 'malformed'],
    ] as const;
    for (const [blob, why] of cases) {
      expect(parsePublicKeyBlob(blob)).toEqual({ ok: false, reason: why });
    }
  });
});

describe('public key: accepted', () => {
  test('the canonical form has no comment, the comment is kept apart', () => {
    const parsed = parsePublicKey(`${edLine} dana@laptop, the blue one`);
    expect(parsed).toMatchObject({
      ok: true,
      value: { type: 'ssh-ed25519', line: edLine, comment: 'dana@laptop, the blue one' },
    });
  });

  test.each([
    ['ed25519', () => generateKeyPairSync('ed25519')],
    ['rsa 3072', () => generateKeyPairSync('rsa', { modulusLength: 3072 })],
    ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' })],
  ])('%s: KeyObject → line → KeyObject', (_, make) => {
    const { publicKey, privateKey } = make();
    const { line } = publicKeyOf(privateKey);
    const parsed = parsePublicKey(line);
    if (!parsed.ok) return expect.fail(parsed.reason);
    expect(parsed.value.key.equals(publicKey)).toBe(true);
  });

  test('raw Ed25519 → KeyObject → raw', () => {
    const raw = edBlob.subarray(-32);
    const key = ed25519FromRaw(raw);
    if (!key.ok) return expect.fail(key.reason);
    expect(ed25519ToRaw(key.value)).toEqual(raw);
  });
});

describe.skipIf(!haveSshKeygen)('public key: as OpenSSH', () => {
  test.each([
    ['ed25519', []],
    ['rsa', ['-b', '3072']],
    ['ecdsa', ['-b', '256']],
    ['ecdsa', ['-b', '384']],
    ['ecdsa', ['-b', '521']],
  ])('%s %j: line and fingerprint agree with ssh-keygen', (type, bits) => {
    withSshKeygen(({ keygen, read }) => {
      keygen('-q', '-t', type, ...bits, '-N', '', '-C', 'a comment', '-f', 'key');
      const line = read('key.pub').trimEnd();
      const parsed = parsePublicKey(line);
      if (!parsed.ok) return expect.fail(parsed.reason);
      expect(`${parsed.value.line} ${parsed.value.comment}`).toBe(line);
      expect(keygen('-l', '-f', 'key.pub')).toContain(` ${parsed.value.fingerprint} `);
    });
  });

  test('a real certificate is refused', () => {
    withSshKeygen(({ keygen, read }) => {
      keygen('-q', '-t', 'ed25519', '-N', '', '-f', 'ca');
      keygen('-q', '-t', 'ed25519', '-N', '', '-f', 'key');
      keygen('-q', '-s', 'ca', '-I', 'id', '-n', 'root', 'key.pub');
      expect(reason(read('key-cert.pub').trimEnd())).toBe('certificate');
    });
  });

  test('our private key file is read by ssh-keygen', () => {
    withSshKeygen(({ keygen, write }) => {
      const made = generateEd25519();
      const path = write('mine', toOpenSshPrivateKey(made.private));
      expect(keygen('-y', '-f', path).trim()).toBe(made.public_line);
    });
  });
});

describe('private key', () => {
  test('is read by ssh2, which signs with it', () => {
    const made = generateEd25519();
    const parsed = ssh2.utils.parseKey(toOpenSshPrivateKey(made.private));
    if (parsed instanceof Error) throw parsed;
    expect(lineOf('ssh-ed25519', parsed.getPublicSSH())).toBe(made.public_line);
    expect(parsed.verify(Buffer.from('x'), parsed.sign(Buffer.from('x')) as Buffer)).toBe(true);
  });

  test('another kind of key is refused', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(() => toOpenSshPrivateKey(privateKey)).toThrow(TypeError);
    expect(() => toOpenSshPrivateKey(publicKey)).toThrow(TypeError);
    expect(() => ed25519ToRaw(publicKey)).toThrow(TypeError);
  });
});

describe('public key: properties', () => {
  test('random bytes and text never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (b) => void parsePublicKeyBlob(b)));
    fc.assert(fc.property(fc.string(), (s) => void parsePublicKey(s)));
    fc.assert(fc.property(fc.string(), (s) => void parsePublicKey(`ssh-ed25519 ${s}`)));
  });

  test('a changed byte never gives the same key, and never throws', () => {
    fc.assert(
      fc.property(fc.nat(edBlob.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(edBlob);
        changed[at] = (changed[at] as number) ^ flip;
        const parsed = parsePublicKeyBlob(changed);
        if (parsed.ok) expect(parsed.value.line).not.toBe(edLine);
      }),
    );
  });

  test('every accepted blob is the encoding of its own key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (raw) => {
        const parsed = ed25519FromRaw(raw);
        if (parsed.ok) expect(ed25519ToRaw(parsed.value)).toEqual(Buffer.from(raw));
      }),
    );
  });
});
