import type {
  Algorithms,
  CipherAlgorithm,
  KexAlgorithm,
  MacAlgorithm,
  ServerHostKeyAlgorithm,
} from 'ssh2';

// aes128-gcm first: with the native binding it is five times as fast as without, and the
// fastest either way. No SHA-1, no CBC, no compression (it has cost too many secrets).

const kex: KexAlgorithm[] = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
];

const cipher: CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
];

const hmac: MacAlgorithm[] = ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'];

/** Towards clients. The host key is one Ed25519 key: an RSA key would bring ssh-rsa along. */
export const SERVER_ALGORITHMS: Algorithms = { kex, cipher, hmac, compress: ['none'] };

const HOST_KEY_ALGORITHMS: ReadonlyArray<ServerHostKeyAlgorithm> = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/**
 * Towards targets. The kinds of the pinned keys come first, so that a target shows a key
 * that is pinned; the others follow, so that a target whose key was replaced by one of
 * another kind still shows it, and the person learns its fingerprint.
 */
export function targetAlgorithms(pinned: ReadonlySet<string>): Algorithms {
  const isPinned = (a: string) => pinned.has(a.startsWith('rsa-sha2-') ? 'ssh-rsa' : a);
  return {
    kex: [
      ...kex,
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group14-sha256',
    ],
    cipher,
    hmac: [...hmac, 'hmac-sha2-256', 'hmac-sha2-512'],
    compress: ['none'],
    serverHostKey: [
      ...HOST_KEY_ALGORITHMS.filter(isPinned),
      ...HOST_KEY_ALGORITHMS.filter((a) => !isPinned(a)),
    ],
  };
}
