import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateEd25519, toOpenSshPrivateKey, wireString } from '@postern/shared';
import fc from 'fast-check';
import ssh2 from 'ssh2';
import { describe, expect, test } from 'vitest';
import {
  CREDENTIAL_PROBLEMS,
  exposeCredential,
  parseCredential,
} from '../../src/vault/credential.ts';
import { Secret } from '../../src/vault/secret.ts';

/** Any UTF-16, lone surrogates too. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

const ofKey = (private_key: string) => parseCredential({ type: 'private_key', private_key });
const reason = (private_key: string) => {
  const parsed = ofKey(private_key);
  return parsed.ok ? 'accepted' : parsed.reason;
};
const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1') =>
  key.export({ format: 'pem', type }) as string;
const ed = generateEd25519();
const opensshText = toOpenSshPrivateKey(ed.private);
const rsa = generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey;

/** The file of an Ed25519 key with its bytes changed by `change`. */
function edited(change: (bytes: Buffer) => Buffer): string {
  const lines = opensshText.trim().split('\n');
  const bytes = change(Buffer.from(lines.slice(1, -1).join(''), 'base64'));
  return [lines[0], bytes.toString('base64'), lines.at(-1)].join('\n');
}

function sshKeygen(...args: string[]): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'postern-vault-'));
  try {
    execFileSync('ssh-keygen', ['-q', '-f', join(dir, 'key'), '-C', 'a comment', ...args]);
    return readFileSync(join(dir, 'key'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const haveSshKeygen = sshKeygen('-t', 'ed25519', '-N', '') !== undefined;
if (!haveSshKeygen) console.warn('skipped: ssh-keygen is not on this machine (openssh-client)');

describe('password', () => {
  const judge = (password: string) => {
    const parsed = parseCredential({ type: 'password', password });
    return parsed.ok ? 'accepted' : parsed.reason;
  };

  test.each([
    ['empty', '', 'empty'],
    ['with the line end of its file', 'secret\n', 'control_character'],
    ['with U+0000', 'sec\0ret', 'control_character'],
    ['with DEL', 'sec\u007fret', 'control_character'],
    ['beyond 1024 bytes', 'ä'.repeat(513), 'too_long'],
    ['with a lone surrogate', 'a\ud800', 'ill_formed'],
  ])('refused: %s', (_, password, why) => {
    expect(judge(password)).toBe(why);
  });

  test.each(['x', ' leading and trailing ', 'пароль', 'ä'.repeat(512), '$(id) "\'` %n'])(
    'kept as it is: %s',
    (password) => {
      const parsed = parseCredential({ type: 'password', password });
      if (!parsed.ok) return expect.fail(parsed.reason);
      expect(exposeCredential(parsed.value.secret)).toEqual({ type: 'password', password });
      expect(parsed.value.public_key).toBeNull();
    },
  );
});

describe('private key: refused', () => {
  test.each([
    ['empty', ' \n', 'empty'],
    ['no key', 'hello', 'not_a_private_key'],
    ['a PuTTY key', 'PuTTY-User-Key-File-3: ssh-ed25519\n', 'not_a_private_key'],
    ['a public key line', ed.public_line, 'public_key_given'],
    [
      'a public key in PEM',
      pem(generateKeyPairSync('ed25519').privateKey, 'pkcs8').replaceAll('PRIVATE', 'PUBLIC'),
      'public_key_given',
    ],
    [
      'a certificate file',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      'not_a_private_key',
    ],
    ['two keys', `${opensshText}${opensshText}`, 'not_a_private_key'],
    ['text before the key', `Bag Attributes\n${opensshText}`, 'not_a_private_key'],
    ['a file beyond the bound', `${opensshText}${' '.repeat(40_000)}`, 'too_long'],
    ['half a file', opensshText.slice(0, 200), 'not_a_private_key'],
    [
      'RSA of 2048 bits',
      pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'pkcs1'),
      'weak_key',
    ],
    [
      'secp256k1',
      pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey, 'sec1'),
      'unsupported_key',
    ],
    ['Ed448', pem(generateKeyPairSync('ed448').privateKey, 'pkcs8'), 'unsupported_key'],
    [
      'PEM with damaged bytes',
      pem(rsa, 'pkcs1').replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA'),
      'damaged_key',
    ],
    [
      'encrypted PKCS #8',
      rsa.export({
        format: 'pem',
        type: 'pkcs8',
        cipher: 'aes-256-cbc',
        passphrase: 'x',
      }) as string,
      'encrypted_key',
    ],
    [
      'encrypted PKCS #1',
      rsa.export({
        format: 'pem',
        type: 'pkcs1',
        cipher: 'aes-256-cbc',
        passphrase: 'x',
      }) as string,
      'encrypted_key',
    ],
  ])('%s', (_, text, why) => {
    expect(reason(text)).toBe(why);
  });

  test('damaged: the public half in the file is of another key', () => {
    const other = generateEd25519().public_line.split(' ')[1] as string;
    const mine = ed.public_line.split(' ')[1] as string;
    const outer = (bytes: Buffer) => {
      const at = bytes.indexOf(wireString(Buffer.from(mine, 'base64')));
      Buffer.from(other, 'base64').copy(bytes, at + 4);
      return bytes;
    };
    expect(reason(edited(outer))).toBe('damaged_key');
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['with a byte more', (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)])],
    ['with another magic', (bytes: Buffer) => Buffer.concat([Buffer.from('X'), bytes.subarray(1)])],
    ['with other padding', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.of(9)])],
  ])('damaged: OpenSSH file %s', (_, change) => {
    expect(reason(edited(change))).toBe('damaged_key');
  });

  test('no refusal holds a part of the secret, each says what to do', () => {
    for (const { detail, next } of Object.values(CREDENTIAL_PROBLEMS)) {
      expect(detail.length * next.length).toBeGreaterThan(0);
    }
    expect(JSON.stringify(ofKey(opensshText.slice(0, 300)))).not.toContain(
      opensshText.slice(100, 140),
    );
  });
});

