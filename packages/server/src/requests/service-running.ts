import type { Tx } from '../platform/tx.ts';
import type { Definition } from './model.ts';
import { findType, findVersion } from './store-types.ts';

/**
 * The published version of a request type: what an administrator wants of its requests now,
 * also of those that run on an older one. undefined: there is none.
 */
export async function runningVersion(tx: Tx, id: string): Promise<Definition | undefined> {
  const type = await findType(tx.sql, id);
  return versionOf(tx, id, type?.published_version ?? null);
}

export async function versionOf(
  tx: Tx,
  id: string,
  version: number | null,
): Promise<Definition | undefined> {
  if (version === null) return undefined;
  return (await findVersion(tx.sql, id, version))?.definition as Definition | undefined;
}
