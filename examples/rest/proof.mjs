// Makes a fresh Ed25519 key for one session, and the proof that POST /sessions asks for.
//   node proof.mjs KEYFILE < {"team", "user_id", "server_id", "identity", "access_credential", "nonce"}
// writes the private key (OpenSSH form, 0600) to KEYFILE, prints the body for POST /sessions.
// Node's own modules only: any language with Ed25519 can do the same.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const u32 = (n) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
};
/** An SSH string (RFC 4251 §5): its length, then its bytes. */
const string = (value) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([u32(bytes.length), bytes]);
};

const wish = JSON.parse(readFileSync(0, 'utf8'));
const { privateKey } = generateKeyPairSync('ed25519');
const { x, d } = privateKey.export({ format: 'jwk' });
const [publicBytes, seed] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')];
const blob = Buffer.concat([string('ssh-ed25519'), string(publicBytes)]);
const publicKey = `ssh-ed25519 ${blob.toString('base64')}`;

// What is signed: the magic, then team, user, server, identity, the credential's two texts,
// the nonce, and the key's blob, each as an SSH string.
const credential = wish.access_credential;
const detail =
  credential.type === 'vaulted_account'
    ? credential.account_id
    : credential.admin_level_permissions
      ? 'admin'
      : '';
const message = Buffer.concat([
  Buffer.from('postern-session-proof-v1'),
  ...[
    wish.team,
    wish.user_id,
    wish.server_id,
    wish.identity,
    credential.type,
    detail,
    wish.nonce,
  ].map(string),
  string(blob),
]);

const check = randomBytes(4);
const secret = Buffer.concat([
  check,
  check,
  string('ssh-ed25519'),
  string(publicBytes),
  string(Buffer.concat([seed, publicBytes])),
  string(''),
]);
const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1));
const file = Buffer.concat([
  Buffer.from('openssh-key-v1\0'),
  string('none'),
  string('none'),
  string(''),
  u32(1),
  string(blob),
  string(Buffer.concat([secret, padding])),
]);
const lines = file
  .toString('base64')
  .match(/.{1,70}/g)
  .join('\n');
writeFileSync(
  process.argv[2],
  `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`,
  { mode: 0o600, flag: 'wx' },
);

const { server_id, identity, access_credential, nonce } = wish;
const proof = sign(null, message, privateKey).toString('base64url');
process.stdout.write(
  `${JSON.stringify({ server_id, identity, access_credential, public_key: publicKey, nonce, proof })}\n`,
);
