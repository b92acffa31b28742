import type { AccessRequest, ApprovalCard } from '@postern/shared';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeCard } from '../../src/requests/index.ts';
import {
  approvedFor,
  askOf,
  codeOf,
  decide,
  makeUser,
  methodFor,
  raisedBy,
  requestBody,
  withDemo,
} from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { openAs } from '../kit/sessions.ts';

const BACKGROUND = ['Sessions there now', 'Asked before'];

onBoth('the card of a request', (kit) => {
  const demo = withDemo(kit);
  let first: AccessRequest;

  const read = (login: string, id: string) =>
    demo.service.call(demo.tokens[login], 'GET', `/access_requests/${id}/card`);
  const cardOf = async (login: string, id: string) =>
    must(await read(login, id)) as unknown as ApprovalCard;
  const lines = (card: ApprovalCard | undefined, label: string) =>
    card?.rows.find((row) => row.label === label)?.lines;
  const described = (id: string, viewer: string | null) =>
    kit.transact((tx) => describeCard(tx, id, viewer));
  const fresh = async (login: string): Promise<AccessRequest> => {
    await makeUser(demo, login, { manager: 'dana', groups: ['linux-users'] });
    kit.clock.advance(1);
    await demo.gateway.renew();
    return raisedBy(demo, login);
  };

  beforeAll(async () => {
    await makeUser(demo, 'stranger');
    await makeUser(demo, 'standin');
    kit.clock.advance(60);
    await demo.gateway.renew();
    first = await raisedBy(demo, 'ellis');
  });

  const standInFor = (from: string, to: string, minutes: number) =>
    kit.transact((tx) =>
      tx.sql
        .insertInto('delegations')
        .values({
          id: tx.ids.uuid(),
          from_user_id: demo.ids.users[from]!,
          to_user_id: to,
          made_by: JSON.stringify([demo.ids.users[from]]) as never,
          starts_at: (tx.now - 60_000) as never,
          ends_at: (tx.now + minutes * 60_000) as never,
          created_at: (tx.now - 60_000) as never,
        })
        .execute(),
    );
  const idOf = async (login: string): Promise<string> => {
    const me = must(await demo.service.call(demo.tokens[login], 'GET', '/whoami'));
    return (me.user as { id: string }).id;
  };

  it('is answered with the ETag that a decision about it must name', async () => {
    const response = await read('dana', first.id);
    const card = response.json() as ApprovalCard;
    expect(response.headers.etag).toBe(`"${first.etag}"`);
    expect(card).toMatchObject({ request_id: first.id, etag: first.etag });
    expect(card.title).toBe('Ellis Kim asks for pamadmin1 on opa-demo-linux');
    expect(lines(card, 'Why do you need it?')).toEqual(['rotate the logs']);
    expect(lines(card, 'Account')).toEqual(['pamadmin1, a vaulted account with its password']);
    expect(lines(card, 'How long')?.[0]).toContain('at most 30 minutes');
    expect(lines(card, 'Still needed')).toEqual(['Dana Reyes or 2 people in linux-approvers']);
    expect(lines(card, 'Waits until')?.[0]).toMatch(/\(in 24 hours\); then it expires$/);
  });

  it('holds no id but that of the request', async () => {
    const { request_id: _, ...rest } = await cardOf('dana', first.id);
    expect(JSON.stringify(rest)).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
  });

  describe('who may read it', () => {
    it.each(['dana', 'ana', 'bo', 'sam', 'uma', 'ellis'])('%s may', async (login) => {
      expect((await read(login, first.id)).statusCode).toBe(200);
    });

    it('a stranger is told what he is told of a request that is not there', async () => {
      const refused = await read('stranger', first.id);
      const missing = await read('stranger', '00000000-0000-7000-8000-000000000000');
      expect([codeOf(refused), codeOf(missing)]).toEqual(['not_found', 'not_found']);
      expect(refused.json().detail).toBe(missing.json().detail);
    });

    it('nobody without a token', async () => {
      const refused = await demo.service.call(
        undefined,
        'GET',
        `/access_requests/${first.id}/card`,
      );
      expect(refused.statusCode).toBe(401);
    });

    it('a stand-in may, with what is behind the request, while he is one', async () => {
      expect(codeOf(await read('standin', first.id))).toBe('not_found');
      await standInFor('dana', await idOf('standin'), 5);
      const card = await cardOf('standin', first.id);
      expect(card.rows.map((r) => r.label)).toEqual(expect.arrayContaining(BACKGROUND));
      kit.clock.advance(300);
      await demo.gateway.renew();
      expect(codeOf(await read('standin', first.id))).toBe('not_found');
    });
  });

  describe('what is behind the request', () => {
    const shows = (card: ApprovalCard | undefined) =>
      BACKGROUND.filter((label) => lines(card, label) !== undefined);

    const join = async (login: string, group: string, method: 'PUT' | 'DELETE' = 'PUT') =>
      must(
        await demo.service.call(
          demo.tokens.pat,
          method,
          `/groups/${demo.ids.groups[group]}/users/${demo.ids.users[login]}`,
        ),
      );

    it.each([
      ['approver', 'dana'],
      ['approver of the other branch', 'ana'],
      ['security_admin', 'sam'],
      ['auditor', 'uma'],
    ])('is shown: %s', async (_, login) => {
      expect(shows(await cardOf(login, first.id))).toEqual(BACKGROUND);
    });

    it('is not shown: requester', async () => {
      expect(shows(await cardOf('ellis', first.id))).toEqual([]);
    });

    it('is not shown: requester who is an auditor and in the approving group', async () => {
      for (const group of ['audit', 'linux-approvers']) await join('ellis', group);
      expect(shows(await cardOf('ellis', first.id))).toEqual([]);
      for (const group of ['audit', 'linux-approvers']) await join('ellis', group, 'DELETE');
    });

    it('is not shown: an approver through a token that the requester made', async () => {
      await join('ellis', 'owners');
      const made = must(
        await demo.service.call(demo.tokens.ellis, 'POST', '/tokens', {
          login: 'dana',
          name: 'borrowed',
          expires_in_seconds: 3600,
        }),
      );
      demo.tokens.borrowed = made.token as string;
      expect(shows(await cardOf('borrowed', first.id))).toEqual([]);
      expect(shows(await cardOf('dana', first.id))).toEqual(BACKGROUND);
      await join('ellis', 'owners', 'DELETE');
    });

    it('is not shown: service user that the requester owns, an auditor as it may be', async () => {
      await makeUser(demo, 'robot', { type: 'service', owners: ['ellis'], groups: ['audit'] });
      await makeUser(demo, 'watcher', { type: 'service', owners: ['bo'], groups: ['audit'] });
      expect(shows(await cardOf('robot', first.id))).toEqual([]);
      expect(shows(await cardOf('watcher', first.id))).toEqual(BACKGROUND);
    });

    it('is not in a card for a place where anybody may read it', async () => {
      expect(shows(await described(first.id, null))).toEqual([]);
    });

    it('described for a person: as if he had read it himself', async () => {
      const { ellis, dana, sam, uma } = demo.ids.users;
      for (const id of [dana, sam, uma])
        expect(shows(await described(first.id, id!))).toEqual(BACKGROUND);
      expect(shows(await described(first.id, ellis!))).toEqual([]);
      expect(await described(first.id, await idOf('stranger'))).toBeUndefined();
      expect(await described(first.id, '00000000-0000-7000-8000-000000000000')).toBeUndefined();
      expect(await described('00000000-0000-7000-8000-000000000000', null)).toBeUndefined();
    });

    it('described for somebody who is disabled: nothing, whatever he was', async () => {
      const id = await makeUser(demo, 'leaver', { groups: ['linux-approvers', 'audit'] });
      expect(shows(await described(first.id, id))).toEqual(BACKGROUND);
      const gone = { status: 'DISABLED' };
      must(await demo.service.call(demo.tokens.pat, 'PATCH', `/users/${id}`, gone));
      expect(await described(first.id, id)).toBeUndefined();
    });

    it('names open sessions, earlier requests with who decided, and a recent denial', async () => {
      const denied = await fresh('walker');
      const no = { decision: 'deny', comment: 'not today' };
      must(await decide(demo.service, demo.tokens.dana, denied, no));
      await approvedFor(demo, 'walker', 'dana', 'pamadmin2');
      kit.clock.advance(20 * 60);
      await demo.gateway.renew();
      const method = await methodFor(demo, 'walker', 'pamadmin2');
      must((await openAs(demo.service, demo.tokens.walker!, { ...method })).response);
      const again = await raisedBy(demo, 'walker');
      const card = await cardOf('dana', again.id);
      expect(card.rows[0]).toEqual({
        label: 'Denied before',
        lines: [expect.stringMatching(/\(20 minutes ago\), by Dana Reyes: not today$/)],
      });
      expect(lines(card, 'Sessions there now')).toEqual([
        expect.stringMatching(/^Test walker as pamadmin2, since .* \(now\)$/),
      ]);
      expect(lines(card, 'Asked before')).toEqual([
        expect.stringMatching(/^pamadmin2, .*: approved by Dana Reyes$/),
        expect.stringMatching(/^pamadmin1, .*: denied by Dana Reyes: not today$/),
      ]);
      const own = await cardOf('walker', again.id);
      expect(JSON.stringify(own)).not.toMatch(/not today|Sessions there|Asked before/);
    });

    it('at most the newest five, and no denial that is older than a week', async () => {
      const denied = await fresh('asker');
      must(await decide(demo.service, demo.tokens.dana, denied, { decision: 'deny' }));
      for (let i = 0; i < 6; i++) {
        const { id } = await raisedBy(demo, 'asker', 'pamadmin2');
        must(await demo.service.call(demo.tokens.asker, 'POST', `/access_requests/${id}/cancel`));
      }
      const old = await kit.transact((tx) =>
        tx.sql
          .updateTable('access_requests')
          .set({ resolved_at: (tx.now - 8 * 86_400_000) as never })
          .where('id', '=', denied.id)
          .executeTakeFirst(),
      );
      expect(Number(old.numUpdatedRows)).toBe(1);
      const card = await cardOf('dana', (await raisedBy(demo, 'asker')).id);
      expect(lines(card, 'Denied before')).toBeUndefined();
      expect(lines(card, 'Asked before')).toHaveLength(5);
      expect(lines(card, 'Asked before')?.every((l) => l.endsWith('withdrawn'))).toBe(true);
    });
  });

  it('an extension says until when access runs now', async () => {
    must(await decide(demo.service, demo.tokens.dana, await fresh('keeper')));
    kit.clock.advance(60);
    await demo.gateway.renew();
    const body = requestBody(await methodFor(demo, 'keeper'));
    const raised = must(
      await demo.service.call(demo.tokens.keeper, 'POST', '/access_requests', body),
    ) as AccessRequest;
    const card = await cardOf('dana', raised.id);
    expect(card.title).toBe('Test keeper asks to keep pamadmin1 on opa-demo-linux');
    expect(lines(card, 'How long')?.[1]).toMatch(/^an extension: .* \(in 29 minutes\)$/);
  });

  it('what changed since it was shown is refused: 412', async () => {
    await askOf(demo, { any: 2, of: ['group:linux-approvers'] });
    const request = await fresh('changer');
    const shown = await cardOf('bo', request.id);
    must(await decide(demo.service, demo.tokens.ana, request));
    const late = await decide(demo.service, demo.tokens.bo, { ...request, etag: shown.etag });
    expect(codeOf(late)).toBe('precondition_failed');
    const now = await cardOf('bo', request.id);
    expect(lines(now, 'Decided so far')).toEqual([
      expect.stringMatching(/^approved by Ana Silva, step Approval, .* \(now\)$/),
    ]);
    const last = await decide(demo.service, demo.tokens.bo, { ...request, etag: now.etag });
    expect(codeOf(last)).toBe('200');
    expect((await cardOf('bo', request.id)).rows[0]?.lines[0]).toMatch(/^approved until .*nothing/);
  });
});
