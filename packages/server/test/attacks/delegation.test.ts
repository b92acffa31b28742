import type { AccessRequest, Delegation } from '@postern/shared';
import { beforeAll, describe, expect, it } from 'vitest';
import { askOf, codeOf, decide, makeUser, raisedBy, show, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';

const HOUR = 3_600;

onBoth('attack 1: the approver is the requester, through a delegation', (kit) => {
  const demo = withDemo(kit);
  let n = 0;

  const at = (inSeconds: number) => new Date(kit.clock.now() + inSeconds * 1000).toISOString();
  const delegate = (by: string, to: string, more: Record<string, unknown> = {}) =>
    demo.service.call(demo.tokens[by], 'POST', '/delegations', {
      to,
      ends_at: at(HOUR),
      ...more,
    });
  const delegated = async (by: string, to: string, more: Record<string, unknown> = {}) => {
    const made = must(await delegate(by, to, more)) as unknown as Delegation;
    kit.clock.advance(1);
    return made;
  };
  const end = (by: string, id: string) =>
    demo.service.call(demo.tokens[by], 'DELETE', `/delegations/${id}`);
  const people = async (...names: string[]): Promise<string[]> => {
    const logins: string[] = [];
    for (const name of names) {
      const login = `${name}-${n++}`;
      await makeUser(demo, login, { groups: ['everyone'], email: `${login}@example.test` });
      logins.push(login);
    }
    return logins;
  };
  const asker = async (manager: string): Promise<string> => {
    const login = `asker-${n++}`;
    await makeUser(demo, login, { manager, groups: ['everyone', 'linux-users'] });
    kit.clock.advance(1);
    return login;
  };
  const idOf = async (login: string): Promise<string> => {
    const me = must(await demo.service.call(demo.tokens[login], 'GET', '/whoami'));
    return (me.user as { id: string }).id;
  };
  const vote = async (by: string, request: AccessRequest, forLogin?: string) =>
    decide(demo.service, demo.tokens[by], request, {
      for_user_id: forLogin === undefined ? null : await idOf(forLogin),
    });

  beforeAll(() => askOf(demo, { any: 1, of: ['manager'] }));

  it('a stand-in decides in the place of the manager, and the record shows both', async () => {
    const [boss, helper] = await people('boss', 'helper');
    await delegated(boss!, helper!);
    const request = await raisedBy(demo, await asker(boss!));
    const approved = must(await vote(helper!, request, boss)) as AccessRequest;
    expect(approved.state).toBe('approved');
    expect(approved.decisions.map((d) => [d.by.name, d.for?.name])).toEqual([
      [`Test ${helper}`, `Test ${boss}`],
    ]);
  });

  it('a stand-in who decides for himself is told for whom he could', async () => {
    const [boss, helper] = await people('boss', 'helper');
    await delegated(boss!, helper!);
    const request = await raisedBy(demo, await asker(boss!));
    const said = await vote(helper!, request);
    expect([said.json().code, said.json().next]).toEqual([
      'not_an_approver',
      `You stand in for Test ${boss}: sft-admin approve ${request.id} --for LOGIN`,
    ]);
  });

  it('stand-ins are asked as the approvers are', async () => {
    const [boss, helper] = await people('boss', 'helper');
    await delegated(boss!, helper!);
    const request = await raisedBy(demo, await asker(boss!));
    const told = await kit.db.sql
      .selectFrom('messages as m')
      .innerJoin('users as u', 'u.id', 'm.to_user_id')
      .select('u.login')
      .where('m.request_id', '=', request.id)
      .where('m.kind', '=', 'approval_needed')
      .execute();
    expect(told.map((row) => row.login).sort()).toEqual([boss, helper].sort());
  });

  describe('the requester', () => {
    it('does not decide in the place of his manager, who made him his stand-in', async () => {
      const [boss] = await people('boss');
      const self = await asker(boss!);
      await delegated(boss!, self);
      const request = await raisedBy(demo, self);
      expect(codeOf(await vote(self, request, boss))).toBe('requester_cannot_decide');
    });

    it('gives nobody his own place', async () => {
      const [boss, helper] = await people('boss', 'helper');
      const self = await asker(boss!);
      await delegated(self, helper!);
      const request = await raisedBy(demo, self);
      expect(codeOf(await vote(helper!, request, self))).toBe('not_found');
    });

    it('arranges no stand-in, before or after raising, even as security_admin', async () => {
      for (const when of ['before', 'after']) {
        const [boss, helper] = await people('boss', 'helper');
        const self = `admin-${n++}`;
        const groups = ['everyone', 'linux-users', 'security'];
        await makeUser(demo, self, { manager: boss, groups });
        kit.clock.advance(1);
        if (when === 'before') await delegated(self, helper!, { from: boss });
        const request = await raisedBy(demo, self);
        kit.clock.advance(1);
        if (when === 'after') await delegated(self, helper!, { from: boss });
        const said = await vote(helper!, request, boss);
        expect([when, codeOf(said)]).toEqual([when, 'not_an_approver']);
      }
    });

    it('arranges none through a token that he issued for his manager', async () => {
      const [boss, helper] = await people('boss', 'helper');
      const self = `admin-${n++}`;
      await makeUser(demo, self, { manager: boss, groups: ['everyone', 'linux-users', 'owners'] });
      const wish = { login: boss, name: 'kept', expires_in_seconds: 3_600 };
      const issued = must(await demo.service.call(demo.tokens[self], 'POST', '/tokens', wish));
      const direct = await demo.service.call(issued.token as string, 'POST', '/delegations', {
        to: self,
        ends_at: at(HOUR),
      });
      expect(codeOf(direct)).toBe('invalid_request');
      must(
        await demo.service.call(issued.token as string, 'POST', '/delegations', {
          to: helper,
          ends_at: at(HOUR),
        }),
      );
      kit.clock.advance(1);
      const request = await raisedBy(demo, self);
      expect(codeOf(await vote(helper!, request, boss))).toBe('not_an_approver');
    });
  });

  describe('who is not the requester', () => {
    it('an admin hands himself nobody’s vote', async () => {
      const [boss] = await people('boss');
      const said = await delegate('sam', 'sam', { from: boss });
      expect(said.json().errors).toEqual([
        expect.objectContaining({ pointer: '/to', code: 'arranged_by_stand_in' }),
      ]);
    });

    it('nobody but a security_admin names a stand-in for others', async () => {
      const [boss, helper] = await people('boss', 'helper');
      for (const by of [helper!, 'pat', 'uma', 'dana'])
        expect([by, codeOf(await delegate(by, helper!, { from: boss }))]).toEqual([
          by,
          'not_permitted',
        ]);
    });

    it('a chain of stand-ins decides nothing', async () => {
      const [boss, first, second] = await people('boss', 'first', 'second');
      await delegated(boss!, first!);
      await delegated(first!, second!);
      const request = await raisedBy(demo, await asker(boss!));
      expect(codeOf(await vote(second!, request, boss))).toBe('not_found');
      expect(codeOf(await vote(second!, request, first))).toBe('not_found');
    });

    it('one person is not two: a delegated vote spends both', async () => {
      const [boss, helper] = await people('boss', 'helper');
      await askOf(demo, {
        all: [
          { any: 1, of: ['manager'] },
          { any: 1, of: [`user:${helper}`] },
        ],
      });
      await delegated(boss!, helper!);
      const request = await raisedBy(demo, await asker(boss!));
      const once = must(await vote(helper!, request, boss)) as AccessRequest;
      expect(once.state).toBe('pending');
      expect(codeOf(await vote(helper!, once))).toBe('already_decided');
      expect(codeOf(await vote(boss!, once))).toBe('already_decided');
      await askOf(demo, { any: 1, of: ['manager'] });
    });
  });

  describe('its time', () => {
    it('before it starts and from its end on it decides nothing', async () => {
      const [boss, helper] = await people('boss', 'helper');
      await delegated(boss!, helper!, { starts_at: at(HOUR), ends_at: at(2 * HOUR) });
      const request = await raisedBy(demo, await asker(boss!));
      expect(codeOf(await vote(helper!, request, boss))).toBe('not_found');
      kit.clock.advance(2 * HOUR);
      expect(codeOf(await vote(helper!, request, boss))).toBe('not_found');
    });

    it('ended by either of the two, it decides nothing any more; a stranger ends none', async () => {
      for (const who of ['boss', 'helper']) {
        const [boss, helper, stranger] = await people('boss', 'helper', 'stranger');
        const { id } = await delegated(boss!, helper!);
        expect(codeOf(await end(stranger!, id))).toBe('not_found');
        expect((await end(who === 'boss' ? boss! : helper!, id)).statusCode).toBe(204);
        const request = await raisedBy(demo, await asker(boss!));
        expect(codeOf(await vote(helper!, request, boss))).toBe('not_found');
      }
    });

    it('a vote through it does not stand when it has ended before the step is complete', async () => {
      const [boss, helper, other] = await people('boss', 'helper', 'other');
      await askOf(demo, {
        all: [
          { any: 1, of: ['manager'] },
          { any: 1, of: [`user:${other}`] },
        ],
      });
      const { id } = await delegated(boss!, helper!);
      const request = await raisedBy(demo, await asker(boss!));
      must(await vote(helper!, request, boss));
      must(await end(boss!, id));
      const seen = await show(demo.service, demo.tokens[other!], request.id);
      const after = must(await vote(other!, seen)) as AccessRequest;
      expect(after.state).toBe('pending');
      const approved = must(await vote(boss!, after)) as AccessRequest;
      expect(approved.state).toBe('approved');
      await askOf(demo, { any: 1, of: ['manager'] });
    });

    it('either of the two disabled: it decides nothing', async () => {
      for (const who of ['boss', 'helper']) {
        const [boss, helper] = await people('boss', 'helper');
        await delegated(boss!, helper!);
        const request = await raisedBy(demo, await asker(boss!));
        const bossId = await idOf(boss!);
        const gone = who === 'boss' ? bossId : await idOf(helper!);
        must(
          await demo.service.call(demo.tokens.pat, 'PATCH', `/users/${gone}`, {
            status: 'DISABLED',
          }),
        );
        const said = await decide(demo.service, demo.tokens[helper!], request, {
          for_user_id: bossId,
        });
        expect([who, codeOf(said)]).toEqual([
          who,
          who === 'boss' ? 'not_found' : 'unauthenticated',
        ]);
      }
    });
  });

  it('bad input makes none: one clear fault', async () => {
    const [boss, helper] = await people('boss', 'helper');
    const bad: [Record<string, unknown>, string][] = [
      [{ to: 'nobody-here' }, '/to'],
      [{ to: boss }, '/to'],
      [{ ends_at: at(-1) }, '/ends_at'],
      [{ ends_at: '2026-02-30T00:00:00Z' }, '/ends_at'],
      [{ ends_at: at(91 * 86_400) }, '/ends_at'],
      [{ starts_at: at(-60) }, '/starts_at'],
      [{ reason: 'a\u001b[2J' }, '/reason'],
      [{ ends_at: 'tomorrow' }, '/ends_at'],
      [{ days: 3 }, '/days'],
    ];
    for (const [more, pointer] of bad) {
      const said = await delegate(boss!, helper!, more);
      expect([more, said.json().code, said.json().errors?.[0]?.pointer]).toEqual([
        more,
        'invalid_request',
        pointer,
      ]);
    }
    const list = must(await demo.service.call(demo.tokens[boss!], 'GET', '/delegations')).list;
    expect(list).toEqual([]);
  });

  it('everybody lists his own, at either end; security_admin and auditor all', async () => {
    const [boss, helper, stranger] = await people('boss', 'helper', 'stranger');
    const { id } = await delegated(boss!, helper!, { reason: 'on leave' });
    const ids = async (login: string) =>
      (
        must(await demo.service.call(demo.tokens[login], 'GET', '/delegations?limit=500'))
          .list as Delegation[]
      ).map((d) => d.id);
    for (const login of [boss!, helper!, 'sam', 'uma']) expect(await ids(login)).toContain(id);
    expect(await ids(stranger!)).toEqual([]);
    expect(await ids('pat')).not.toContain(id);
  });
});
