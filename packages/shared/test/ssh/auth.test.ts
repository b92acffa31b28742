import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import ssh2 from 'ssh2';
import { describe, expect, test } from 'vitest';
import { parseUserauthBlob, verifyUserauth } from '../../src/ssh/auth.ts';
import { generateEd25519, toOpenSshPrivateKey } from '../../src/ssh/private-key.ts';
import { publicKeyOf } from '../../src/ssh/public-key.ts';
import { wireString } from '../../src/ssh/wire.ts';

const mine = generateEd25519();
const other = generateEd25519();
const blobOf = (line: string) => Buffer.from(line.split(' ')[1] as string, 'base64');
const SESSION_ID = randomBytes(32);
const USER = '01890a5d-ac96-774b-bcce-b302099a8057';

const GOOD = {
  ssh_session_id: SESSION_ID as Buffer,
  message: 50,
  user: USER,
  service: 'ssh-connection',
  method: 'publickey',
  signed: 1,
  algorithm: 'ssh-ed25519',
  key: blobOf(mine.public_line),
  after: Buffer.alloc(0),
};

const blob = (changes: Partial<typeof GOOD> = {}) => {
  const f = { ...GOOD, ...changes };
  return Buffer.concat([
    wireString(f.ssh_session_id),
    Buffer.of(f.message),
    wireString(f.user),
    wireString(f.service),
    wireString(f.method),
    Buffer.of(f.signed),
    wireString(f.algorithm),
    wireString(f.key),
    f.after,
  ]);
};
const expected = { user: USER, public_key: mine.public_line };
/** Each forged blob is signed with the right key: only its content can be what refuses it. */
const judge = (bytes: Buffer, key = mine.private) => {
  const result = verifyUserauth({ blob: bytes, signature: sign(null, bytes, key), expected });
  return result.ok ? 'accepted' : result.reason;
};

describe('userauth: refused although signed with the session key', () => {
  test.each([
    ['another user', { user: `${USER}x` }, 'wrong_user'],
    ['another key inside', { key: blobOf(other.public_line) }, 'wrong_key'],
    ['a byte after the key', { after: Buffer.of(0) }, 'malformed'],
    ['hostbased', { method: 'hostbased' }, 'not_a_publickey_login'],
    ['password', { method: 'password' }, 'not_a_publickey_login'],
    ['the question whether a key would do (FALSE)', { signed: 0 }, 'not_a_publickey_login'],
    ['a TRUE that is not 1', { signed: 2 }, 'malformed'],
    ['another service', { service: 'ssh-userauth' }, 'not_a_publickey_login'],
    ['another message', { message: 51 }, 'not_a_publickey_login'],
    ['a certificate algorithm', { algorithm: 'ssh-ed25519-cert-v01@openssh.com' }, 'bad_key'],
    ['an algorithm of another key type', { algorithm: 'rsa-sha2-256' }, 'bad_key'],
    ['an empty session id', { ssh_session_id: Buffer.alloc(0) }, 'bad_session_id'],
    ['a session id of SHA-1', { ssh_session_id: Buffer.alloc(20) }, 'bad_session_id'],
    ['a user with U+0000', { user: `${USER}\0` }, 'malformed'],
  ] as const)('%s', (_, changes, why) => {
    expect(judge(blob(changes))).toBe(why);
  });

  test('a certificate as the key', () => {
    const type = 'ssh-ed25519-cert-v01@openssh.com';
    const key = Buffer.concat([
      wireString(type),
      wireString(randomBytes(32)),
      wireString(randomBytes(32)),
    ]);
    expect(judge(blob({ algorithm: type, key }))).toBe('bad_key');
    expect(judge(blob({ key }))).toBe('bad_key');
  });

  test('every truncation', () => {
    const whole = blob();
    for (let length = 0; length < whole.length; length += 1) {
      expect(judge(whole.subarray(0, length))).not.toBe('accepted');
    }
  });
});

