/**
 * The one list of names under which nothing is ever logged or recorded. A name matches
 * whole or as the end after an underscore: `password`, `old_password`, not `password_set_at`.
 */
export const SECRET_NAMES = [
  'assertion',
  'authorization',
  'cookie',
  'dpop',
  'jwt',
  'master_key',
  'passphrase',
  'password',
  'private_key',
  'secret',
  'set_cookie',
  'token',
] as const;

const SECRET_NAME = new RegExp(`(^|_)(${SECRET_NAMES.join('|')})$`);
const PRIVATE_KEY_TEXT = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const MAX_DEPTH = 12;

/** camelCase and header spelling count as well: `privateKey`, `set-cookie`. */
export const isSecretName = (name: string): boolean =>
  SECRET_NAME.test(
    name
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .replaceAll('-', '_')
      .toLowerCase(),
  );

/** @returns where in `value` something secret stands, as a JSON pointer; undefined when nothing does. */
export function findSecret(value: unknown, at = '', depth = 0): string | undefined {
  if (typeof value === 'string') return PRIVATE_KEY_TEXT.test(value) ? at : undefined;
  if (value === null || typeof value !== 'object') return undefined;
  if (depth > MAX_DEPTH || value instanceof Uint8Array) return at;
  for (const [name, item] of Object.entries(value)) {
    const here = `${at}/${name}`;
    if (!Array.isArray(value) && isSecretName(name) && item !== null) return here;
    const found = findSecret(item, here, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `value` without what {@link findSecret} finds. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return PRIVATE_KEY_TEXT.test(value) ? '[redacted]' : value;
  if (value === null || typeof value !== 'object') return value;
  if (depth > MAX_DEPTH || value instanceof Uint8Array) return '[redacted]';
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, item]) => !isSecretName(name) || item === null)
      .map(([name, item]) => [name, withoutSecrets(item, depth + 1)]),
  );
}
