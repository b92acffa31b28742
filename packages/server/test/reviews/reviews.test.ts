import { instant, type Review, type ReviewMember } from '@postern/shared';
import { expect, it } from 'vitest';
import { Refusal } from '../../src/platform/errors.ts';
import type { Jobs } from '../../src/platform/jobs.ts';
import { startGroupReviews } from '../../src/reviews/index.ts';
import { apply, makeUser, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';

const DAY = 86_400;
const TERMS = { every: '90d', answer_within: '14d', unanswered: 'remove' };

onBoth('the review of a group', (kit) => {
  const demo = withDemo(kit);
  let n = 0;
  let group: string;
  let groupId: string;
  let owner: string;
  let other: string;
  /** Two members, one of them an owner as well. */
  let member: { login: string; id: string };
  let ownId: string;

  const as = (login: string, ...rest: [string, string, unknown?]) =>
    demo.service.call(demo.tokens[login], rest[0] as 'GET', rest[1], rest[2]);
  /** A service that runs for a moment: only its sweep can help. */
  const run = async (unsafe?: Refusal) => {
    const errors: unknown[] = [];
    const jobs = { work: async () => undefined } as Pick<Jobs, 'work'> as Jobs;
    const reviews = await startGroupReviews({
      jobs,
      transact: kit.transact,
      clock: {
        assertSafe: () => {
          if (unsafe !== undefined) throw unsafe;
        },
      },
      onError: (error) => errors.push(error),
    });
    await reviews.stop();
    expect(errors).toEqual([]);
  };
  const pass = async (days: number) => {
    kit.clock.advance(days * DAY);
    // Nobody logs in while months go by.
    const expires_at = instant(kit.clock.now() + DAY * 1000);
    await kit.db.sql.updateTable('tokens').set({ expires_at }).execute();
    await demo.gateway.renew();
  };
  const idOf = async (login: string): Promise<string> =>
    (must(await as(login, 'GET', '/whoami')).user as { id: string }).id;
  const reviews = async (by: string, state = ''): Promise<Review[]> =>
    must(await as(by, 'GET', `/reviews${state}`)).list as Review[];
  const setUp = async (unanswered = 'remove', more: object = {}) => {
    n += 1;
    group = `Reviewed ${n}`;
    [owner, other] = [`owner${n}`, `other${n}`];
    const login = `member${n}`;
    await makeUser(demo, owner);
    await makeUser(demo, other);
    const review = { ...TERMS, unanswered };
    await apply(demo, 'pat', [
      { kind: 'Group', name: group, owners: [owner, other], review, ...more },
    ]);
    member = { login, id: await makeUser(demo, login, { groups: [group] }) };
    const found = must(await as('pat', 'GET', `/groups?name=${encodeURIComponent(group)}`));
    groupId = (found.list as { id: string }[])[0]!.id;
    ownId = await idOf(owner);
    must(await as('pat', 'PUT', `/groups/${groupId}/users/${ownId}`));
  };
  const opened = async () => {
    await pass(90);
    await run();
    const list = await reviews(owner, '?state=open');
    expect(list).toHaveLength(1);
    return list[0]!;
  };
  const reviewOf = async (id: string) => must(await as(owner, 'GET', `/reviews/${id}`));
  const membersOf = async (id: string) =>
    must(await as(owner, 'GET', `/reviews/${id}/users`)).list as ReviewMember[];
  const outcomes = async (id: string) =>
    Object.fromEntries((await membersOf(id)).map((m) => [m.login, m.outcome]));
  const answer = (by: string, id: string, userId: string, body: object) =>
    as(by, 'PUT', `/reviews/${id}/users/${userId}`, body);
  const inGroup = async (): Promise<string[]> =>
    (
      must(await as('pat', 'GET', `/groups/${groupId}/users`)).list as { user: { id: string } }[]
    ).map((row) => row.user.id);
  const messages = async (kind: string) =>
    await kit.db.sql
      .selectFrom('messages')
      .select(['to_user_id', 'body'])
      .where('kind', '=', kind)
      .$narrowType<{ body: Record<string, unknown> }>()
      .execute();
  const eventsOf = async (id: string) => {
    const rows = await kit.db.sql
      .selectFrom('audit_events')
      .select(['type', 'targets', 'actor', 'details'])
      .orderBy('id')
      .execute();
    return rows.filter((row) =>
      (row.targets as { id: string }[]).some((target) => target.id === id),
    );
  };

  it('opens when it is due and not before, once, with everybody an admin or a request added', async () => {
    await setUp();
    await pass(89.9);
    await run();
    expect(await reviews(owner)).toEqual([]);
    await pass(0.1);
    await Promise.all([run(), run()]);
    const list = await reviews(owner);
    expect(list).toMatchObject([
      { group: { name: group }, state: 'open', unanswered: 'remove', members: 2, open_members: 2 },
    ]);
    expect(Date.parse(list[0]!.due_at) - Date.parse(list[0]!.opened_at)).toBe(14 * DAY * 1000);
    expect(await outcomes(list[0]!.id)).toEqual({ [member.login]: null, [owner]: null });
    expect((await eventsOf(list[0]!.id)).map((e) => e.type)).toEqual(['pam.group_review.open']);
  });

  it('a kept member stays; a removed one is out at once and told; both are on record', async () => {
    await setUp();
    const { id } = await opened();
    const kept = must(await answer(other, id, ownId, { answer: 'keep', comment: 'still on call' }));
    expect(kept).toMatchObject({ outcome: 'kept', comment: 'still on call', login: owner });
    const removed = must(await answer(owner, id, member.id, { answer: 'remove' }));
    expect(removed).toMatchObject({ outcome: 'removed', memberships: [] });
    expect(await inGroup()).toEqual([ownId]);
    // Everybody is answered for: it is over.
    expect(await reviewOf(id)).toMatchObject({ state: 'done', open_members: 0 });
    const events = await eventsOf(id);
    expect(events.map((e) => e.type)).toEqual([
      'pam.group_review.open',
      'pam.group_review.answer',
      'pam.group_review.answer',
      'pam.group_review.close',
    ]);
    expect(events.at(-1)?.details).toEqual({ kept: 1, removed: 1 });
    const left = await eventsOf(groupId);
    expect(left.filter((e) => e.type === 'group.user_membership.remove')).toHaveLength(1);
    await pass(14);
    await run();
    expect(await inGroup()).toEqual([ownId]);
  });

  it('at its end whoever is not answered for is removed, on a clock that is trusted', async () => {
    await setUp('remove');
    const { id } = await opened();
    must(await answer(other, id, ownId, { answer: 'keep' }));
    await pass(13.9);
    await run();
    expect(await inGroup()).toHaveLength(2);
    await pass(0.1);
    await run(new Refusal('clock_unsafe', 'The clock stepped.'));
    expect(await inGroup()).toHaveLength(2);
    expect((await answer(owner, id, member.id, { answer: 'keep' })).statusCode).toBe(409);
    await Promise.all([run(), run()]);
    expect(await outcomes(id)).toEqual({ [member.login]: 'removed', [owner]: 'kept' });
    expect(await inGroup()).toEqual([ownId]);
    expect(await reviewOf(id)).toMatchObject({ state: 'done' });
    const settled = (await eventsOf(id)).filter((e) => e.type === 'pam.group_review.answer');
    expect(settled.map((e) => e.details)).toEqual([
      { answer: 'keep', outcome: 'kept' },
      { answer: null, outcome: 'removed' },
    ]);
  });

  it('or kept, where the group says so; and the next one comes after the same time', async () => {
    await setUp('keep');
    const { id } = await opened();
    await pass(14);
    await run();
    expect(await outcomes(id)).toEqual({ [member.login]: 'kept', [owner]: 'kept' });
    expect(await inGroup()).toHaveLength(2);
    await pass(75.9);
    await run();
    expect(await reviews(owner, '?state=open')).toEqual([]);
    await pass(0.1);
    await run();
    expect(await reviews(owner, '?state=open')).toHaveLength(1);
  });

  it('what a member was given after it opened is not touched by its end', async () => {
    await setUp('remove');
    const { id } = await opened();
    must(await as('pat', 'DELETE', `/groups/${groupId}/users/${member.id}`));
    await pass(1);
    must(await as('pat', 'PUT', `/groups/${groupId}/users/${member.id}`));
    await pass(13);
    await run();
    expect(await outcomes(id)).toEqual({ [member.login]: 'left', [owner]: 'removed' });
    expect(await inGroup()).toEqual([member.id]);
  });

  it('owners are told, once each; without one, the admins; who is removed, too', async () => {
    await setUp('keep');
    const email = `${owner}@example.test`;
    await apply(demo, 'pat', [{ kind: 'User', login: owner, name: 'Owner', email }]);
    const { id } = await opened();
    const told = (await messages('review_opened')).filter(({ body }) => body.review_id === id);
    // The other owner has no address.
    expect(told.map((row) => row.to_user_id)).toEqual([ownId]);
    expect(told[0]?.body).toMatchObject({ group, members: 2, unanswered: 'keep' });
    must(await answer(other, id, ownId, { answer: 'remove' }));
    const removed = (await messages('membership_removed')).filter((m) => m.to_user_id === ownId);
    expect(removed.map(({ body }) => body)).toEqual([{ group }]);
    await apply(demo, 'pat', [{ kind: 'Group', name: group, owners: [] }]);
    await pass(90);
    await run();
    const [next] = (await reviews('pat', '?state=open')).filter((r) => r.group.name === group);
    const last = (await messages('review_opened')).filter((m) => m.body.review_id === next?.id);
    expect(last.map((row) => row.to_user_id)).toContain(await idOf('pat'));
  });

  it('deny: an owner for himself, with his own token or through one that he issued', async () => {
    await setUp();
    const { id } = await opened();
    for (const answered of ['keep', 'remove']) {
      const said = await answer(owner, id, ownId, { answer: answered });
      expect([said.statusCode, said.json().code]).toEqual([403, 'not_permitted']);
    }
    await kit.db.sql
      .updateTable('tokens')
      .set({ issued_by: ownId })
      .where('user_id', '=', await idOf(other))
      .execute();
    expect((await answer(other, id, ownId, { answer: 'keep' })).statusCode).toBe(403);
    expect(await outcomes(id)).toEqual({ [member.login]: null, [owner]: null });
  });

  it('deny: a service user for one of those whom it stands for', async () => {
    await setUp();
    const bot = `bot${n}`;
    await makeUser(demo, bot, { type: 'service', owners: [member.login], groups: ['everyone'] });
    await apply(demo, 'pat', [{ kind: 'Group', name: group, owners: [owner, bot] }]);
    const { id } = await opened();
    expect((await answer(bot, id, member.id, { answer: 'keep' })).statusCode).toBe(403);
    must(await answer(bot, id, ownId, { answer: 'keep' }));
  });

  it('deny: a member, a stranger, and who is an owner no more', async () => {
    await setUp();
    const { id } = await opened();
    await makeUser(demo, `stranger${n}`);
    for (const by of [member.login, `stranger${n}`, 'dana'])
      expect((await answer(by, id, ownId, { answer: 'keep' })).statusCode).toBe(404);
    await apply(demo, 'pat', [{ kind: 'Group', name: group, owners: [owner] }]);
    expect((await answer(other, id, ownId, { answer: 'keep' })).statusCode).toBe(404);
    expect((await answer('sam', id, ownId, { answer: 'keep' })).statusCode).toBe(404);
  });

  it('deny: a removed member back by a second answer; unknown members; bad text', async () => {
    await setUp();
    const { id } = await opened();
    must(await answer(owner, id, member.id, { answer: 'keep' }));
    must(await answer(owner, id, member.id, { answer: 'remove' }));
    const again = await answer(owner, id, member.id, { answer: 'keep' });
    expect([again.statusCode, again.json().code]).toEqual([409, 'already_decided']);
    expect((await answer(owner, id, kit.ids.uuid(), { answer: 'keep' })).statusCode).toBe(404);
    const bad = { answer: 'keep', comment: 'a\u202eb' };
    expect((await answer(other, id, ownId, bad)).statusCode).toBe(400);
    expect((await answer(other, id, ownId, { answer: 'perhaps' })).statusCode).toBe(400);
  });

  it('two owners at once: one answer after the other, one end', async () => {
    await setUp();
    const { id } = await opened();
    const said = await Promise.all([
      answer(owner, id, member.id, { answer: 'remove' }),
      answer(other, id, member.id, { answer: 'remove' }),
      answer(other, id, ownId, { answer: 'remove' }),
    ]);
    expect(said.map((s) => s.statusCode).sort()).toEqual([200, 200, 409]);
    expect(await inGroup()).toEqual([]);
    const types = (await eventsOf(id)).map((e) => e.type);
    expect(types.filter((type) => type === 'pam.group_review.close')).toHaveLength(1);
  });

  it('is canceled with its terms, and with its group', async () => {
    await setUp();
    const { id } = await opened();
    must(await as('pat', 'DELETE', `/groups/${groupId}/review`));
    expect((await reviewOf(id)).state).toBe('canceled');
    expect((await answer(other, id, ownId, { answer: 'keep' })).statusCode).toBe(409);
    await pass(104);
    await run();
    expect(await inGroup()).toHaveLength(2);
    await setUp();
    const second = await opened();
    await kit.db.sql
      .updateTable('groups')
      .set({ deleted_at: instant(kit.clock.now()) })
      .where('id', '=', groupId)
      .execute();
    await run();
    expect((await eventsOf(second.id)).map((e) => e.type)).toEqual([
      'pam.group_review.open',
      'pam.group_review.cancel',
    ]);
  });

  it('of a group with nobody to ask about is over at once, and nobody is told', async () => {
    await setUp();
    await kit.db.sql
      .updateTable('memberships')
      .set({ source: 'scim' })
      .where('group_id', '=', groupId)
      .execute();
    await pass(90);
    await run();
    const [review] = await reviews(owner);
    expect(review).toMatchObject({ state: 'done', members: 0 });
    expect(
      (await messages('review_opened')).filter((m) => m.body.review_id === review?.id),
    ).toEqual([]);
  });

  it('terms that are wrong say where, by file and by call; other terms count from the same day', async () => {
    await setUp();
    const bad = { every: '1h', answer_within: '14d', unanswered: 'remove' };
    const put = await as('pat', 'PUT', `/groups/${groupId}/review`, bad);
    expect(put.json().errors.map((e: { pointer: string }) => e.pointer)).toEqual([
      '/every',
      '/answer_within',
    ]);
    const applied = await as('pat', 'POST', '/apply', {
      documents: [{ kind: 'Group', name: group, review: bad }],
    });
    expect(applied.json().errors[0].pointer).toBe('/documents/0/review/every');
    await pass(50);
    must(await as('pat', 'PUT', `/groups/${groupId}/review`, { ...TERMS, every: '60d' }));
    await pass(10);
    await run();
    expect(await reviews(owner)).toHaveLength(1);
  });

  // Last: it leaves one admin.
  it('the last admin stays, and the review says why', async () => {
    await apply(demo, 'pat', [
      { kind: 'Group', name: 'owners', review: { ...TERMS, every: '30d' } },
    ]);
    await pass(30);
    await run();
    await pass(14);
    await run();
    const { id } = await kit.db.sql
      .selectFrom('reviews as r')
      .innerJoin('groups as g', 'g.id', 'r.group_id')
      .select('r.id')
      .where('g.name', '=', 'owners')
      .executeTakeFirstOrThrow();
    const rows = await kit.db.sql
      .selectFrom('review_members')
      .select(['outcome', 'reason'])
      .where('review_id', '=', id)
      .orderBy('outcome')
      .execute();
    expect(rows.length).toBeGreaterThan(1);
    const [kept, ...gone] = rows;
    expect(kept?.outcome).toBe('kept');
    expect(kept?.reason).toContain('no active person with the role pam_admin');
    for (const row of gone) expect(row).toEqual({ outcome: 'removed', reason: null });
  });
});
