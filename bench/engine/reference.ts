import type { SecurityPolicy } from '../../packages/server/src/policy/index.ts';
import { VAULTED, type Workload } from './population.ts';

/**
 * What the hardware could do: nothing but bits. It knows neither instants nor identities
 * nor methods, and answers one number: bit (account × 8 + conditions) is set when some
 * policy opens that account under exactly those conditions (1 approval, 2 proof, 4 gateway).
 */
export interface Reference {
  check(user: number, server: number): number;
  list(user: number): Uint32Array;
}

export const ACCOUNTS = ['principal', ...VAULTED];
export const CONDITION_BITS = { access_request: 1, mfa: 2, gateway: 4 } as const;

export function makeReference(world: Workload): Reference {
  const { keys, words } = packServers(world);
  const count = world.servers.length;
  const packed = world.policies.map((policy) => packPolicy(policy, keys));
  const posting = new Map<string, Int32Array>();
  const ofGroup = Map.groupBy(
    world.policies.flatMap((p, i) => p.principals.user_groups.map(({ id }) => ({ id, i }))),
    ({ id }) => id,
  );
  const plans = world.users.map((user) => {
    const own = new Set(
      user.memberships.flatMap((m) => (ofGroup.get(m.group_id) ?? []).map(({ i }) => i)),
    );
    const labelled = [...own].filter((i) => packed[i]?.servers === null);
    return {
      flat: Int32Array.from(labelled.flatMap((i) => packed[i]?.flat ?? [])),
      sets: labelled.map((i) => labelsOf(world.policies[i]).map((l) => bitset(world, posting, l))),
      naming: [...own].filter((i) => packed[i]?.servers !== null),
    };
  });
  return {
    check(user, server) {
      const plan = plans[user];
      if (plan === undefined) return 0;
      const { flat, naming } = plan;
      const word = words[server] ?? 0;
      let bits = 0;
      for (let i = 0; i < flat.length; i += 3)
        if ((word & (flat[i] ?? 0)) === flat[i + 1]) bits |= flat[i + 2] ?? 0;
      for (const i of naming) bits |= packed[i]?.servers?.get(server) ?? 0;
      return bits >>> 0;
    },
    list(user) {
      const reached = new Int32Array((count + 31) >>> 5);
      for (const [first, ...others] of plans[user]?.sets ?? []) {
        if (first === undefined) continue;
        for (let w = 0; w < reached.length; w++) {
          let bits = first[w] ?? 0;
          for (let o = 0; o < others.length; o++) bits &= others[o]?.[w] ?? 0;
          reached[w] = (reached[w] ?? 0) | bits;
        }
      }
      for (const i of plans[user]?.naming ?? [])
        for (const server of packed[i]?.servers?.keys() ?? [])
          reached[server >>> 5] = (reached[server >>> 5] ?? 0) | (1 << (server & 31));
      return placesIn(reached);
    },
  };
}

function placesIn(reached: Int32Array): Uint32Array {
  const places = new Uint32Array(reached.length * 32);
  let count = 0;
  for (let w = 0; w < reached.length; w++)
    for (let left = reached[w] ?? 0; left !== 0; left &= left - 1)
      places[count++] = (w << 5) + 31 - Math.clz32(left & -left);
  return places.slice(0, count);
}

interface Key {
  readonly shift: number;
  readonly mask: number;
  readonly codes: Map<string, number>;
}

/** Every server's labels in one word. */
function packServers(world: Workload): { keys: Map<string, Key>; words: Int32Array } {
  const values = new Map<string, Set<string>>();
  for (const server of world.servers)
    for (const [key, value] of Object.entries(server.labels))
      values.set(key, (values.get(key) ?? new Set()).add(value));
  const keys = new Map<string, Key>();
  let shift = 0;
  for (const [key, set] of values) {
    const width = 32 - Math.clz32(set.size);
    const codes = new Map([...set].map((value, i) => [value, i + 1]));
    keys.set(key, { shift, mask: ((1 << width) - 1) << shift, codes });
    shift += width;
  }
  if (shift > 32) throw new Error('the labels of this workload do not fit one word');
  const words = Int32Array.from(world.servers, (server) =>
    Object.entries(server.labels).reduce((w, [k, v]) => w | codeOf(keys.get(k), v), 0),
  );
  return { keys, words };
}

const codeOf = (key: Key | undefined, value: string): number =>
  (key?.codes.get(value) ?? 0) << (key?.shift ?? 0);

function packPolicy(policy: SecurityPolicy, keys: ReadonlyMap<string, Key>) {
  const [rule] = policy.rules;
  const conditions = (rule?.conditions ?? []).reduce(
    (bits, c) => bits | (CONDITION_BITS[c.condition_type as keyof typeof CONDITION_BITS] ?? 0),
    0,
  );
  const bit = (account: string) => 1 << (ACCOUNTS.indexOf(account) * 8 + conditions);
  const isPrincipal = rule?.privileges.some((p) => p.privilege_type === 'principal_account_ssh');
  const servers = new Map<number, number>();
  let [mask, value, bits] = [0, 0, isPrincipal ? bit('principal') : 0];
  for (const selector of rule?.resource_selector.selectors ?? []) {
    if (selector.selector_type === 'server_label') {
      for (const [key, label] of Object.entries(selector.server_selector.labels)) {
        mask |= keys.get(key)?.mask ?? 0;
        value |= codeOf(keys.get(key), label);
      }
      if (selector.account_selector_type === 'username')
        for (const username of selector.account_selector.usernames) bits |= bit(username);
      continue;
    }
    const server = Number(selector.server.id.slice(7));
    const account =
      selector.selector_type === 'individual_server' ? 'principal' : selector.username;
    servers.set(server, (servers.get(server) ?? 0) | bit(account));
  }
  return servers.size > 0
    ? { flat: [], servers }
    : { flat: [mask, value, bits] as const, servers: null };
}

function labelsOf(policy: SecurityPolicy | undefined): [string, string][] {
  const selector = policy?.rules[0]?.resource_selector.selectors[0];
  if (selector?.selector_type !== 'server_label') return [];
  return Object.entries(selector.server_selector.labels);
}

function bitset(
  world: Workload,
  posting: Map<string, Int32Array>,
  [key, value]: [string, string],
): Int32Array {
  const id = `${key}=${value}`;
  const known = posting.get(id);
  if (known !== undefined) return known;
  const bits = new Int32Array((world.servers.length + 31) >>> 5);
  for (const [i, server] of world.servers.entries())
    if (server.labels[key] === value) bits[i >>> 5] = (bits[i >>> 5] ?? 0) | (1 << (i & 31));
  posting.set(id, bits);
  return bits;
}
