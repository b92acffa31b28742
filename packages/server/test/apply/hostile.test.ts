import { type OperationId, operations } from '@postern/shared';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { INVENTORY, must, PEOPLE, World } from '../directory/world.ts';
import { halfOf, onBoth } from '../kit/index.ts';

const SEED = 20_260_302;
const RUNS = 60;

/** Text as nobody would type it: control and bidi characters, lone surrogates, quotes, long. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('\u0000', '\ud800', '\u202e', "'; --", '%', '__proto__', '..', '{}', ' ', ''),
  fc.constantFrom('ana', 'dana', 'security', 'everyone', 'opa-demo-linux', 'demo', 'pamadmin1'),
  fc.constant('x'.repeat(5000)),
);
const anything = fc.oneof(text, fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>);

/** Bodies that work, to be broken in one place. */
const BODIES: Readonly<Record<string, readonly object[]>> = {
  updateUser: [{ name: 'Ana' }, { email: 'a@b.c' }, { status: 'ACTIVE' }, { manager_id: null }],
  setGroupRoles: [{ roles: ['auditor'] }],
  createToken: [{ name: 'x', expires_in_seconds: 60, login: 'ana' }],
  updateServer: [
    { hostname: 'web', alt_names: ['a'], canonical_name: 'b', access_address: '10.0.0.1' },
    {
      labels: { a: 'b' },
      os_type: 'linux',
      host_keys: [],
      admin_account_template: '{unix_name}-a',
    },
  ],
  setCredential: [
    { credential: { type: 'password', password: 'x' } },
    { credential: { type: 'private_key', private_key: 'x' } },
  ],
  apply: [...PEOPLE, ...INVENTORY].map((document) => ({ dry_run: true, documents: [document] })),
};
const OPERATIONS: readonly OperationId[] = [
  ...(['whoami', 'listUsers', 'updateUser', 'listGroups', 'listGroupMembers'] as const),
  ...([
    'addGroupMember',
    'removeGroupMember',
    'setGroupRoles',
    'createToken',
    'listTokens',
  ] as const),
  ...([
    'revokeToken',
    'listInventory',
    'getInventoryServer',
    'updateServer',
    'setCredential',
  ] as const),
  ...(['deleteAccount', 'listResourceGroups', 'apply', 'listAuditEvents'] as const),
];

/** The value with something else at one place, or with a field more. */
function broken(value: unknown, place: readonly number[], other: unknown): unknown {
  const [first = 0, ...rest] = place;
  if (rest.length === 0 || value === null || typeof value !== 'object') return other;
  const keys = Object.keys(value);
  const key = keys[first % (keys.length + 1)] ?? 'extra';
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...value };
  copy[key] = broken(copy[key], rest, other);
  return copy;
}

onBoth('whatever is sent', (kit) => {
  let world: World;
  let ids: string[];
  beforeAll(async () => {
    world = new World(kit);
    await world.open();
    must(await world.apply('sam', INVENTORY));
    const roles = ['security_admin', 'pam_admin', 'auditor', 'end_user'];
    must(await world.apply('dana', [{ kind: 'Group', name: 'all', roles }]));
    must(await world.apply('dana', [{ kind: 'User', login: 'all', name: 'All', groups: ['all'] }]));
    await world.login('all');
    const ana = (await world.user('ana')).id;
    ids = [ana, await world.group('linux-approvers'), (await world.server()).id, kit.ids.uuid()];
  });
  afterAll(() => world.app.close());

  const place = fc.array(fc.nat(7), { minLength: 1, maxLength: 6 });

  test.each(OPERATIONS)('%s answers it, and never with a fault of ours', async (operation) => {
    const id = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...ids) },
      { weight: 1, arbitrary: text },
    );
    const query = fc.dictionary(
      fc.constantFrom('limit', 'cursor', 'login', 'name', 'hostname', 'target', 'type', 'x'),
      text.filter((value) => value.length < 1000 && value.isWellFormed()),
      { maxKeys: 2 },
    );
    const username = fc.oneof(
      fc.constant('pamadmin1'),
      text.filter((value) => value.isWellFormed()),
    );
    const bodies = BODIES[operation];
    const body = bodies && fc.constantFrom(...bodies);
    await fc.assert(
      fc.asyncProperty(
        id,
        id,
        username,
        query,
        body ?? fc.constant(undefined),
        place,
        anything,
        async (one, two, name, asked, sent, where, other) => {
          if (!one.isWellFormed() || !two.isWellFormed()) return;
          const payload = sent === undefined ? undefined : broken(sent, where, other);
          const params = { id: one, user_id: two, username: name };
          const answer = await world.call(
            'all',
            operation,
            { ...(operation.startsWith('list') ? asked : {}), ...used(operation, params) },
            payload as object | undefined,
          );
          expect([operation, payload, answer.status < 500 && answer.status !== 401]).toEqual([
            operation,
            payload,
            true,
          ]);
        },
      ),
      halfOf(kit, SEED, RUNS),
    );
    expect(world.faults).toEqual([]);
  });
});

/** Only the parameters that stand in the operation's path: the others would be a query. */
function used(
  operation: OperationId,
  params: Readonly<Record<string, string>>,
): Record<string, string> {
  const { path } = operations[operation];
  return Object.fromEntries(Object.entries(params).filter(([name]) => path.includes(`{${name}}`)));
}
