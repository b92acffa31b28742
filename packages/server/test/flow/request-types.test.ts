import type { AccessRequest, Answer } from '@postern/shared';
import { describe, expect, it } from 'vitest';
import { finishDue } from '../../src/requests/service-end.ts';
import {
  apply,
  askOf,
  codeOf,
  decide,
  makeUser,
  methodFor,
  REQUEST_TYPE,
  raise,
  raisedBy,
  show,
  withDemo,
} from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';

type View = Answer<'getRequestType'>;
const HOUR = 3_600;
const UNUSED = 'Unused type';

onBoth('request types', (kit) => {
  const demo = withDemo(kit);
  let n = 0;
  const call = (
    by: string,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    etag?: string,
  ) =>
    demo.service.call(
      demo.tokens[by],
      method,
      path,
      body,
      etag === undefined ? {} : { 'if-match': `"${etag}"` },
    );
  const definition = (more: Record<string, unknown> = {}) => {
    const { kind: _kind, ...type } = REQUEST_TYPE;
    const steps = [{ name: 'One', needs: { any: 1, of: ['group:linux-approvers'] } }];
    return { ...type, name: `${UNUSED} ${n}`, steps, ...more };
  };
  const draft = async () => {
    n += 1;
    return must(await call('sam', 'POST', '/request_types', definition())) as unknown as View;
  };
  const read = async (id: string) =>
    must(await call('sam', 'GET', `/request_types/${id}`)) as unknown as View;
  const lint = async () =>
    must(await call('sam', 'GET', '/request_types/lint'))
      .list as Answer<'lintRequestTypes'>['list'];

  describe('a draft', () => {
    it('is replaced; what runs stays until it is published', async () => {
      const { id } = await draft();
      must(await call('sam', 'POST', `/request_types/${id}/publish`));
      const before = await read(id);
      expect([before.state, before.published_version, before.draft]).toEqual([
        'published',
        1,
        null,
      ]);
      const changed = definition({ description: 'second' });
      const replaced = must(
        await call('sam', 'PUT', `/request_types/${id}`, changed, before.etag),
      ) as unknown as View;
      expect(replaced.definition).toEqual(before.definition);
      expect([replaced.published_version, replaced.draft?.description]).toEqual([1, 'second']);
      must(await call('sam', 'POST', `/request_types/${id}/publish`));
      const after = await read(id);
      expect([after.published_version, after.definition.description, after.draft]).toEqual([
        2,
        'second',
        null,
      ]);
    });

    it('deny: a requester sees what runs, no draft of it, and no type that never ran', async () => {
      const { id, etag } = await draft();
      expect(codeOf(await call('ellis', 'GET', `/request_types/${id}`))).toBe('not_found');
      must(await call('sam', 'POST', `/request_types/${id}/publish`));
      const published = await read(id);
      expect(published.etag).not.toBe(etag);
      const secret = definition({ description: 'not yet' });
      must(await call('sam', 'PUT', `/request_types/${id}`, secret, published.etag));
      const seen = must(await call('ellis', 'GET', `/request_types/${id}`)) as unknown as View;
      expect([seen.draft, JSON.stringify(seen).includes('not yet')]).toEqual([null, false]);
      expect((await read(id)).draft?.description).toBe('not yet');
    });

    it('read by somebody else meanwhile is not overwritten: 412, and nothing changes', async () => {
      const { id, etag } = await draft();
      must(await call('sam', 'PUT', `/request_types/${id}`, definition(), etag));
      const late = await call('sam', 'PUT', `/request_types/${id}`, definition(), etag);
      expect(codeOf(late)).toBe('precondition_failed');
    });

    it('keeps its name, and is checked like a new one', async () => {
      const { id, etag } = await draft();
      const renamed = { ...definition(), name: 'Another' };
      const said = await call('sam', 'PUT', `/request_types/${id}`, renamed, etag);
      expect(said.json().errors[0]).toMatchObject({ pointer: '/name', code: 'immutable' });
      const broken = await call(
        'sam',
        'PUT',
        `/request_types/${id}`,
        definition({ step: [] }),
        etag,
      );
      expect(broken.json().errors[0]).toMatchObject({ pointer: '/step', code: 'unknown_field' });
      expect((await read(id)).etag).toBe(etag);
    });
  });

  describe('retired', () => {
    it('a draft that was never published is removed', async () => {
      const { id } = await draft();
      expect((await call('sam', 'DELETE', `/request_types/${id}`)).statusCode).toBe(204);
      expect(codeOf(await call('sam', 'GET', `/request_types/${id}`))).toBe('not_found');
    });

    it('a published one stays, is raised no more, and can be published again', async () => {
      const { id } = await draft();
      must(await call('sam', 'POST', `/request_types/${id}/publish`));
      for (const _ of [1, 2])
        expect((await call('sam', 'DELETE', `/request_types/${id}`)).statusCode).toBe(204);
      expect((await read(id)).state).toBe('retired');
      must(await call('sam', 'POST', `/request_types/${id}/publish`));
      expect((await read(id)).state).toBe('published');
    });

    it('not while an active policy names it, and the policies are named', async () => {
      const said = await call('sam', 'DELETE', `/request_types/${demo.ids.request_type}`);
      expect([said.statusCode, said.json().detail]).toEqual([
        409,
        'Server access approval is used by active policies: Linux administration.',
      ]);
      expect((await read(demo.ids.request_type)).state).toBe('published');
    });
  });

  it('a running request keeps its version', async () => {
    const login = `asker-${n++}`;
    await makeUser(demo, login, { manager: 'dana', groups: ['linux-users'] });
    kit.clock.advance(1);
    await askOf(demo, { any: 1, of: ['manager'] });
    const request = await raisedBy(demo, login);
    await askOf(demo, { any: 2, of: ['group:linux-approvers'] });
    const now = await show(demo.service, demo.tokens[login], request.id);
    expect([now.request_type.version, now.steps[0]!.still_needed]).toEqual([
      request.request_type.version,
      [{ any: 1, of: ['Dana Reyes'] }],
    ]);
    const approved = must(await decide(demo.service, demo.tokens.dana, now)) as AccessRequest;
    expect(approved.state).toBe('approved');
  });

  describe('lint', () => {
    it('names, for each type and policy, whom it could not serve, and why', async () => {
      const lonely = `lonely-${n++}`;
      const boss = `boss-${n++}`;
      await makeUser(demo, boss, { groups: ['linux-users'] });
      await makeUser(demo, lonely, { groups: ['linux-users'] });
      await askOf(demo, { any: 1, of: ['manager'] });
      const [found] = (await lint()).filter((f) => f.reason === 'no_eligible_approver');
      expect(found).toMatchObject({
        request_type: { name: 'Server access approval' },
        policy: { name: 'Linux administration' },
        rule: 'Vaulted administrator accounts',
        step: 'Approval',
        missing: '1 of manager (0 could)',
      });
      const names = found!.people.map((p) => p.name);
      expect(names).toContain(`Test ${lonely}`);
      expect(names).not.toContain('Ellis Kim');
    });

    it('what it names is refused when it is raised, and nothing else is', async () => {
      const named = new Set((await lint()).flatMap((f) => f.people.map((p) => p.name)));
      const askers = [
        'ellis',
        ...Object.keys(demo.tokens).filter((l) => /^(lonely|boss)-/.test(l)),
      ];
      expect(askers.length).toBeGreaterThan(2);
      for (const login of askers) {
        const method = await methodFor(demo, login);
        const said = await raise(demo.service, demo.tokens[login], method);
        const name = login === 'ellis' ? 'Ellis Kim' : `Test ${login}`;
        expect([login, codeOf(said)]).toEqual([
          login,
          named.has(name) ? 'no_eligible_approver' : '201',
        ]);
      }
    });

    it('owners are asked per resource group: an owner cannot serve himself', async () => {
      await askOf(demo, { any: 1, of: ['resource_owner'] });
      const owner = `owner-${n++}`;
      await makeUser(demo, owner, { groups: ['linux-users'] });
      await apply(demo, 'sam', [
        { kind: 'ResourceGroup', name: 'demo', owners: [owner], projects: ['demo'] },
      ]);
      const found = (await lint()).filter((f) => f.reason === 'no_eligible_approver');
      expect(found.map((f) => f.people.map((p) => p.name))).toEqual([[`Test ${owner}`]]);
      await apply(demo, 'sam', [
        { kind: 'ResourceGroup', name: 'demo', owners: ['sam'], projects: ['demo'] },
      ]);
      expect(await lint()).toEqual([]);
    });

    it('an audience that keeps out whom a policy lets in', async () => {
      await askOf(demo, { any: 1, of: ['group:linux-approvers'] });
      await apply(demo, 'sam', [
        {
          ...REQUEST_TYPE,
          audience: { groups: ['security'] },
          steps: [{ name: 'Approval', needs: { any: 1, of: ['group:linux-approvers'] } }],
        },
      ]);
      const found = await lint();
      expect(found.map((f) => f.reason)).toEqual(['not_in_audience']);
      expect(found[0]!.people.map((p) => p.name)).toContain('Ellis Kim');
      await askOf(demo, { any: 1, of: ['manager'] });
    });
  });

  describe('reminders', () => {
    const reminded = async (id: string): Promise<string[]> =>
      (
        await kit.db.sql
          .selectFrom('messages as m')
          .innerJoin('users as u', 'u.id', 'm.to_user_id')
          .select('u.login')
          .where('m.request_id', '=', id)
          .where('m.kind', '=', 'approval_reminder')
          .execute()
      )
        .map((row) => row.login)
        .sort();
    const due = (id: string) => kit.transact((tx) => finishDue(tx, id));

    it('once, at half of the step’s time, to those who have not voted', async () => {
      await askOf(
        demo,
        {
          all: [
            { any: 1, of: ['manager'] },
            { any: 1, of: ['group:linux-approvers'] },
          ],
        },
        { timeout: '8h' },
      );
      const login = `asker-${n++}`;
      await makeUser(demo, login, { manager: 'dana', groups: ['linux-users'] });
      kit.clock.advance(1);
      const request = await raisedBy(demo, login);
      must(await decide(demo.service, demo.tokens.dana, request));
      kit.clock.advance(4 * HOUR - 1);
      await due(request.id);
      expect(await reminded(request.id)).toEqual([]);
      kit.clock.advance(1);
      await due(request.id);
      await due(request.id);
      expect(await reminded(request.id)).toEqual(['ana', 'bo']);
      const now = await show(demo.service, demo.tokens[login], request.id);
      expect([now.state, now.etag]).toEqual(['pending', '2']);
    });

    it('when the step says so, and not of what is decided', async () => {
      await askOf(demo, { any: 1, of: ['manager'] }, { timeout: '8h', remind_after: '1h' });
      for (const decided of [false, true]) {
        const login = `asker-${n++}`;
        await makeUser(demo, login, { manager: 'dana', groups: ['linux-users'] });
        kit.clock.advance(1);
        const request = await raisedBy(demo, login);
        if (decided) must(await decide(demo.service, demo.tokens.dana, request));
        kit.clock.advance(HOUR);
        await due(request.id);
        expect(await reminded(request.id)).toEqual(decided ? [] : ['dana']);
      }
    });
  });
});
