import type { Instant } from '@postern/shared';
import type { Insertable, Kysely, Selectable } from 'kysely';
import { json } from '../platform/columns.ts';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';

type Sql = Kysely<Database>;
export type GatewayRow = Selectable<DomainTables['gateways']>;

export const findGateway = (db: Sql, id: string): Promise<GatewayRow | undefined> =>
  db.selectFrom('gateways').selectAll().where('id', '=', id).executeTakeFirst();

/** FOR SHARE: whoever disables it, which updates the row, waits. */
export const lockGateway = (db: Sql, id: string): Promise<GatewayRow | undefined> =>
  db.selectFrom('gateways').selectAll().where('id', '=', id).forShare().executeTakeFirst();

export const listGatewayRows = (db: Sql): Promise<GatewayRow[]> =>
  db.selectFrom('gateways').selectAll().orderBy('id', 'desc').limit(500).execute();

/** @returns undefined when a gateway with this key is enrolled. */
export const insertGateway = (
  db: Sql,
  row: Insertable<DomainTables['gateways']>,
): Promise<GatewayRow | undefined> =>
  db
    .insertInto('gateways')
    .values(row)
    .onConflict((c) => c.column('public_key').doNothing())
    .returningAll()
    .executeTakeFirst();

export const disableRow = (db: Sql, id: string): Promise<GatewayRow | undefined> =>
  db
    .updateTable('gateways')
    .set({ state: 'DISABLED' })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();

/** The children of earlier starts of this service: their keys died with them. */
export const childRows = (db: Sql, name: string): Promise<GatewayRow[]> =>
  db
    .selectFrom('gateways')
    .selectAll()
    .where('kind', '=', 'child')
    .where('name', '=', name)
    .where('state', '=', 'ACTIVE')
    .execute();

export const touchLease = (
  db: Sql,
  id: string,
  at: Instant,
  hostKeys: readonly string[],
): Promise<unknown> =>
  db
    .updateTable('gateways')
    .set({ last_lease_at: at, host_keys: json(hostKeys) })
    .where('id', '=', id)
    .execute();

/** @returns false when this gateway has used the nonce before. */
export async function rememberNonce(
  db: Sql,
  gatewayId: string,
  nonce: string,
  at: Instant,
): Promise<boolean> {
  const row = await db
    .insertInto('gateway_nonces')
    .values({ gateway_id: gatewayId, nonce, seen_at: at })
    .onConflict((c) => c.doNothing())
    .returning('nonce')
    .executeTakeFirst();
  return row !== undefined;
}

export const forgetNonces = (db: Sql, before: Instant): Promise<unknown> =>
  db.deleteFrom('gateway_nonces').where('seen_at', '<', before).execute();

export const insertCode = (
  db: Sql,
  row: Insertable<DomainTables['gateway_codes']>,
): Promise<unknown> => db.insertInto('gateway_codes').values(row).execute();

/** Uses the code up. @returns whose gateway it was meant for, if it was good. */
export const takeCode = (db: Sql, hash: string, now: Instant) =>
  db
    .updateTable('gateway_codes')
    .set({ used_at: now })
    .where('hash', '=', hash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['name', 'created_by'])
    .executeTakeFirst();
