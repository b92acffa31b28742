import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { targetAlgorithms } from '../src/algorithms.ts';
import { startWorld, type TestWorld } from './world.ts';

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** The name-lists of the gateway's SSH_MSG_KEXINIT (RFC 4253 §7.1). */
async function offered(): Promise<string[]> {
  const socket = connect(world.gateway.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('SSH-2.0-test\r\n');
  let bytes = Buffer.alloc(0);
  for await (const part of socket) {
    bytes = Buffer.concat([bytes, part as Buffer]);
    const start = bytes.indexOf('\r\n') + 2;
    if (start < 2 || bytes.length < start + 4) continue;
    if (bytes.length < start + 4 + bytes.readUInt32BE(start)) continue;
    let at = start + 4 + 1 + 1 + 16;
    return Array.from({ length: 8 }, () => {
      const length = bytes.readUInt32BE(at);
      at += 4 + length;
      return bytes.toString('latin1', at - length, at);
    });
  }
  throw new Error('no KEXINIT');
}

describe('algorithms', () => {
  test('towards clients: nothing but what is meant, strict key exchange, one Ed25519 host key', async () => {
    const [kex, hostKey, cipherIn, cipherOut, macIn, macOut, compressIn, compressOut] =
      await offered();
    expect(kex?.split(',')).toEqual([
      'curve25519-sha256',
      'curve25519-sha256@libssh.org',
      'diffie-hellman-group16-sha512',
      'diffie-hellman-group18-sha512',
      'kex-strict-s-v00@openssh.com',
    ]);
    expect(hostKey).toBe('ssh-ed25519');
    expect(cipherIn).toBe(
      'aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr',
    );
    expect(macIn).toBe('hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com');
    expect([cipherOut, macOut]).toEqual([cipherIn, macIn]);
    expect([compressIn, compressOut]).toEqual(['none', 'none']);
  });

  test('towards targets: pinned kinds of host key first, no SHA-1 anywhere', () => {
    const { serverHostKey, ...others } = targetAlgorithms(new Set(['ssh-rsa']));
    expect(serverHostKey).toEqual([
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp384',
      'ecdsa-sha2-nistp521',
    ]);
    expect(JSON.stringify(others)).not.toMatch(/sha1|cbc|arcfour|3des|md5/);
    expect((others.cipher as string[])[0]).toBe('aes128-gcm@openssh.com');
  });
});
