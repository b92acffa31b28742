import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { type Parsed, parseWire, type WireReader, wireMpint, wireString } from './wire.ts';

export type PublicKeyType =
  | 'ssh-ed25519'
  | 'ssh-rsa'
  | 'ecdsa-sha2-nistp256'
  | 'ecdsa-sha2-nistp384'
  | 'ecdsa-sha2-nistp521';

export type PublicKeyReason =
  | 'malformed'
  /** The word before the base64 is not the type inside it. */
  | 'type_mismatch'
  /** An OpenSSH certificate: never accepted where a plain key is meant. */
  | 'certificate'
  | 'unsupported_type'
  /** RSA under 3072 bits or with an unsafe exponent, an Ed25519 point of small order. */
  | 'weak_key';

export interface PublicKey {
  readonly type: PublicKeyType;
  /** The RFC 4253 §6.6 encoding: the one form in which two keys may be compared. */
  readonly blob: Buffer;
  readonly key: KeyObject;
  /** `type base64`, without a comment: what is stored and signed. */
  readonly line: string;
  readonly fingerprint: string;
  /** Free text of whoever made the key. Show it through `printable`. */
  readonly comment: string;
}

const MAX_LINE = 16_384;
const MIN_RSA_BITS = 3072;
const MAX_RSA_BITS = 16_384;

const CURVES = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', crv: 'P-256', bytes: 32 },
  'ecdsa-sha2-nistp384': { name: 'nistp384', crv: 'P-384', bytes: 48 },
  'ecdsa-sha2-nistp521': { name: 'nistp521', crv: 'P-521', bytes: 66 },
} as const;

type Jwk = Record<string, string>;
type BlobFacts =
  | { readonly type: string; readonly jwk: Jwk }
  | { readonly refuse: PublicKeyReason };

/**
 * Parses a line of a `.pub` file: type, one space, base64, optionally a space and a comment.
 * No options before the type, no line end, no second key, no bytes after the key.
 */
export function parsePublicKey(line: string): Parsed<PublicKey, PublicKeyReason> {
  if (line.length > MAX_LINE) return refuse('malformed');
  const match = /^([a-z0-9@.-]{1,64}) ([A-Za-z0-9+/]+={0,2})(?: ([^\u0000-\u001f\u007f]*))?$/.exec(
    line,
  );
  if (match === null) return refuse('malformed');
  const [, type, base64 = '', comment = ''] = match;
  const blob = Buffer.from(base64, 'base64');
  if (blob.toString('base64') !== base64) return refuse('malformed');
  const parsed = parsePublicKeyBlob(blob);
  if (!parsed.ok) return parsed;
  if (parsed.value.type !== type) return refuse('type_mismatch');
  return { ok: true, value: { ...parsed.value, comment } };
}

/** Parses the RFC 4253 §6.6 encoding. */
export function parsePublicKeyBlob(blob: Uint8Array): Parsed<PublicKey, PublicKeyReason> {
  const read = parseWire(blob, readBlob);
  if (!read.ok) return refuse('malformed');
  if ('refuse' in read.value) return refuse(read.value.refuse);
  try {
    // For EC, OpenSSL refuses here a point that is not on its curve.
    const key = createPublicKey({ format: 'jwk', key: read.value.jwk });
    return { ok: true, value: describe(key, Buffer.from(blob), read.value.type as PublicKeyType) };
  } catch {
    return refuse('malformed');
  }
}

/** The public half of `key`, which may be public or private. */
export function toPublicKey(key: KeyObject): Parsed<PublicKey, PublicKeyReason> {
  if (key.type === 'secret') return refuse('unsupported_type');
  let blob: Buffer | undefined;
  try {
    const half = key.type === 'private' ? createPublicKey(key) : key;
    blob = blobOfJwk(half.export({ format: 'jwk' }) as Jwk);
  } catch {
    // A kind or curve that has no JWK form.
  }
  return blob === undefined ? refuse('unsupported_type') : parsePublicKeyBlob(blob);
}

/** As {@link toPublicKey}, of a key that is known to be usable. @throws TypeError when it is not. */
export function publicKeyOf(key: KeyObject): PublicKey {
  const parsed = toPublicKey(key);
  if (!parsed.ok) throw new TypeError(`not usable as an SSH key: ${parsed.reason}`);
  return parsed.value;
}

/** The 32 bytes of RFC 8032 as a key. */
export function ed25519FromRaw(raw: Uint8Array): Parsed<KeyObject, PublicKeyReason> {
  const parsed = parsePublicKeyBlob(Buffer.concat([wireString('ssh-ed25519'), wireString(raw)]));
  return parsed.ok ? { ok: true, value: parsed.value.key } : parsed;
}

