import {
  type Operation,
  type OperationId,
  operations,
  PROBLEMS,
  type Relation,
  ROLES,
  type Role,
} from '@postern/shared';
import { Value } from 'typebox/value';
import { beforeAll, describe, expect, it } from 'vitest';
import { apply, makeUser, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { PREFIX } from '../kit/service.ts';
import { pathOf, specsOf } from './calls.ts';
import type { Spec, Thing } from './spec.ts';

const table: readonly Operation[] = Object.values(operations);

/** Somebody who tries: the roles he has, and how he stands to the thing. */
interface Actor {
  readonly login: string;
  readonly roles: readonly Role[];
  readonly relations: readonly Relation[];
}

/** What the table says he is answered. */
function expected(operation: Operation, spec: Spec, { roles, relations }: Actor): string {
  const { access } = operation;
  if (access === 'public' || access === 'gateway') throw new Error('not for people');
  if (access === 'authenticated') return 'ok';
  const granted = access.filter(([role]) => roles.includes(role)).map(([, relation]) => relation);
  if (granted.length === 0) return 'not_permitted';
  const stands = spec.own ? ['self', 'any'] : [...relations, 'any'];
  return granted.some((relation) => stands.includes(relation))
    ? 'ok'
    : (spec.stranger ?? 'not_found');
}

onBoth('every operation, by everybody', (kit) => {
  const demo = withDemo(kit);
  const specs = specsOf(kit, demo);
  const people = table.filter(({ access }) => access !== 'gateway' && access !== 'public');

  beforeAll(async () => {
    // Service users are in no group but theirs: so each of these has one role and no other.
    for (const role of ROLES) {
      await apply(demo, 'pat', [{ kind: 'Group', name: `only-${role}`, roles: [role] }]);
      const groups = [`only-${role}`];
      await makeUser(demo, `only-${role}`, { type: 'service', owners: ['bo'], groups });
    }
    await makeUser(demo, 'nothing', { type: 'service', owners: ['bo'], groups: [] });
  });

  async function send(id: OperationId, token: string | undefined, thing: Thing) {
    const { method } = operations[id];
    const response = await demo.service.app.inject({
      method,
      url: PREFIX + pathOf(id, thing.params),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...thing.headers,
      },
      ...(thing.body === undefined ? {} : { payload: thing.body as object }),
      payloadAsStream: true,
    });
    const stream = response.stream();
    const streams = 'sse' in operations[id] && response.statusCode === 200;
    const text = streams ? '' : Buffer.concat(await stream.toArray()).toString();
    stream.destroy();
    return { status: response.statusCode, text };
  }

  function outcome(
    operation: Operation,
    { status, text }: { status: number; text: string },
  ): string {
    if (status >= 400) return status === 400 ? '400' : JSON.parse(text).code;
    const schema = operation.ok[status];
    if (schema === undefined) return `undeclared ${status}`;
    if (operation.sse || operation.id === 'getRecording') return 'ok';
    if (status === 204) return text === '' ? 'ok' : 'a body with 204';
    const body = JSON.parse(text);
    return Value.Check(schema, body) ? 'ok' : `not its schema: ${text.slice(0, 500)}`;
  }

  describe.each(people.map((operation) => [operation.id as OperationId, operation] as const))(
    '%s',
    (id, operation) => {
      it('is for those whom the table names, and for nobody else', async () => {
        const spec = specs[id];
        let thing = await spec.make();
        const actors: Actor[] = [
          { login: 'nothing', roles: [], relations: [] },
          ...ROLES.map((role) => ({ login: `only-${role}`, roles: [role], relations: [] })),
        ];
        for (const relation of ['self', 'approver_of', 'owner_of'] as const)
          if (thing[relation] !== undefined)
            actors.push({ login: relation, roles: ['end_user'], relations: [relation] });
        expect(outcome(operation, await send(id, undefined, thing))).toBe('unauthenticated');
        const results: Record<string, string> = {};
        const wanted: Record<string, string> = {};
        for (const actor of actors) {
          const [relation] = actor.relations as ['self' | 'approver_of' | 'owner_of'] | [];
          const login = relation === undefined ? actor.login : thing[relation]!;
          const said = await send(id, demo.tokens[login], thing);
          results[actor.login] = outcome(operation, said);
          wanted[actor.login] = expected(operation, spec, actor);
          // What succeeded has changed the thing: the next one tries a new one.
          if (said.status < 300 && operation.method !== 'GET') thing = await spec.make();
        }
        expect(results).toEqual({ ...wanted, ...deviations(id) });
      });
    },
  );

  it('gateways’ operations take no token, whoever’s it is', async () => {
    for (const { id, access } of table)
      if (access === 'gateway')
        for (const login of ['pat', 'sam', 'nothing', undefined]) {
          const thing = await specs[id as OperationId].make();
          const token = login === undefined ? undefined : demo.tokens[login];
          const body = bodyFor(id as OperationId);
          const said = await send(id as OperationId, token, { ...thing, ...body });
          expect([id, login, JSON.parse(said.text).code]).toEqual([id, login, 'unauthenticated']);
        }
  });

  it('what is public takes its one-time code and nothing else', async () => {
    expect(table.filter(({ access }) => access === 'public').map(({ id }) => id)).toEqual([
      'enrollGateway',
      'issueWorkloadToken',
      'issueServiceToken',
    ]);
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ';
    const body = { code: 'pgc_x', public_key: key, host_keys: [key], host: 'gw.test', port: 22 };
    const said = await send('enrollGateway', demo.tokens.pat, { body });
    expect(JSON.parse(said.text).code).toBe('not_permitted');
    for (const id of ['issueWorkloadToken', 'issueServiceToken'] as const) {
      const job = await send(id, demo.tokens.pat, await specs[id].make());
      expect([id, JSON.parse(job.text).code]).toEqual([id, 'unauthenticated']);
    }
  });

  it('another team answers as if nothing were there', async () => {
    for (const { id, method, path } of table) {
      const url = path.replace('{team}', 'other').replaceAll(/\{\w+\}/g, 'x');
      const headers = { authorization: `Bearer ${demo.tokens.pat}` };
      const response = await demo.service.app.inject({ method, url, headers });
      expect([id, [400, 404, 415].includes(response.statusCode)]).toEqual([id, true]);
      expect(Object.keys(PROBLEMS)).toContain(response.json().code);
    }
  });
});

/** Where a rule says more than the table, each with the rule. */
function deviations(id: OperationId): Record<string, string> {
  // The requester may see his request, and is told why he cannot decide it.
  if (id === 'decideAccessRequest') return { self: 'requester_cannot_decide' };
  // A stand-in for others takes a security_admin.
  if (id === 'createDelegation') return { 'only-end_user': 'not_permitted' };
  // A service user has no account in the chat.
  if (id === 'createChatLink') return { 'only-end_user': 'not_permitted' };
  // Groups are pam_admin's to apply.
  if (id === 'apply') return { 'only-security_admin': 'not_permitted' };
  return {};
}

const bodyFor = (id: OperationId): Thing => {
  const session_id = '00000000-0000-7000-8000-000000000000';
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ';
  switch (id) {
    case 'admitSession':
      return { body: { session_id, blob: 'eA==', signature: 'eA==', client_address: '::1' } };
    case 'renewLease':
      return { body: { sessions: [], host_keys: [key] } };
    case 'reportSession':
      return { body: { type: 'login' } };
    default:
      return {};
  }
};
