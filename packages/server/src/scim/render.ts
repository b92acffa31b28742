import { type Instant, toRfc3339 } from '@postern/shared';
import { etagOf } from './connection.ts';
import { ENTERPRISE, GROUP, type Json, USER } from './schemas.ts';

interface Kept {
  readonly id: string;
  readonly external_id: string | null;
  readonly version: number;
  readonly created_at: Instant;
  readonly updated_at: Instant;
}

/** What the answer is to hold, by names in lower case. Null: all, or nothing left out. */
export interface Wanted {
  readonly only: readonly string[] | null;
  readonly without: readonly string[];
}

const metaOf = (kept: Kept, resourceType: 'User' | 'Group', base: string) => ({
  resourceType,
  created: toRfc3339(kept.created_at),
  lastModified: toRfc3339(kept.updated_at),
  location: `${base}/${resourceType}s/${kept.id}`,
  version: etagOf(kept.version),
});

export function userResource(
  row: Kept & { readonly status: string; readonly resource: Json },
  base: string,
): Json & { readonly id: string } {
  return {
    ...row.resource,
    schemas: ENTERPRISE in row.resource ? [USER, ENTERPRISE] : [USER],
    id: row.id,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    active: row.status === 'ACTIVE',
    meta: metaOf(row, 'User', base),
  };
}

export function groupResource(
  row: Kept & { readonly name: string },
  members: readonly { readonly user_id: string; readonly user_name: string }[] | null,
  base: string,
): Json & { readonly id: string } {
  return {
    schemas: [GROUP],
    id: row.id,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    displayName: row.name,
    ...(members === null
      ? {}
      : {
          members: members.map(({ user_id, user_name }) => ({
            value: user_id,
            display: user_name,
            type: 'User',
            $ref: `${base}/Users/${user_id}`,
          })),
        }),
    meta: metaOf(row, 'Group', base),
  };
}

/** Whether an attribute is asked for, so that what nobody asks for is not read. */
export const wants = ({ only, without }: Wanted, name: string): boolean =>
  !without.includes(name) &&
  (only === null || only.some((asked) => asked === name || asked.startsWith(`${name}.`)));

const ALWAYS = ['schemas', 'id'];

/** `attributes` and `excludedAttributes` of RFC 7644 §3.9, down to sub-attributes. */
export function project(resource: Json, wanted: Wanted): Json {
  if (wanted.only === null && wanted.without.length === 0) return resource;
  return Object.fromEntries(
    Object.entries(resource).flatMap(([name, value]) => {
      if (ALWAYS.includes(name)) return [[name, value]];
      const kept = projectOne(name.toLowerCase(), value, wanted);
      return kept === undefined ? [] : [[name, kept]];
    }),
  );
}

function projectOne(name: string, value: unknown, { only, without }: Wanted): unknown {
  if (without.includes(name)) return undefined;
  const separator = name.startsWith('urn:') ? ':' : '.';
  const inside = (names: readonly string[]): string[] =>
    names
      .filter((asked) => asked.startsWith(name + separator))
      .map((asked) => asked.slice(name.length + 1));
  const whole = only === null || only.includes(name);
  const subs = only === null || whole ? null : inside(only);
  if (subs?.length === 0) return undefined;
  return withSubs(value, subs, inside(without));
}

function withSubs(
  value: unknown,
  only: readonly string[] | null,
  without: readonly string[],
): unknown {
  if (only === null && without.length === 0) return value;
  if (Array.isArray(value)) return value.map((item) => withSubs(item, only, without));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => {
      const name = key.toLowerCase();
      return !without.includes(name) && (only === null || only.includes(name));
    }),
  );
}