/** @throws TypeError when `key` is not Ed25519. */
export function ed25519ToRaw(key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('not an Ed25519 key');
  return bytesOf(key.export({ format: 'jwk' }).x);
}

/** As `ssh-keygen -l` prints it. */
export function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

function refuse(reason: PublicKeyReason): Parsed<never, PublicKeyReason> {
  return { ok: false, reason };
}

function describe(key: KeyObject, blob: Buffer, type: PublicKeyType): PublicKey {
  const line = `${type} ${blob.toString('base64')}`;
  return { type, blob, key, line, fingerprint: fingerprintOf(blob), comment: '' };
}

function readBlob(reader: WireReader): BlobFacts {
  const type = reader.text();
  if (type === 'ssh-ed25519') return readEd25519(reader);
  if (type === 'ssh-rsa') return readRsa(reader);
  if (Object.hasOwn(CURVES, type)) return readEcdsa(reader, type as keyof typeof CURVES);
  reader.rest();
  return { refuse: /-cert-v\d\d@/.test(type) ? 'certificate' : 'unsupported_type' };
}

function readEd25519(reader: WireReader): BlobFacts {
  const raw = reader.string();
  if (raw.length !== 32) return { refuse: 'malformed' };
  if (!isCanonicalPoint(raw)) return { refuse: 'malformed' };
  if (isSmallOrder(raw)) return { refuse: 'weak_key' };
  return { type: 'ssh-ed25519', jwk: { kty: 'OKP', crv: 'Ed25519', x: text(raw) } };
}

function readRsa(reader: WireReader): BlobFacts {
  const e = reader.positiveMpint();
  const n = reader.positiveMpint();
  const bits = n.length * 8 - Math.clz32(n[0] as number) + 24;
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) return { refuse: 'weak_key' };
  const exponent = e.length <= 4 ? e.readUIntBE(0, e.length) : 0;
  if (exponent < 65_537 || exponent % 2 === 0 || (n.at(-1) as number) % 2 === 0) {
    return { refuse: 'weak_key' };
  }
  return { type: 'ssh-rsa', jwk: { kty: 'RSA', e: text(e), n: text(n) } };
}

function readEcdsa(reader: WireReader, type: keyof typeof CURVES): BlobFacts {
  const curve = CURVES[type];
  const name = reader.text();
  const point = reader.string();
  if (name !== curve.name) return { refuse: 'type_mismatch' };
  // SEC 1 §2.3.3, uncompressed only: one form per key.
  if (point[0] !== 4 || point.length !== 1 + 2 * curve.bytes) return { refuse: 'malformed' };
  const x = point.subarray(1, 1 + curve.bytes);
  const y = point.subarray(1 + curve.bytes);
  return { type, jwk: { kty: 'EC', crv: curve.crv, x: text(x), y: text(y) } };
}

function blobOfJwk(jwk: Jwk): Buffer | undefined {
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    return Buffer.concat([wireString('ssh-ed25519'), wireString(bytesOf(jwk.x))]);
  }
  if (jwk.kty === 'RSA') {
    const [e, n] = [bytesOf(jwk.e), bytesOf(jwk.n)];
    return Buffer.concat([wireString('ssh-rsa'), wireMpint(e), wireMpint(n)]);
  }
  const curve = Object.entries(CURVES).find(([, facts]) => facts.crv === jwk.crv);
  if (jwk.kty !== 'EC' || curve === undefined) return undefined;
  const point = Buffer.concat([Buffer.of(4), bytesOf(jwk.x), bytesOf(jwk.y)]);
  return Buffer.concat([wireString(curve[0]), wireString(curve[1].name), wireString(point)]);
}

/** y < 2^255 − 19 (RFC 8032 §5.1.3): else one key would have two spellings. */
function isCanonicalPoint(raw: Buffer): boolean {
  const top = (raw[31] as number) & 0x7f;
  if (top !== 0x7f || !raw.subarray(1, 31).every((byte) => byte === 0xff)) return true;
  return (raw[0] as number) < 0xed;
}

// The y coordinates of the eight points of small order. Under such a key one signature
// fits many messages, so it proves nothing.
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

function isSmallOrder(raw: Buffer): boolean {
  const y = Buffer.from(raw);
  y[31] = (y[31] as number) & 0x7f;
  return SMALL_ORDER.includes(y.toString('hex'));
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const bytesOf = (base64url: string | undefined): Buffer =>
  Buffer.from(base64url ?? '', 'base64url');
