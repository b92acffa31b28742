import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { type Parsed, parseWire, type WireReader } from '@postern/shared';

export type OpenSshKeyReason = 'damaged' | 'encrypted' | 'unsupported_type';

const MAGIC = Buffer.from('openssh-key-v1\0', 'latin1');
const CURVES: Readonly<Record<string, { readonly crv: string; readonly bytes: number }>> = {
  nistp256: { crv: 'P-256', bytes: 32 },
  nistp384: { crv: 'P-384', bytes: 48 },
  nistp521: { crv: 'P-521', bytes: 66 },
};

interface OpenSshKey {
  readonly key: KeyObject;
  /** The public half that the file names, which need not be that of `key`. */
  readonly public_blob: Buffer;
}

/** Reads the bytes of OpenSSH's PROTOCOL.key: one unencrypted key, and nothing after it. */
export function parseOpenSshKey(file: Buffer): Parsed<OpenSshKey, OpenSshKeyReason> {
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) return refuse('damaged');
  const outer = parseWire(file.subarray(MAGIC.length), (reader) => ({
    cipher: reader.text(),
    kdf: reader.text(),
    kdf_options: reader.string(),
    count: reader.u32(),
    public_blob: reader.string(),
    body: reader.string(),
  }));
  if (!outer.ok) return refuse('damaged');
  const { cipher, kdf, kdf_options, count, public_blob, body } = outer.value;
  if (cipher !== 'none' || kdf !== 'none') return refuse('encrypted');
  if (kdf_options.length > 0 || count !== 1) return refuse('damaged');
  const inner = parseWire(body, readBody);
  body.fill(0);
  if (!inner.ok || inner.value === 'damaged') return refuse('damaged');
  if (inner.value === 'unsupported_type') return refuse('unsupported_type');
  try {
    const key = createPrivateKey({ format: 'jwk', key: inner.value });
    return { ok: true, value: { key, public_blob } };
  } catch {
    return refuse('damaged');
  }
}

function readBody(reader: WireReader): JsonWebKey | 'damaged' | 'unsupported_type' {
  const checks = [reader.u32(), reader.u32()];
  const jwk = readKey(reader, reader.text());
  if (jwk === 'unsupported_type') {
    reader.rest();
    return jwk;
  }
  reader.string(); // the comment
  const padding = reader.rest();
  const padded = padding.length < 8 && padding.every((byte, at) => byte === at + 1);
  return checks[0] === checks[1] && padded ? jwk : 'damaged';
}

function readKey(reader: WireReader, type: string): JsonWebKey | 'unsupported_type' {
  if (type === 'ssh-ed25519') return readEd25519(reader);
  if (type === 'ssh-rsa') return readRsa(reader);
  const curve = /^ecdsa-sha2-(nistp\d+)$/.exec(type)?.[1];
  return curve !== undefined && Object.hasOwn(CURVES, curve)
    ? readEcdsa(reader, curve)
    : 'unsupported_type';
}

function readEd25519(reader: WireReader): JsonWebKey {
  const half = reader.string();
  const both = reader.string();
  const d = both.subarray(0, 32);
  // The second half of `both` is the public one again; another length or key fails when
  // the finished key is compared with the public blob.
  return { kty: 'OKP', crv: 'Ed25519', d: text(d), x: text(half) };
}

function readRsa(reader: WireReader): JsonWebKey {
  const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => reader.positiveMpint());
  const exponentOf = (prime: Buffer): string => text(toBytes(toInt(d) % (toInt(prime) - 1n)));
  const parts = { n: text(n), e: text(e), d: text(d), p: text(p), q: text(q), qi: text(qi) };
  return { kty: 'RSA', ...parts, dp: exponentOf(p as Buffer), dq: exponentOf(q as Buffer) };
}

function readEcdsa(reader: WireReader, name: string): JsonWebKey {
  const curve = CURVES[name] as { crv: string; bytes: number };
  reader.string(); // the curve's name again
  const point = reader.string();
  const d = reader.positiveMpint();
  const [x, y] = [point.subarray(1, 1 + curve.bytes), point.subarray(1 + curve.bytes)];
  const padded = Buffer.concat([Buffer.alloc(Math.max(0, curve.bytes - d.length)), d]);
  return { kty: 'EC', crv: curve.crv, d: text(padded), x: text(x), y: text(y) };
}

function refuse(reason: OpenSshKeyReason): {
  readonly ok: false;
  readonly reason: OpenSshKeyReason;
} {
  return { ok: false, reason };
}

const text = (bytes: Buffer | undefined): string =>
  (bytes ?? Buffer.alloc(0)).toString('base64url');
const toInt = (bytes: Buffer | undefined): bigint => BigInt(`0x0${bytes?.toString('hex') ?? ''}`);
function toBytes(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}
