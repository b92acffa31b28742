import type { World } from '../context.ts';
import { Failure } from '../failure.ts';
import type { SourceDocument } from './documents.ts';
import type { Place } from './place.ts';
import { readSecret } from './secrets.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a secret may stand in: names of fields that the service takes, and files may not have. */
const PLAIN = ['password', 'private_key'] as const;
const HOW = 'write from_env: VARIABLE or from_file: PATH';

/**
 * The document as it is sent: `{type, from_env}` and `{type, from_file}` of a server's
 * accounts become the secret itself. A path is relative to the YAML file.
 * @param folder of the file, for relative paths.
 * @returns undefined when something is wrong; why goes into `faults`.
 */
export async function withSecrets(
  world: World,
  folder: string,
  { place, value }: SourceDocument,
  faults: string[],
): Promise<Fields | undefined> {
  if (value.kind !== 'Server' || !Array.isArray(value.accounts)) return value;
  const before = faults.length;
  const accounts: unknown[] = [];
  for (const [i, account] of (value.accounts as unknown[]).entries()) {
    const credential = fieldsOf(fieldsOf(account)?.credential);
    if (credential === undefined) accounts.push(account);
    else {
      const sealed = await resolved(
        world,
        folder,
        credential,
        place,
        ['accounts', i, 'credential'],
        faults,
      );
      accounts.push({ ...fieldsOf(account), credential: sealed });
    }
  }
  return faults.length > before ? undefined : { ...value, accounts };
}

async function resolved(
  world: World,
  folder: string,
  credential: Fields,
  place: Place,
  path: readonly (string | number)[],
  faults: string[],
): Promise<Fields | undefined> {
  const fault = (key: string, text: string) => {
    faults.push(`${place.at([...path, key])}: ${text}`);
    return undefined;
  };
  const plain = PLAIN.find((key) => key in credential);
  if (plain !== undefined) return fault(plain, `a secret never stands in a file; ${HOW}`);
  const { type, from_env: env, from_file: file, ...more } = credential;
  const [unknown] = Object.keys(more);
  if (unknown !== undefined)
    return fault(unknown, 'unknown field; allowed: type, from_env, from_file');
  if (type !== 'password' && type !== 'private_key')
    return fault(
      'type',
      'the type of a credential is missing or unknown; allowed: password, private_key',
    );
  const isOne = (typeof env === 'string') !== (typeof file === 'string');
  if (!isOne) return fault('type', `a credential comes from one place; ${HOW}`);
  try {
    const from = typeof env === 'string' ? { env } : { file: pathIn(folder, file as string) };
    const secret = await readSecret(world, from);
    return type === 'private_key'
      ? { type, private_key: secret }
      : { type, password: secret.replace(/\r?\n$/, '') };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return fault(typeof env === 'string' ? 'from_env' : 'from_file', error.detail);
  }
}

const pathIn = (folder: string, path: string): string =>
  path.startsWith('/') ? path : `${folder}/${path}`;

const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined;
