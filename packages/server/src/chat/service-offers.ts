import { Refusal } from '../platform/errors.ts';
import { type Asking, evaluateOn, listReachable, type PolicyCache } from '../policy/index.ts';
import { type Offer, offersIn, serverOfValue } from './offers.ts';

/** As many as a form can show, and one to know that there are more. */
const MOST_OFFERS = 101;
const MOST_SERVERS = 1_000;

/** What this person may ask for on servers with `part` in their name, in the order of the names. */
export async function offersFor(
  cache: PolicyCache,
  asking: Asking,
  part: string,
): Promise<Offer[]> {
  const servers = (await listReachable(cache, asking, undefined))
    .filter(({ name }) => name.toLowerCase().includes(part.toLowerCase()))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const found: Offer[] = [];
  for (const server of servers.slice(0, MOST_SERVERS)) {
    found.push(...offersIn(server, await methodsOn(cache, asking, server.id)));
    if (found.length >= MOST_OFFERS) break;
  }
  return found.slice(0, MOST_OFFERS);
}

/** The one that a form gave back, if it is offered still. */
export async function offerOf(
  cache: PolicyCache,
  asking: Asking,
  value: string,
): Promise<Offer | undefined> {
  const id = serverOfValue(value);
  if (id === undefined) return undefined;
  const server = (await listReachable(cache, asking, undefined)).find((one) => one.id === id);
  if (server === undefined) return undefined;
  const offers = offersIn(server, await methodsOn(cache, asking, id));
  return offers.find((offer) => offer.value === value);
}

async function methodsOn(cache: PolicyCache, asking: Asking, server_id: string) {
  try {
    return await evaluateOn(cache, asking, server_id);
  } catch (error) {
    // It went between the list and here.
    if (error instanceof Refusal && error.code === 'not_found') return [];
    throw error;
  }
}
