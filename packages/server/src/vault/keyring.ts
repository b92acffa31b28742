import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Parsed } from '@postern/shared';

/** What a sealed value is for. Each purpose has a key of its own under every master key. */
export const PURPOSES = [
  'account_secret',
  'ssh_user_ca',
  'ssh_host_ca',
  'log',
  'cookie',
  'oidc',
  'gateway',
  'recording',
  'push_target',
  'login_password',
  'totp',
] as const;
export type Purpose = (typeof PURPOSES)[number];

export type MasterKeyReason = 'malformed' | 'weak';
export type KeyringReason = 'no_key' | 'twice_the_same';

/** Kept beside the sealed values: which master keys they need. Reveals none of them. */
export interface KeyringCheck {
  readonly key_ids: readonly string[];
}

const KEY_BYTES = 32;
const SALT = 'postern-vault-v1';

/**
 * Reads 32 bytes written as 64 hex digits, base64 or base64url; white space around them is
 * dropped. A key in which bytes repeat as random ones never do is refused as weak.
 */
export function parseMasterKey(text: string): Parsed<KeyObject, MasterKeyReason> {
  const bytes = decode(text.trim());
  if (bytes?.length !== KEY_BYTES) return { ok: false, reason: 'malformed' };
  if (new Set(bytes).size < KEY_BYTES / 2) return { ok: false, reason: 'weak' };
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { ok: true, value: key };
}

/** @param keys master keys of {@link parseMasterKey}: the first seals, all of them open. */
export function createKeyring(keys: readonly KeyObject[]): Parsed<Keyring, KeyringReason> {
  const byId = new Map(keys.map((key) => [keyIdOf(key), key]));
  const active = [...byId.keys()][0];
  if (active === undefined) return { ok: false, reason: 'no_key' };
  if (byId.size !== keys.length) return { ok: false, reason: 'twice_the_same' };
  return { ok: true, value: new Keyring(active, byId) };
}

/** Master keys by id. An id is derived from its key, so that none can be mislabelled. */
export class Keyring {
  readonly active_id: string;
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #derived = new Map<string, KeyObject>();

  /** Use {@link createKeyring}. */
  constructor(active_id: string, keys: ReadonlyMap<string, KeyObject>) {
    this.active_id = active_id;
    this.#keys = keys;
  }

  get key_ids(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** AES-256 key of `purpose` under the master key `key_id`; undefined when that is not here. */
  purposeKey(key_id: string, purpose: Purpose): KeyObject | undefined {
    const name = `${key_id}/${purpose}`;
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    const master = this.#keys.get(key_id);
    if (master === undefined) return undefined;
    const key = createSecretKey(derive(master, `purpose/${purpose}`, KEY_BYTES));
    this.#derived.set(name, key);
    return key;
  }
}

/** What to store when values are sealed with this keyring. */
export function keyringCheck(keyring: Keyring): KeyringCheck {
  return { key_ids: [...keyring.key_ids] };
}

/**
 * Whether the keyring holds every master key that the stored check names: asked at start,
 * so that a wrong key is one line then and not a failed session later.
 */
export function compareKeyring(
  keyring: Keyring,
  stored: unknown,
): { readonly ok: true } | { readonly ok: false; readonly detail: string; readonly next: string } {
  const next =
    'Start with the master key that belongs to this database; no backup of it holds one.';
  const needed = keyIdsIn(stored);
  if (needed === undefined) {
    return { ok: false, detail: 'The record of the master keys in the database is damaged.', next };
  }
  const missing = needed.filter((id) => !keyring.key_ids.includes(id));
  if (missing.length === 0) return { ok: true };
  const given = keyring.key_ids.join(', ');
  const detail = `This database was sealed with another master key: it needs ${missing.join(', ')}, given is ${given}.`;
  return { ok: false, detail, next };
}

function keyIdsIn(stored: unknown): readonly string[] | undefined {
  if (typeof stored !== 'object' || stored === null || !('key_ids' in stored)) return undefined;
  const ids = stored.key_ids;
  if (!Array.isArray(ids) || ids.length === 0) return undefined;
  return ids.every((id) => typeof id === 'string' && /^mk_[0-9a-f]{24}$/.test(id))
    ? ids
    : undefined;
}

function keyIdOf(master: KeyObject): string {
  return `mk_${derive(master, 'key-id', 12).toString('hex')}`;
}

function derive(master: KeyObject, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', master, SALT, info, length));
}

/** Only the one spelling of each form, so that a truncated or mistyped key is not another key. */
function decode(text: string): Buffer | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  for (const form of ['base64', 'base64url'] as const) {
    const bytes = Buffer.from(text, form);
    if (bytes.toString(form) === text) return bytes;
  }
  return undefined;
}