/** What the gateway does with it: ssh2 reads the key, signs, and its public half fits. */
function expectUsable(text: string): void {
  const parsed = ofKey(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  const credential = exposeCredential(parsed.value.secret);
  if (credential?.type !== 'private_key') throw new Error('not a private key');
  const key = ssh2.utils.parseKey(credential.private_key);
  if (key instanceof Error) throw key;
  expect(key.isPrivateKey()).toBe(true);
  expect(key.getPublicSSH()).toEqual(parsed.value.public_key?.blob);
  const trial = Buffer.from('x');
  expect(key.verify(trial, key.sign(trial) as Buffer)).toBe(true);
}

describe('private key: what is accepted, ssh2 can use', () => {
  const curves = ['P-256', 'P-384', 'P-521'].map(
    (namedCurve) => [namedCurve, generateKeyPairSync('ec', { namedCurve }).privateKey] as const,
  );
  test.each([
    ['OpenSSH Ed25519', opensshText],
    ['PKCS #8 Ed25519', pem(ed.private, 'pkcs8')],
    ['PKCS #1 RSA', pem(rsa, 'pkcs1')],
    ['PKCS #8 RSA', pem(rsa, 'pkcs8')],
    ...curves.map(([name, key]) => [`SEC 1 ${name}`, pem(key, 'sec1')]),
    ...curves.map(([name, key]) => [`PKCS #8 ${name}`, pem(key, 'pkcs8')]),
    ['with CR LF line ends', opensshText.replaceAll('\n', '\r\n')],
    ['without the last line end', opensshText.trimEnd()],
  ])('%s', (_, text) => {
    expectUsable(text as string);
  });

  test('the public half is told, without the private one', () => {
    const parsed = ofKey(opensshText);
    expect(parsed.ok && parsed.value.public_key?.line).toBe(ed.public_line);
    expect(JSON.stringify(parsed)).toContain('[secret]');
    expect(JSON.stringify(parsed)).not.toContain(opensshText.slice(60, 120));
  });
});

describe.skipIf(!haveSshKeygen)('private key: as ssh-keygen writes it', () => {
  test.each([
    ['ed25519', '-t', 'ed25519'],
    ['rsa', '-t', 'rsa', '-b', '3072'],
    ['ecdsa 256', '-t', 'ecdsa', '-b', '256'],
    ['ecdsa 384', '-t', 'ecdsa', '-b', '384'],
    ['ecdsa 521', '-t', 'ecdsa', '-b', '521'],
    ['rsa in PEM', '-t', 'rsa', '-b', '3072', '-m', 'PEM'],
    ['ecdsa in PEM', '-t', 'ecdsa', '-b', '256', '-m', 'PEM'],
    ['rsa in PKCS #8', '-t', 'rsa', '-b', '3072', '-m', 'PKCS8'],
  ])('%s', (_, ...args) => {
    expectUsable(sshKeygen(...args, '-N', '') as string);
  });

  test.each([
    ['OpenSSH form', '-t', 'ed25519'],
    ['PEM form', '-t', 'rsa', '-b', '3072', '-m', 'PEM'],
    ['PKCS #8 form', '-t', 'rsa', '-b', '3072', '-m', 'PKCS8'],
  ])('refused with a passphrase: %s', (_, ...args) => {
    expect(reason(sshKeygen(...args, '-N', 'a passphrase') as string)).toBe('encrypted_key');
  });
});

describe('credential: properties', () => {
  test('random text never throws', () => {
    fc.assert(fc.property(anyText, (text) => void ofKey(text)));
    const openssh = (body: string) =>
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----`;
    fc.assert(fc.property(fc.base64String(), (text) => void ofKey(openssh(text))));
    fc.assert(fc.property(anyText, (text) => void exposeCredential(Secret.of(text))));
  });

  test('a changed byte of a key file never gives a key with another public half', () => {
    const length = Buffer.from(opensshText.split('\n').slice(1, -2).join(''), 'base64').length;
    fc.assert(
      fc.property(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const parsed = ofKey(
          edited((bytes) => {
            bytes[at] = (bytes[at] as number) ^ flip;
            return bytes;
          }),
        );
        if (parsed.ok) expect(parsed.value.public_key?.line).toBe(ed.public_line);
      }),
    );
  });

  test('every password that is accepted is read back', () => {
    fc.assert(
      fc.property(anyText, (password) => {
        const parsed = parseCredential({ type: 'password', password });
        if (parsed.ok)
          expect(exposeCredential(parsed.value.secret)).toEqual({ type: 'password', password });
      }),
    );
  });

  test('a secret that holds no credential is not one', () => {
    for (const text of ['', 'password', 'password\n', 'token\nx', 'private_key']) {
      expect(exposeCredential(Secret.of(text))).toBeUndefined();
    }
  });
});
