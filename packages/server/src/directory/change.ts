import type { Change } from '@postern/shared';

/** What applying one document did, or found. */
export const changeOf = (
  kind: Change['kind'],
  name: string,
  created: boolean,
  details: readonly string[],
): Change => ({
  kind,
  name,
  action: created ? 'create' : details.length > 0 ? 'update' : 'unchanged',
  details: [...details],
});

/** Adds what a second pass over the same document did. */
export const withMore = (change: Change, details: readonly string[]): Change =>
  changeOf(change.kind, change.name, change.action === 'create', [...change.details, ...details]);