describe('userauth: refused signatures', () => {
  const bytes = blob();
  const good = sign(null, bytes, mine.private);

  test('by another key', () => {
    expect(judge(bytes, other.private)).toBe('bad_signature');
  });

  test('of another SSH connection', () => {
    const elsewhere = blob({ ssh_session_id: randomBytes(32) });
    const result = verifyUserauth({
      blob: bytes,
      signature: sign(null, elsewhere, mine.private),
      expected,
    });
    expect(result).toEqual({ ok: false, reason: 'bad_signature' });
  });

  test.each([
    ['empty', Buffer.alloc(0)],
    ['one byte short', good.subarray(0, 63)],
    ['one byte more', Buffer.concat([good, Buffer.of(0)])],
    ['still in its SSH wrapping', Buffer.concat([wireString('ssh-ed25519'), wireString(good)])],
    ['all zero', Buffer.alloc(64)],
  ])('%s', (_, signature) => {
    expect(verifyUserauth({ blob: bytes, signature, expected })).toEqual({
      ok: false,
      reason: 'bad_signature',
    });
  });

  test('S plus the group order, the same signature in a second spelling (RFC 8032 §5.1.7)', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(good.subarray(32)).reverse().toString('hex')}`) + order;
    const second = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
    const signature = Buffer.concat([good.subarray(0, 32), second]);
    expect(verifyUserauth({ blob: bytes, signature, expected }).ok).toBe(false);
  });

  test.each([
    ['not a key', 'nonsense'],
    [
      'an ECDSA key',
      publicKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey).line,
    ],
  ])('expected key: %s', (_, public_key) => {
    expect(
      verifyUserauth({ blob: bytes, signature: good, expected: { user: USER, public_key } }),
    ).toEqual({
      ok: false,
      reason: 'bad_key',
    });
  });
});

describe('userauth: accepted', () => {
  test.each([32, 48, 64])('a session id of %i bytes, which is returned', (length) => {
    const ssh_session_id = randomBytes(length);
    const bytes = blob({ ssh_session_id });
    const signature = sign(null, bytes, mine.private);
    expect(verifyUserauth({ blob: bytes, signature, expected })).toEqual({
      ok: true,
      ssh_session_id,
    });
  });

  test('the comment of the expected key does not matter', () => {
    const bytes = blob();
    const signature = sign(null, bytes, mine.private);
    const commented = { user: USER, public_key: `${mine.public_line} of dana` };
    expect(verifyUserauth({ blob: bytes, signature, expected: commented }).ok).toBe(true);
  });

  test('what an ssh2 server hands over of a real login', async () => {
    const seen = await realLogin();
    expect(verifyUserauth({ ...seen, expected }).ok).toBe(true);
    expect(verifyUserauth({ ...seen, expected: { ...expected, user: 'root' } }).ok).toBe(false);
  });
});

describe('userauth: properties', () => {
  test('random bytes never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (b) => void parseUserauthBlob(b)));
  });

  test('no changed byte is accepted under the old signature', () => {
    const bytes = blob();
    const signature = sign(null, bytes, mine.private);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ flip;
        expect(verifyUserauth({ blob: changed, signature, expected }).ok).toBe(false);
      }),
    );
  });
});

function realLogin(): Promise<{ blob: Buffer; signature: Buffer }> {
  return new Promise((resolve, reject) => {
    const hostKeys = [toOpenSshPrivateKey(generateEd25519().private)];
    const client = new ssh2.Client();
    const server = new ssh2.Server({ hostKeys }, (connection) => {
      connection.on('error', () => {});
      connection.on('authentication', (context) => {
        if (context.method !== 'publickey') return context.reject(['publickey']);
        if (context.signature === undefined || context.blob === undefined) return context.accept();
        context.reject();
        resolve({ blob: context.blob, signature: context.signature });
        client.destroy();
        server.close();
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      client.on('error', reject);
      const privateKey = toOpenSshPrivateKey(mine.private);
      client.connect({ host: '127.0.0.1', port, username: USER, privateKey });
    });
  });
}
