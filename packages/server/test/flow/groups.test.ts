import { readFileSync } from 'node:fs';
import {
  type AccessRequest,
  type AccessRequestDetail,
  type CatalogEntry,
  plus,
  seconds,
} from '@postern/shared';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { finishDue } from '../../src/requests/service-end.ts';
import { dueMembershipRequests } from '../../src/requests/store-memberships.ts';
import { apply, codeOf, type Demo, decide, makeUser, show, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';

const DAY = 86_400;
const LINUX = 'PAM Linux Sysadmins';
const WINDOWS = 'PAM Windows Sysadmins';

const documents = (file: string): Record<string, unknown>[] =>
  parseAllDocuments(
    readFileSync(new URL(`../../../../examples/groups/${file}`, import.meta.url), 'utf8'),
  ).map((document) => document.toJS());

/** What the demo's people may be told the time by. */
const dateIn = (now: number, days: number): string =>
  new Date(now + days * DAY * 1000).toISOString().slice(0, 10);

onBoth('membership in a group, by request', (kit) => {
  const demo: Demo = withDemo(kit);
  let type: CatalogEntry;
  let n = 0;
  let login: string;
  let userId: string;

  const call = (
    who: string,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
  ) => demo.service.call(demo.tokens[who], method, path, body as Record<string, unknown>);
  const groups = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (must(await call('pat', 'GET', '/groups')).list as { name: string; id: string }[]).map(
        ({ name, id }) => [name, id],
      ),
    );
  const ask = async (answers: Record<string, string>, who = login) =>
    call(who, 'POST', '/access_requests', {
      request_type_id: type.request_type.id,
      target: { type: 'group_membership' },
      answers: { justification: 'patch day', team: LINUX, ...answers },
    });
  const asked = async (days = 5, team = LINUX) =>
    must(await ask({ until: dateIn(kit.clock.now(), days), team })) as AccessRequest;
  const granted = async (days = 5, team = LINUX) =>
    must(await decide(demo.service, demo.tokens.dana, await asked(days, team))) as AccessRequest;
  const groupsOf = async (who = login) =>
    (must(await call(who, 'GET', '/whoami')).groups as { name: string }[]).map(({ name }) => name);
  /** What the sweep does, whether or not a timer came. */
  const sweep = async () => {
    for (const { id } of await kit.transact((tx) => dueMembershipRequests(tx.sql, tx.now)))
      await kit.transact((tx) => finishDue(tx, id));
  };
  const events = async (id: string) =>
    (
      await kit.db.sql
        .selectFrom('audit_events')
        .select(['type', 'actor'])
        .where('request_id', '=', id)
        .orderBy('at')
        .orderBy('id')
        .execute()
    ).map(({ type: name }) => name);

  beforeAll(async () => {
    await apply(demo, 'pat', documents('1-directory.yaml'));
    await apply(demo, 'sam', documents('3-request-types.yaml'));
  });
  beforeEach(async () => {
    login = `joiner-${n++}`;
    userId = await makeUser(demo, login, { groups: ['everyone'], email: `${login}@example.test` });
    // The clock moves by weeks here; no token lives that long.
    const expires_at = plus(kit.clock.now(), seconds(400 * DAY));
    await kit.db.sql.updateTable('tokens').set({ expires_at }).execute();
    kit.clock.advance(1);
    const { list } = must(await call(login, 'GET', '/catalog')) as { list: CatalogEntry[] };
    type = list.find(({ request_type }) => request_type.name === 'PAM sysadmins')!;
  });

  describe('the catalogue', () => {
    it('shows what the person may ask for, what it asks and which groups it leads into', () => {
      expect(type.purpose).toBe('group_membership');
      expect(type.fields.map(({ key }) => key)).toEqual(['justification', 'team', 'until']);
      expect(type.groups.map(({ name }) => name)).toEqual([LINUX, WINDOWS]);
    });

    it('keeps from others what is meant for some; asking for it finds nothing', async () => {
      const [document] = documents('3-request-types.yaml');
      const name = 'For auditors';
      await apply(demo, 'sam', [{ ...document, name, audience: { groups: ['audit'] } }]);
      const of = async (who: string) =>
        (must(await call(who, 'GET', '/catalog')).list as CatalogEntry[]).filter(
          ({ request_type }) => request_type.name === name,
        );
      expect(await of(login)).toEqual([]);
      const [hidden] = await of('uma');
      const body = {
        request_type_id: hidden!.request_type.id,
        target: { type: 'group_membership' },
        answers: { justification: 'x', team: LINUX, until: dateIn(kit.clock.now(), 2) },
      };
      const refused = await call(login, 'POST', '/access_requests', body);
      const unknown = await call(login, 'POST', '/access_requests', {
        ...body,
        request_type_id: demo.ids.server,
      });
      expect(refused.json()).toEqual({ ...unknown.json(), trace_id: refused.json().trace_id });
      expect(refused.statusCode).toBe(404);
    });
  });

  describe('answers', () => {
    it.each<[string, (now: number) => Record<string, string>]>([
      ['a date that is over', (now) => ({ until: dateIn(now, -2) })],
      ['a date beyond what the type allows', (now) => ({ until: dateIn(now, 95) })],
      ['no date', () => ({ until: 'soon' })],
      ['a date that there is not', () => ({ until: '2026-02-30' })],
      ['a group that is no choice', (now) => ({ until: dateIn(now, 3), team: 'owners' })],
      ['no reason', (now) => ({ until: dateIn(now, 3), justification: ' ' })],
      ['a question that was not asked', (now) => ({ until: dateIn(now, 3), group: LINUX })],
    ])('%s: refused at its place, and nothing is raised', async (_, answers) => {
      const refused = await ask(answers(kit.clock.now()));
      expect(codeOf(refused)).toBe('invalid_request');
      expect(refused.json().errors[0].pointer).toMatch(/^\/answers\//);
      expect(must(await call(login, 'GET', '/access_requests')).list).toEqual([]);
    });

    it('today is a date that is not over, to its end in the zone', async () => {
      const request = await asked(0);
      expect(request.target).toMatchObject({
        type: 'group_membership',
        memberships: [{ group: { name: LINUX }, time_zone: 'Europe/Berlin' }],
      });
    });
  });

  it('one pending request for the same groups: raising it again answers it', async () => {
    const first = await asked(5);
    const again = await ask({ until: dateIn(kit.clock.now(), 9) });
    expect(again.statusCode).toBe(200);
    expect(again.json()).toMatchObject({ id: first.id, answers: first.answers });
    const other = await asked(5, WINDOWS);
    expect(other.id).not.toBe(first.id);
  });

  it('approved: in the group at once, with a timer; each step is on the record', async () => {
    const request = await granted();
    expect(request.state).toBe('active');
    expect(await groupsOf()).toContain(LINUX);
    const { list } = must(await call('pat', 'GET', `/groups/${(await groups())[LINUX]}/users`)) as {
      list: Record<string, unknown>[];
    };
    expect(list.find(({ user }) => (user as { id: string }).id === userId)).toMatchObject({
      source: 'request',
      request_id: request.id,
      expires_at: request.ends_at,
    });
    expect(await events(request.id)).toEqual([
      'access.request.create',
      'access.request.decide',
      'access.request.resolve',
      'group.user_membership.add',
      'access.request.activate',
    ]);
    const detail = (await show(
      demo.service,
      demo.tokens[login],
      request.id,
    )) as AccessRequestDetail;
    expect(detail.history.map(({ event }) => event)).toEqual([
      'raised',
      'step_met',
      'approved',
      'active',
    ]);
    expect(detail.memberships).toMatchObject([{ group: { name: LINUX }, removed_at: null }]);
  });

  it('when the date comes: no member in that instant, before anybody has taken the row away', async () => {
    const request = await granted();
    const end = Date.parse(request.ends_at!);
    kit.clock.advance((end - kit.clock.now()) / 1000 - 1);
    expect(await groupsOf()).toContain(LINUX);
    kit.clock.advance(1);
    expect(await groupsOf()).not.toContain(LINUX);
    expect((await show(demo.service, demo.tokens[login], request.id)).state).toBe('active');
    await sweep();
    const over = await show(demo.service, demo.tokens[login], request.id);
    expect(over).toMatchObject({ state: 'ended', end_reason: 'expired' });
    expect((await events(request.id)).slice(-2)).toEqual([
      'group.user_membership.remove',
      'access.request.end',
    ]);
    await sweep();
    expect(await events(request.id)).toHaveLength(7);
  });

  it('the log, filtered for the group: added and removed, with the request', async () => {
    const request = await granted(3, WINDOWS);
    kit.clock.advance((Date.parse(request.ends_at!) - kit.clock.now()) / 1000);
    await sweep();
    type Logged = { type: string; request_id: string; targets: { name: string }[] };
    const logged = async (query: string) =>
      must(await call('uma', 'GET', `/audit/events?${query}&limit=500`)).list as Logged[];
    const about = await logged(`group=${encodeURIComponent(WINDOWS)}`);
    for (const { targets } of about) expect(targets.map(({ name }) => name)).toContain(WINDOWS);
    const own = about.filter(({ request_id }) => request_id === request.id).reverse();
    expect(own.map(({ type: name }) => name)).toEqual(await events(request.id));
    expect(await logged(`group=${(await groups())[WINDOWS]}`)).toEqual(about);
    expect(await logged('group=Ellis%20Kim')).toEqual([]);
  });

  it('a standing membership stays when the one by request ends', async () => {
    const request = await granted();
    must(await call('pat', 'PUT', `/groups/${(await groups())[LINUX]}/users/${userId}`));
    kit.clock.advance((Date.parse(request.ends_at!) - kit.clock.now()) / 1000);
    await sweep();
    expect((await show(demo.service, demo.tokens[login], request.id)).state).toBe('ended');
    expect(await groupsOf()).toContain(LINUX);
    expect(codeOf(await ask({ until: dateIn(kit.clock.now(), 3) }))).toBe('state_conflict');
  });

  it('more time is another request: the later end counts, and the first one ends alone', async () => {
    const first = await granted(2);
    const second = await granted(6);
    expect(second.id).not.toBe(first.id);
    kit.clock.advance((Date.parse(first.ends_at!) - kit.clock.now()) / 1000);
    await sweep();
    expect((await show(demo.service, demo.tokens[login], first.id)).state).toBe('ended');
    expect(await groupsOf()).toContain(LINUX);
    kit.clock.advance((Date.parse(second.ends_at!) - kit.clock.now()) / 1000);
    expect(await groupsOf()).not.toContain(LINUX);
  });

  describe('ends before its date', () => {
    it.each<[string, string, (id: string) => Promise<unknown>]>([
      ['dropped', 'ended', (id) => call(login, 'POST', `/access_requests/${id}/drop`)],
      ['revoked', 'revoked', (id) => call('dana', 'POST', `/access_requests/${id}/revoke`, {})],
      ['user_disabled', 'ended', () => kitDisable()],
    ])('%s', async (reason, state, end) => {
      const { id } = await granted();
      await end(id);
      expect(await show(demo.service, demo.tokens.uma, id)).toMatchObject({
        state,
        end_reason: reason,
      });
      const rows = await kit.db.sql
        .selectFrom('memberships')
        .select('ended_at')
        .where('request_id', '=', id)
        .execute();
      expect(rows.map(({ ended_at }) => ended_at !== null)).toEqual([true]);
    });
    const kitDisable = () =>
      demo.service.call(demo.tokens.pat, 'PATCH', `/users/${userId}`, { status: 'DISABLED' });

    it('taken out by an administrator: the request ends too, and says so', async () => {
      const { id } = await granted();
      must(await call('pat', 'DELETE', `/groups/${(await groups())[LINUX]}/users/${userId}`));
      await sweep();
      expect(await show(demo.service, demo.tokens.uma, id)).toMatchObject({
        state: 'ended',
        end_reason: 'removed',
      });
    });
  });

  describe('deciding', () => {
    it('only who owns the group decides; never the requester, though he owns it', async () => {
      const request = await asked();
      for (const who of ['ana', 'pat', 'sam'])
        expect(codeOf(await decide(demo.service, demo.tokens[who], request))).toBe('not_found');
      await apply(demo, 'pat', [{ kind: 'Group', name: LINUX, owners: ['dana', login] }]);
      kit.clock.advance(1);
      const refused = await decide(demo.service, demo.tokens[login], request);
      expect(codeOf(refused)).toBe('requester_cannot_decide');
      await apply(demo, 'pat', [{ kind: 'Group', name: LINUX, owners: ['dana'] }]);
    });

    it('a group without an owner: refused when it is asked for', async () => {
      await apply(demo, 'pat', [{ kind: 'Group', name: WINDOWS, owners: [] }]);
      const refused = await ask({ until: dateIn(kit.clock.now(), 3), team: WINDOWS });
      expect(codeOf(refused)).toBe('no_eligible_approver');
      expect(must(await call(login, 'GET', '/access_requests')).list).toEqual([]);
      await apply(demo, 'pat', [{ kind: 'Group', name: WINDOWS, owners: ['dana'] }]);
    });

    it('denied: in no group, and the same groups wait 15 minutes', async () => {
      const request = await asked();
      must(await decide(demo.service, demo.tokens.dana, request, { decision: 'deny' }));
      expect(await groupsOf()).not.toContain(LINUX);
      expect(codeOf(await ask({ until: dateIn(kit.clock.now(), 3) }))).toBe('state_conflict');
      kit.clock.advance(15 * 60);
      expect((await asked()).state).toBe('pending');
    });

    it('not decided by the end of its date: expired, and no late approval adds anybody', async () => {
      const request = await asked(1);
      const [step] = request.steps;
      kit.clock.advance((Date.parse(step!.expires_at!) - kit.clock.now()) / 1000);
      const late = await decide(demo.service, demo.tokens.dana, request);
      expect(codeOf(late)).toBe('state_conflict');
      await kit.transact((tx) => finishDue(tx, request.id));
      expect((await show(demo.service, demo.tokens[login], request.id)).state).toBe('expired');
      expect(await groupsOf()).not.toContain(LINUX);
    });

    it('the group became privileged meanwhile: approved, but failed, and nobody is in it', async () => {
      await apply(demo, 'pat', [{ kind: 'Group', name: 'Later important', owners: ['dana'] }]);
      const [document] = documents('3-request-types.yaml');
      const fields = (document!.fields as { key: string }[]).map((field) =>
        field.key === 'team' ? { ...field, options: ['Later important'] } : field,
      );
      const unguarded = { ...document, name: 'Into it', fields, grants_role: false };
      await apply(demo, 'sam', [unguarded]);
      const { list } = must(await call(login, 'GET', '/catalog')) as { list: CatalogEntry[] };
      type = list.find(({ request_type }) => request_type.name === 'Into it')!;
      const request = await asked(5, 'Later important');
      await apply(demo, 'pat', [{ kind: 'Group', name: 'Later important', roles: ['auditor'] }]);
      const outcome = must(await decide(demo.service, demo.tokens.dana, request));
      expect(outcome).toMatchObject({
        state: 'failed',
        end_reason: expect.stringContaining('privileged'),
      });
      expect(await groupsOf()).not.toContain('Later important');
      kit.clock.advance(1);
      expect(
        codeOf(await ask({ until: dateIn(kit.clock.now(), 3), team: 'Later important' })),
      ).toBe('state_conflict');
    });

    it('the card says who asks for which group, what it opens, and until when', async () => {
      const request = await asked();
      const card = must(await call('dana', 'GET', `/access_requests/${request.id}/card`)) as {
        title: string;
        rows: { label: string; lines: string[] }[];
      };
      expect(card.title).toBe(`Test ${login} asks for membership in ${LINUX}`);
      expect(card.rows.map(({ label }) => label)).toEqual(
        expect.arrayContaining(['Who asks', 'Group', 'Opens', 'Until', 'Still needed']),
      );
      const own = must(
        await call(login, 'GET', `/access_requests/${request.id}/card`),
      ) as typeof card;
      expect(own.rows.map(({ label }) => label)).not.toContain('Opens');
    });
  });
});
