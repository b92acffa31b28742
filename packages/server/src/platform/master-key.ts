import fs from 'node:fs';
import type { ConfigProblem, Environment } from './config-sources.ts';
import { readPrivateFile } from './private-file.ts';

export const MASTER_KEY_BYTES = 32;
export const MASTER_KEY_VARIABLES = [
  'POSTERN_MASTER_KEY',
  'POSTERN_MASTER_KEY_FILE',
  'POSTERN_MASTER_KEY_FD',
] as const;

/**
 * The vault's master key: 32 bytes as base64, from exactly one of a variable, a file that
 * others cannot read, or an inherited descriptor. The variables are gone from
 * `environment` afterwards, whatever happens. Nothing about the value is ever reported.
 */
export function readMasterKey(
  environment: Environment,
  fileSetting: string | undefined,
  problems: ConfigProblem[],
): Buffer | undefined {
  const inline = take(environment, 'POSTERN_MASTER_KEY');
  const file = take(environment, 'POSTERN_MASTER_KEY_FILE') ?? fileSetting;
  const descriptor = take(environment, 'POSTERN_MASTER_KEY_FD');
  const given = [inline, file, descriptor].filter((source) => source !== undefined);
  if (given.length > 1) {
    problems.push({ where: 'master_key', what: 'is given in more than one way' });
    return undefined;
  }
  if (inline !== undefined) return decode(inline, 'POSTERN_MASTER_KEY', problems);
  if (file !== undefined) return fromFile(file, problems);
  if (descriptor !== undefined) return fromDescriptor(descriptor, problems);
  return undefined;
}

function take(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  delete environment[name];
  return value === undefined || value === '' ? undefined : value;
}

function fromFile(file: string, problems: ConfigProblem[]): Buffer | undefined {
  const text = readPrivateFile(file, problems);
  return text === undefined ? undefined : decode(text, file, problems);
}

function fromDescriptor(text: string, problems: ConfigProblem[]): Buffer | undefined {
  const where = 'POSTERN_MASTER_KEY_FD';
  const descriptor = Number(text);
  if (!/^\d{1,4}$/.test(text) || descriptor < 3) {
    problems.push({ where, what: 'must be the number of an inherited descriptor, 3 or more' });
    return undefined;
  }
  try {
    const value = fs.readFileSync(descriptor, 'utf8');
    fs.closeSync(descriptor);
    return decode(value, where, problems);
  } catch (error) {
    problems.push({ where, what: `cannot be read: ${(error as Error).message}` });
    return undefined;
  }
}

function decode(text: string, where: string, problems: ConfigProblem[]): Buffer | undefined {
  const trimmed = text.trim();
  const key = Buffer.from(trimmed, 'base64');
  if (key.length === MASTER_KEY_BYTES && /^[A-Za-z0-9+/]{43}=?$/.test(trimmed)) return key;
  problems.push({
    where,
    what: 'must hold 32 bytes as base64; make them with: openssl rand -base64 32',
  });
  return undefined;
}
