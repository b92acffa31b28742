import { type Fields as FieldsOf, parseFields as parse } from '../platform/forms.ts';

/** What the pages' forms send. */
const FIELDS = ['csrf', 'next', 'login', 'password', 'again', 'code', 'id', 'name'] as const;
type FieldName = (typeof FIELDS)[number];
export type Fields = FieldsOf<FieldName>;

export const parseFields = (text: string): Fields | undefined => parse(FIELDS, text);

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
