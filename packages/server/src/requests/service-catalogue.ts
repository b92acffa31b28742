import type { CatalogEntry } from '@postern/shared';
import { membershipsOf } from '../directory/index.ts';
import type { Actor } from '../identity/index.ts';
import type { Tx } from '../platform/tx.ts';
import { groupsOf } from './membership.ts';
import type { Definition } from './model.ts';
import { isMeant } from './service-raise-row.ts';
import { publishedTypes } from './store-types.ts';

/** The published types that have the caller in their audience, by name. */
export async function listCatalogue(tx: Tx, caller: Actor): Promise<CatalogEntry[]> {
  const held = await membershipsOf(tx.sql, caller.user_id, tx.now);
  const types = await publishedTypes(tx.sql);
  return types
    .map(({ definition, ...type }) => ({ ...type, definition: definition as Definition }))
    .filter(({ definition }) => isMeant(definition, held))
    .map(({ id, version, source, definition }) => ({
      request_type: { id, name: definition.name, version },
      description: definition.description,
      purpose: definition.purpose,
      // As they were written: what has a default may be left out.
      fields: [...(source as { readonly fields: CatalogEntry['fields'] }).fields],
      groups: groupsOf(definition).map(({ id, name }) => ({ id, name })),
    }))
    .sort((a, b) => a.request_type.name.localeCompare(b.request_type.name, 'en'));
}
