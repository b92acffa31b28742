import type { World } from '../context.ts';
import { Failure } from '../failure.ts';
import { unreadable } from '../settings.ts';

/** Where a secret comes from: never from an argument, never from a file under version control. */
export type SecretSource = { readonly env: string } | { readonly file: string };

/** @throws Failure 78, 64 for a file that is not there; no message holds any of the secret. */
export async function readSecret(world: World, source: SecretSource): Promise<string> {
  if ('env' in source) {
    const value = world.env[source.env];
    if (value !== undefined && value !== '') return value;
    throw new Failure(
      'configuration',
      `The variable ${source.env} is not set.`,
      `Set ${source.env} to the secret, then run the same command again.`,
    );
  }
  let text: string;
  try {
    text = source.file === '-' ? await world.files.stdin() : await world.files.read(source.file);
  } catch (error) {
    throw unreadable(source.file, error, 'usage');
  }
  if (text.trim() !== '') return text;
  throw new Failure(
    'configuration',
    `${source.file} is empty.`,
    'Name a file with the secret in it.',
  );
}
