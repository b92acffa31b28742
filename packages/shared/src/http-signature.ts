import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import type { Parsed } from './ssh/wire.ts';
import { type Instant, instant, type Seconds, seconds } from './units.ts';

// One fixed profile of RFC 9421 (HTTP message signatures) with RFC 9530 (digest fields).
// A signature with other components, parameters, order or spelling is refused: nothing is
// negotiated, so there is nothing to weaken. An empty body is digested too.

export type SignatureReason =
  | 'missing_header'
  | 'duplicate_header'
  | 'not_in_profile'
  /** The method, path or query cannot be part of a request line. */
  | 'bad_target'
  | 'wrong_key_id'
  | 'too_old'
  | 'in_the_future'
  | 'bad_signature'
  | 'digest_mismatch';

/** A request as it stands on the wire: nothing decoded, nothing normalised. */
export interface SignedTarget {
  /** Upper case. */
  readonly method: string;
  /** The path of the request target, percent-encoded, with its leading slash. */
  readonly path: string;
  /** What follows the question mark; empty when there is none. */
  readonly query: string;
}

export interface ParsedSignature {
  readonly keyid: string;
  /** Whole seconds: the profile carries no more. */
  readonly created: Instant;
  /** Unique per key: the caller remembers it for {@link SIGNATURE_NONCE_LIFE}. */
  readonly nonce: string;
  readonly signature: Buffer;
  readonly digest: Buffer;
}

/** As Node gives them: names in lower case. */
export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export const MAX_SIGNATURE_SKEW: Seconds = seconds(60);

/** After this long a remembered nonce may go: its signature is too old by any clock. */
export const SIGNATURE_NONCE_LIFE: Seconds = seconds(2 * MAX_SIGNATURE_SKEW + 5);

const LABEL = 'postern';
const NONCE = '[A-Za-z0-9_-]{16,64}';
const KEY_ID = '[A-Za-z0-9._-]{1,64}';
const COMPONENTS = '("@method" "@path" "@query" "content-digest")';
const SHA256 = '[A-Za-z0-9+/]{43}=';
const ED25519 = '[A-Za-z0-9+/]{86}==';

const INPUT_FORM = new RegExp(
  `^${LABEL}=(${COMPONENTS.replace(/[()]/g, '\\$&')};created=([1-9][0-9]{0,11})` +
    `;nonce="(${NONCE})";keyid="(${KEY_ID})";alg="ed25519")$`,
);
const SIGNATURE_FORM = new RegExp(`^${LABEL}=:(${ED25519}):$`);
const DIGEST_FORM = new RegExp(`^sha-256=:(${SHA256}):$`);

/**
 * The headers to add to a request; its body must be sent as exactly these bytes.
 * @param input.nonce 16 to 64 characters of base64url, never used before with this key.
 * @throws TypeError when an argument is not in the profile, or the key is not private Ed25519.
 */
export function signRequest(
  input: SignedTarget & {
    readonly body: Uint8Array;
    readonly keyid: string;
    readonly key: KeyObject;
    readonly created: Instant;
    readonly nonce: string;
  },
): {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
} {
  if (!isTarget(input)) throw new TypeError('not a request target');
  if (input.key.asymmetricKeyType !== 'ed25519') throw new TypeError('not an Ed25519 key');
  const created = Math.floor(input.created / 1000);
  const params = `${COMPONENTS};created=${created};nonce="${input.nonce}";keyid="${input.keyid}";alg="ed25519"`;
  const signatureInput = `${LABEL}=${params}`;
  if (!INPUT_FORM.test(signatureInput))
    throw new TypeError('nonce, key id or time not in the profile');
  const digest = contentDigest(input.body);
  const base = signatureBase(componentsOf(input, digest), params);
  const signature = sign(null, Buffer.from(base, 'latin1'), input.key).toString('base64');
  return {
    'content-digest': digest,
    'signature-input': signatureInput,
    signature: `${LABEL}=:${signature}:`,
  };
}

/** Reads the three headers, to learn whose key to look up. It proves nothing yet. */
export function parseSignature(headers: IncomingHeaders): Parsed<ParsedSignature, SignatureReason> {
  const read = readHeaders(headers);
  return read.ok ? { ok: true, value: read.value.parsed } : read;
}

