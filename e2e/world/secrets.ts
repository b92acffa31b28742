import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A secret in every spelling in which it might have leaked. */
export interface Secret {
  readonly name: string;
  readonly spellings: readonly Buffer[];
}

export function secretText(name: string, text: string): Secret {
  const raw = Buffer.from(text);
  return {
    name,
    spellings: [
      raw,
      Buffer.from(raw.toString('base64').replace(/=+$/, '')),
      Buffer.from(raw.toString('hex')),
      Buffer.from(text, 'utf16le'),
    ],
  };
}

/** A key of the configuration: as its base64 stands there, and as the bytes that it means. */
export function secretKey(name: string, base64: string): Secret {
  const raw = Buffer.from(base64, 'base64');
  return {
    name,
    spellings: [
      raw,
      Buffer.from(base64.replace(/=+$/, '')),
      Buffer.from(raw.toString('base64url')),
      Buffer.from(raw.toString('hex')),
    ],
  };
}

/** A token: as a whole, and the part that nobody can guess. */
export const secretToken = (name: string, token: string): Secret =>
  secretText(name, token.split('_').slice(2).join('_'));

/** The names of the secrets that stand in it. */
export function leaksIn(haystack: Buffer | string, secrets: readonly Secret[]): string[] {
  const bytes = typeof haystack === 'string' ? Buffer.from(haystack) : haystack;
  return secrets
    .filter(({ spellings }) => spellings.some((spelling) => bytes.includes(spelling)))
    .map(({ name }) => name);
}

/** Every file below a directory, with what stands in it. */
export function filesBelow(directory: string): { readonly path: string; readonly bytes: Buffer }[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path, bytes: readFileSync(path) };
    });
}
