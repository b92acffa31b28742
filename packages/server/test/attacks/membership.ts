import type { AccessRequest, CatalogEntry } from '@postern/shared';
import { plus, seconds } from '@postern/shared';
import type { LightMyRequestResponse } from 'fastify';
import { beforeAll, beforeEach } from 'vitest';
import { finishDue } from '../../src/requests/service-end.ts';
import { apply, type Demo, decide, makeUser } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { must } from '../kit/service.ts';

const DAY = 86_400;
const FIELDS = {
  date: { key: 'until', prompt: 'Until?', type: 'date', required: true },
  time: { key: 'until', prompt: 'How long?', type: 'duration', required: true, max: '3650d' },
};
export const OWNER = [{ name: 'Owner', needs: { any: 1, of: ['group_owner'] }, timeout: '3d' }];

/** For each test a person and a group of his own, owned by dana, and a type that leads into it. */
export function memberships(kit: Kit, demo: Demo) {
  let n = 0;
  const me = { login: '', id: '' };
  const group = { name: '', id: '' };
  const fresh = (what: string): string => `${what}-${n++}`;

  const call = (
    who: string,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH',
    path: string,
    body?: unknown,
  ) => demo.service.call(demo.tokens[who], method, path, body);

  async function newGroup(more: object = {}, name = fresh('joined')) {
    await apply(demo, 'pat', [{ kind: 'Group', name, owners: ['dana'], ...more }]);
    const { list } = must(await call('pat', 'GET', `/groups?name=${name}`));
    return { id: (list as { id: string }[])[0]!.id, name };
  }
  async function newUser(document: Record<string, unknown> = {}, login = fresh('joiner')) {
    const id = await makeUser(demo, login, { groups: ['everyone'], ...document });
    await lengthenTokens();
    return { login, id };
  }
  /** The clock moves by weeks here; no token lives that long. */
  const lengthenTokens = () =>
    kit.db.sql
      .updateTable('tokens')
      .set({ expires_at: plus(kit.clock.now(), seconds(10_000 * DAY)) })
      .execute();
  const nextMoment = () => kit.clock.advance(1);

  /** A published type that puts people into these groups. @returns its id */
  async function type(
    into: readonly string[] = [group.name],
    more: Record<string, unknown> = {},
    name = fresh('type'),
  ): Promise<string> {
    const [field] = (more.fields as { key: string }[] | undefined) ?? [FIELDS.time];
    await apply(demo, 'sam', [
      {
        ...{ kind: 'RequestType', name, purpose: 'group_membership', audience: 'everyone' },
        ...{ fields: [FIELDS.time], steps: OWNER },
        on_approved: into.map((to) => ({ add_to_group: { group: to, until: `$${field!.key}` } })),
        ...more,
      },
    ]);
    const { list } = must(await call('sam', 'GET', '/request_types?limit=500'));
    const found = (list as { id: string; name: string }[]).find((row) => row.name === name);
    nextMoment();
    return found!.id;
  }
  const raise = (
    request_type_id: string,
    answers: Record<string, unknown> = { until: '1d' },
    who = me.login,
  ): Promise<LightMyRequestResponse> =>
    call(who, 'POST', '/access_requests', {
      request_type_id,
      target: { type: 'group_membership' },
      answers,
    });
  const raised = async (id: string, answers?: Record<string, unknown>, who?: string) =>
    must(await raise(id, answers, who)) as AccessRequest;
  const approve = (request: Pick<AccessRequest, 'id' | 'etag'>, who = 'dana', body = {}) =>
    decide(demo.service, demo.tokens[who], request, body);
  const granted = async (id: string, answers?: Record<string, unknown>, who?: string) =>
    must(await approve(await raised(id, answers, who))) as AccessRequest;

  const groupsOf = async (who = me.login): Promise<string[]> =>
    (must(await call(who, 'GET', '/whoami')).groups as { name: string }[]).map((g) => g.name);
  const catalogue = async (who = me.login) =>
    must(await call(who, 'GET', '/catalog')).list as CatalogEntry[];
  /** Live rows of the person in the group: `source request`. */
  const rows = (user_id = me.id, group_id = group.id) =>
    kit.db.sql
      .selectFrom('memberships')
      .select(['source', 'request_id', 'expires_at'])
      .where('user_id', '=', user_id)
      .where('group_id', '=', group_id)
      .where('ended_at', 'is', null)
      .orderBy('id')
      .execute();
  const stateOf = async (id: string) =>
    kit.db.sql
      .selectFrom('access_requests')
      .select(['state', 'end_reason'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
  /** Everything that is logged of a request, sorted by name. */
  const events = async (id: string): Promise<string[]> =>
    (
      await kit.db.sql
        .selectFrom('audit_events')
        .select('type')
        .where('request_id', '=', id)
        .execute()
    )
      .map((row) => row.type as string)
      .sort();
  const finish = (id: string) => kit.transact((tx) => finishDue(tx, id));

  beforeAll(async () => {
    await lengthenTokens();
  });
  beforeEach(async () => {
    Object.assign(group, await newGroup());
    Object.assign(me, await newUser());
    nextMoment();
  });
  return {
    ...{ me, group, fresh, call, newGroup, newUser, lengthenTokens, nextMoment, type, raise },
    ...{ raised, approve, granted, groupsOf, catalogue, rows, stateOf, events, finish, FIELDS },
  };
}
