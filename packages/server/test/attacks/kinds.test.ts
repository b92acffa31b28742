import type { AccessRequest } from '@postern/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  apply,
  askOf,
  codeOf,
  decide,
  makeUser,
  methodFor,
  raise,
  raisedBy,
  withDemo,
} from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';

interface Kind {
  readonly name: string;
  /** What the step says, for this requester. */
  set(login: string): string;
  /** Makes the people the approvers of that kind, and nobody else. */
  appoint(login: string, people: readonly string[]): Promise<unknown>;
  /** What a set without anybody is told, when: raised, or published already. */
  readonly empty: 'no_eligible_approver' | 'request_type_unsatisfiable';
}

onBoth('attacks 1 and 2, whatever kind of approvers the step names', (kit) => {
  const demo = withDemo(kit);
  let n = 0;
  let login: string;
  let other: string;
  const ids = new Map<string, string>();

  const groupOf = (who: string): string => `deciders-${who}`;
  const KINDS: readonly Kind[] = [
    {
      name: 'manager',
      set: () => 'manager',
      appoint: async (who, people) =>
        must(
          await demo.service.call(demo.tokens.pat, 'PATCH', `/users/${ids.get(who)}`, {
            manager_id: people[0] === undefined ? null : ids.get(people[0]),
          }),
        ),
      empty: 'no_eligible_approver',
    },
    {
      name: 'owner of the server',
      set: () => 'resource_owner',
      appoint: (_, people) =>
        apply(demo, 'sam', [
          { kind: 'ResourceGroup', name: 'demo', owners: people, projects: ['demo'] },
        ]),
      empty: 'no_eligible_approver',
    },
    {
      name: 'group',
      set: (who) => `group:${groupOf(who)}`,
      appoint: (who, people) =>
        apply(demo, 'pat', [
          { kind: 'Group', name: groupOf(who) },
          ...[login, other].map((l) => ({
            ...person(l),
            groups: [...person(l).groups, ...(people.includes(l) ? [groupOf(who)] : [])],
          })),
        ]),
      empty: 'request_type_unsatisfiable',
    },
  ];
  const person = (who: string) => ({
    kind: 'User',
    login: who,
    name: `Test ${who}`,
    groups: ['everyone', 'linux-users'],
  });

  beforeEach(async () => {
    [login, other] = [`asker-${n}`, `other-${n}`];
    n += 1;
    for (const who of [login, other])
      ids.set(who, await makeUser(demo, who, { groups: ['everyone', 'linux-users'] }));
  });

  describe.each(KINDS.map((kind) => [kind.name, kind] as const))('%s', (_, kind) => {
    const ask = async (any: number): Promise<void> => {
      kit.clock.advance(1);
      await askOf(demo, { any, of: [kind.set(login)] });
      kit.clock.advance(1);
    };

    it('deny: the requester among them, and somebody else decides', async () => {
      await kind.appoint(login, kind.name === 'manager' ? [other] : [login, other]);
      await ask(1);
      const request = await raisedBy(demo, login);
      expect(codeOf(await decide(demo.service, demo.tokens[login], request))).toBe(
        'requester_cannot_decide',
      );
      const approved = must(
        await decide(demo.service, demo.tokens[other], request),
      ) as AccessRequest;
      expect([approved.state, approved.decisions.map((d) => d.by.name)]).toEqual([
        'approved',
        [`Test ${other}`],
      ]);
    });

    it('deny: the requester as the stand-in of the one who decides', async () => {
      await kind.appoint(login, [other]);
      await ask(1);
      const ends_at = new Date(kit.clock.now() + 3_600_000).toISOString();
      const body = { to: login, ends_at };
      must(await demo.service.call(demo.tokens[other], 'POST', '/delegations', body));
      kit.clock.advance(1);
      const request = await raisedBy(demo, login);
      const me = must(await demo.service.call(demo.tokens[other], 'GET', '/whoami')) as {
        user: { id: string };
      };
      const said = await decide(demo.service, demo.tokens[login], request, {
        for_user_id: me.user.id,
      });
      expect(codeOf(said)).toBe('requester_cannot_decide');
    });

    it('deny: the requester as the only one: raising is refused, and stays so', async () => {
      await kind.appoint(login, kind.name === 'manager' ? [] : [login]);
      await ask(1);
      const method = await methodFor(demo, login);
      for (const _ of [1, 2])
        expect(codeOf(await raise(demo.service, demo.tokens[login], method))).toBe(
          'no_eligible_approver',
        );
    });

    it('deny: nobody: refused when it is published, or when it is raised', async () => {
      await kind.appoint(login, [other]);
      await ask(1);
      const method = await methodFor(demo, login);
      await kind.appoint(login, []);
      expect(codeOf(await raise(demo.service, demo.tokens[login], method))).toBe(
        'no_eligible_approver',
      );
      if (kind.empty === 'request_type_unsatisfiable')
        await expect(
          askOf(demo, { any: 1, of: [kind.set(login)] }, { timeout: '23h' }),
        ).rejects.toThrow('request_type_unsatisfiable');
    });

    it('deny: it becomes empty while the request waits: it stays pending', async () => {
      await kind.appoint(login, [other]);
      await ask(1);
      const request = await raisedBy(demo, login);
      await kind.appoint(login, []);
      for (const who of [other, login, 'sam', 'pat'])
        expect((await decide(demo.service, demo.tokens[who], request)).statusCode).not.toBe(200);
      const now = must(
        await demo.service.call(demo.tokens.uma, 'GET', `/access_requests/${request.id}`),
      ) as AccessRequest;
      expect([now.state, now.approval]).toEqual(['pending', null]);
    });
  });

  it('a user who is named: not himself, and nobody in his place whom he appointed', async () => {
    await askOf(demo, { any: 1, of: [`user:${login}`, `user:${other}`] });
    kit.clock.advance(1);
    const request = await raisedBy(demo, login);
    expect(codeOf(await decide(demo.service, demo.tokens[login], request))).toBe(
      'requester_cannot_decide',
    );
    must(await decide(demo.service, demo.tokens[other], request));
    await askOf(demo, { any: 1, of: [`user:${login}`] });
    kit.clock.advance(1);
    const method = await methodFor(demo, login, 'pamadmin2');
    expect(codeOf(await raise(demo.service, demo.tokens[login], method))).toBe(
      'no_eligible_approver',
    );
  });
});
