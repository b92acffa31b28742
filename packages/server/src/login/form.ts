/** What the pages' forms send; everything in it is text. */
const FIELDS = ['csrf', 'next', 'login', 'password', 'again', 'code', 'id', 'name'] as const;
type FieldName = (typeof FIELDS)[number];
export type Fields = Readonly<Partial<Record<FieldName, string>>>;

/**
 * Reads application/x-www-form-urlencoded (WHATWG URL, 5.1), strictly: percent-encoding is
 * whole and UTF-8, every field is one of ours and stands there once.
 *
 * @returns undefined for anything else
 */
export function parseFields(text: string): Fields | undefined {
  const fields: Partial<Record<FieldName, string>> = {};
  for (const pair of text === '' ? [] : text.split('&')) {
    const at = pair.indexOf('=');
    const name = FIELDS.find((field) => field === pair.slice(0, Math.max(at, 0)));
    const value = decoded(pair.slice(at + 1));
    if (name === undefined || value === undefined || fields[name] !== undefined) return undefined;
    fields[name] = value;
  }
  return fields;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** What the script of passkeys sends. */
export interface PasskeyCall {
  readonly csrf: string;
  readonly next?: string;
  readonly name?: string;
  /** As WebAuthn's toJSON gives it; read by the library that verifies it. */
  readonly response?: Readonly<Record<string, unknown>>;
}

/** @returns undefined for what the script does not send. */
export function readPasskeyCall(body: unknown): PasskeyCall | undefined {
  if (!isRecord(body) || typeof body.csrf !== 'string') return undefined;
  const { csrf, next, name, response } = body;
  if (next !== undefined && typeof next !== 'string') return undefined;
  if (name !== undefined && typeof name !== 'string') return undefined;
  if (response !== undefined && !isCredential(response)) return undefined;
  return {
    csrf,
    ...(next === undefined ? {} : { next }),
    ...(name === undefined ? {} : { name }),
    ...(response === undefined ? {} : { response }),
  };
}

/** Of the shape that the library takes for granted; what is in it, it checks. */
function isCredential(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isRecord(value) || !isRecord(value.response)) return false;
  if (typeof value.id !== 'string' || value.id.length > 2_048) return false;
  return typeof value.response.clientDataJSON === 'string';
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
