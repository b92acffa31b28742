import { seconds } from '@postern/shared';
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { findUnstorable } from '../platform/storable.ts';
import type { Transact } from '../platform/tx.ts';
import { isKind, type Kind } from './model.ts';
import {
  consumeModel,
  endGrant,
  type Keeping,
  loadModel,
  removeModel,
  saveModel,
} from './service-models.ts';
import type { Payload } from './stored.ts';

interface World {
  readonly transact: Transact;
  readonly keeping: Keeping;
}

const UNSTORABLE = 'it holds text that is not valid Unicode';
const STALE = 'the login has ended, or this was used before';

/**
 * Our tables as oidc-provider asks for them. It knows nothing of transactions: each call is
 * one, and whatever must not happen twice is decided in SQL, not by what it read before.
 */
export const createAdapter =
  ({ transact, keeping }: World) =>
  (name: string): Adapter =>
    isKind(name) ? adapterOf(name, transact, keeping) : NOTHING;

const adapterOf = (kind: Kind, transact: Transact, keeping: Keeping): Adapter => ({
  async upsert(id, payload, expiresIn) {
    // It reads its bodies itself: what is refused elsewhere before anybody sees it comes to here.
    if (findUnstorable(payload) !== undefined) throw new errors.InvalidRequest(UNSTORABLE);
    const model = { kind, id, payload: payload as Payload };
    const lives = seconds(Math.max(0, Math.floor(expiresIn ?? 0)));
    const saved = await transact((tx) => saveModel(tx, model, lives, keeping));
    if (!saved) throw new errors.InvalidGrant(STALE);
  },
  find: async (id) =>
    (await transact((tx) => loadModel(tx, kind, id))) as AdapterPayload | undefined,
  // Its own page for device codes is closed, ours asks by hash; and no session is asked for by uid.
  findByUserCode: async () => undefined,
  findByUid: async () => undefined,
  async consume(id) {
    const first = await transact((tx) => consumeModel(tx, kind, id, clientAddress()));
    if (!first) throw new errors.InvalidGrant(STALE);
  },
  async destroy(id) {
    await transact((tx) => removeModel(tx, kind, id));
  },
  async revokeByGrantId(grantId) {
    const reason = Provider.ctx?.oidc.route === 'revocation' ? 'logout' : 'reused';
    await transact((tx) => endGrant(tx, grantId, reason, clientAddress()));
  },
});

/** Of the request that oidc-provider is answering. */
const clientAddress = (): string | null => Provider.ctx?.ip ?? null;

/** For what there is none of: registered clients, PAR, CIBA. */
const NOTHING: Adapter = {
  upsert: () => Promise.reject(new errors.InvalidRequest('not supported here')),
  find: async () => undefined,
  findByUserCode: async () => undefined,
  findByUid: async () => undefined,
  consume: async () => undefined,
  destroy: async () => undefined,
  revokeByGrantId: async () => undefined,
};