/**
 * Whether the holder of `key` sent exactly this request within {@link MAX_SIGNATURE_SKEW} of
 * `now`. It may have been sent before: after `ok` the caller records (key id, nonce) and
 * refuses what is already there.
 */
export function verifyRequest(
  input: SignedTarget & {
    readonly headers: IncomingHeaders;
    readonly body: Uint8Array;
    readonly keyid: string;
    readonly key: KeyObject;
    readonly now: Instant;
  },
): Parsed<ParsedSignature, SignatureReason> {
  const read = readHeaders(input.headers);
  if (!read.ok) return read;
  const { parsed, params, digestField } = read.value;
  if (!isTarget(input)) return refuse('bad_target');
  if (parsed.keyid !== input.keyid) return refuse('wrong_key_id');
  if (input.key.asymmetricKeyType !== 'ed25519') return refuse('bad_signature');
  if (input.now - parsed.created > MAX_SIGNATURE_SKEW * 1000) return refuse('too_old');
  if (parsed.created - input.now > MAX_SIGNATURE_SKEW * 1000) return refuse('in_the_future');
  const base = signatureBase(componentsOf(input, digestField), params);
  if (!verify(null, Buffer.from(base, 'latin1'), input.key, parsed.signature)) {
    return refuse('bad_signature');
  }
  if (!sha256(input.body).equals(parsed.digest)) return refuse('digest_mismatch');
  return { ok: true, value: parsed };
}

/** The request target of a request line (`/path?query`) in its two parts, byte for byte. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  if (mark === -1) return { path: target, query: '' };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** RFC 9530 §2. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${sha256(body).toString('base64')}:`;
}

/**
 * RFC 9421 §2.5.
 * @param params the inner list with its parameters, as it stands in Signature-Input.
 */
export function signatureBase(
  components: ReadonlyArray<readonly [name: string, value: string]>,
  params: string,
): string {
  const lines = components.map(([name, value]) => `"${name}": ${value}`);
  return [...lines, `"@signature-params": ${params}`].join('\n');
}

function componentsOf(
  target: SignedTarget,
  digest: string,
): ReadonlyArray<readonly [string, string]> {
  return [
    ['@method', target.method],
    ['@path', target.path],
    // RFC 9421 §2.2.7: with its question mark, which stands alone when there is no query.
    ['@query', `?${target.query}`],
    ['content-digest', digest],
  ];
}

/** Visible ASCII only, so that no part can hold a line end and forge another component. */
function isTarget({ method, path, query }: SignedTarget): boolean {
  return /^[A-Z]{1,16}$/.test(method) && /^\/[!"$->@-~]*$/.test(path) && /^[!"$-~]*$/.test(query);
}

interface HeaderFacts {
  readonly parsed: ParsedSignature;
  readonly params: string;
  readonly digestField: string;
}

function readHeaders(headers: IncomingHeaders): Parsed<HeaderFacts, SignatureReason> {
  const values: string[] = [];
  for (const name of ['signature-input', 'signature', 'content-digest']) {
    const value = headers[name];
    if (value === undefined) return refuse('missing_header');
    // Node joins a repeated header with a comma; no value of the profile holds one.
    if (typeof value !== 'string' || value.includes(',')) return refuse('duplicate_header');
    values.push(value);
  }
  const [input = '', signatureField = '', digestField = ''] = values;
  const [, params, created, nonce, keyid] = INPUT_FORM.exec(input) ?? [];
  const signature = decode(SIGNATURE_FORM.exec(signatureField)?.[1]);
  const digest = decode(DIGEST_FORM.exec(digestField)?.[1]);
  if (params === undefined || nonce === undefined || keyid === undefined)
    return refuse('not_in_profile');
  if (signature === undefined || digest === undefined) return refuse('not_in_profile');
  const parsed = { keyid, created: instant(Number(created) * 1000), nonce, signature, digest };
  return { ok: true, value: { parsed, params, digestField } };
}

/** @returns undefined for a second spelling of the same bytes. */
function decode(base64: string | undefined): Buffer | undefined {
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  return bytes.toString('base64') === base64 ? bytes : undefined;
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

function refuse(reason: SignatureReason): { readonly ok: false; readonly reason: SignatureReason } {
  return { ok: false, reason };
}
