import type { JSONWebKeySet, JWK } from 'jose';
import { NotBelieved } from './model.ts';
import type { FetchText } from './routes-fetch.ts';

interface World {
  readonly fetch: FetchText;
  /** Milliseconds that only ever grow. */
  readonly monotonic: () => number;
}

/** The keys at a URL, which hold the one that is named unless the issuer does not have it. */
export type KeysAt = (url: string, kid: string) => Promise<JSONWebKeySet>;

/** A key that its issuer took away is believed no longer than this. */
const KEPT_MS = 10 * 60_000;
/** A key that nobody has heard of makes the set be read again, no oftener than this. */
const UNKNOWN_MS = 60_000;
/** After a fault it is tried again no sooner. */
const FAULT_MS = 5_000;
const MAX_SETS = 1_000;
const MAX_KEYS = 100;

interface Entry {
  keys: JSONWebKeySet | undefined;
  readAt: number;
  /** When a key was last looked for that was not there. */
  missedAt: number;
  failedAt: number;
  reading: Promise<JSONWebKeySet> | undefined;
}

/** Sets of keys, kept so that an issuer is asked seldom, whoever knocks with whatever. */
export function createKeys({ fetch, monotonic }: World): KeysAt {
  const sets = new Map<string, Entry>();

  const entryOf = (url: string): Entry => {
    const found = sets.get(url);
    if (found !== undefined) return found;
    if (sets.size >= MAX_SETS) sets.clear();
    const never = Number.NEGATIVE_INFINITY;
    const made = {
      ...{ keys: undefined, reading: undefined },
      ...{ readAt: never, missedAt: never, failedAt: never },
    };
    sets.set(url, made);
    return made;
  };

  const read = (entry: Entry, url: string): Promise<JSONWebKeySet> => {
    if (entry.reading !== undefined) return entry.reading;
    if (monotonic() - entry.failedAt < FAULT_MS)
      return Promise.reject(new NotBelieved('keys_failed_just_now'));
    entry.reading = fetch(url)
      .then((text) => {
        entry.keys = parse(text);
        entry.readAt = monotonic();
        return entry.keys;
      })
      .catch((error) => {
        entry.failedAt = monotonic();
        throw error;
      })
      .finally(() => {
        entry.reading = undefined;
      });
    return entry.reading;
  };

  return async (url, kid) => {
    const entry = entryOf(url);
    const isFresh = monotonic() - entry.readAt < KEPT_MS;
    const keys = entry.keys !== undefined && isFresh ? entry.keys : await read(entry, url);
    if (has(keys, kid) || monotonic() - entry.missedAt < UNKNOWN_MS) return keys;
    entry.missedAt = monotonic();
    return isFresh ? read(entry, url) : keys;
  };
}

const has = (keys: JSONWebKeySet, kid: string): boolean => keys.keys.some((key) => key.kid === kid);

function parse(text: string): JSONWebKeySet {
  let keys: unknown;
  try {
    ({ keys } = JSON.parse(text) as { keys?: unknown });
  } catch {
    throw new NotBelieved('keys_no_json');
  }
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw new NotBelieved('keys_no_set');
  const isKey = (key: unknown): key is JWK => typeof key === 'object' && key !== null;
  // Never a shared one: whoever reads it could sign.
  return { keys: keys.filter(isKey).filter(({ kty }) => kty !== 'oct') };
}
