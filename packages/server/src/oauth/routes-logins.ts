import type { FastifyInstance } from 'fastify';
import { type Author, authorOf, type Caller } from '../identity/index.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import type { Tx } from '../platform/tx.ts';

export interface LoginsWorld extends RouteWorld<Caller> {
  /** Ends everything that a person is logged in with. His revision is bumped. */
  readonly hooks: { endLogins(tx: Tx, author: Author, user_id: string): Promise<void> };
}

/** A person's logins, of all his machines. */
export function registerLoginsRoutes(app: FastifyInstance, world: LoginsWorld): void {
  route(app, world, 'endLogins', async ({ tx, caller }) => {
    await world.hooks.endLogins(tx, authorOf(caller), caller.user_id);
    return { status: 204, body: null };
  });
}
