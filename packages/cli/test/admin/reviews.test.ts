import { EXIT, type Review, type ReviewMember } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { script } from '../fake/script.ts';
import { at, id } from '../fake/things.ts';

const { service, admin } = script();

const REVIEW: Review = {
  ...{ id: id(1), group: { id: id(12), name: 'engineers' }, state: 'open', unanswered: 'remove' },
  ...{ opened_at: at(0), due_at: at(60), closed_at: null, members: 2, open_members: 1 },
};
const BEN: ReviewMember = {
  ...{ user: { id: id(20), name: 'Ben' }, login: 'ben', outcome: null, answered_by: null },
  memberships: [
    { source: 'direct', request_id: null, expires_at: null },
    { source: 'request', request_id: id(50), expires_at: at(90) },
  ],
  ...{ answered_at: null, comment: null, reason: null },
};
const CY: ReviewMember = {
  ...BEN,
  ...{ user: { id: id(21), name: 'Cy' }, login: 'cy', outcome: 'kept', answered_at: at(5) },
  ...{ answered_by: { id: id(10), name: 'Ana' }, comment: 'on call' },
};

const known = () =>
  service()
    .on('listReviews', () => ({ body: { list: [REVIEW] } }))
    .on('getReview', () => ({ body: REVIEW }))
    .on('listReviewMembers', () => ({ body: { list: [BEN, CY] } }))
    .on('listGroups', () => ({
      body: {
        list: [
          {
            ...{ id: id(12), name: 'engineers', source: 'local', roles: [], owners: [] },
            ...{ privileged_by: [], privileged_sources: [] },
          },
        ],
      },
    }));

describe('sft-admin reviews', () => {
  test('list: open ones, or all', async () => {
    known();
    expect((await admin('reviews list')).out).toMatch(
      /engineers +open +1 of 2 +2026-\S+ \S+ +remove/,
    );
    expect(service().last('listReviews').query).toMatchObject({ state: 'open' });
    await admin('reviews list --all');
    expect(service().last('listReviews').query).not.toHaveProperty('state');
  });

  test('show: by what each is in the group, and what was answered', async () => {
    known();
    const { out } = await admin(`reviews show ${id(1)}`);
    expect(out).toContain('who is left out then is removed\n');
    expect(out).toMatch(/Ben \(ben\): in by direct, request \S+ until 2026-.*; not answered\n/);
    expect(out).toContain('Cy (cy): kept (Ana): on call\n');
  });

  test('keep and remove, by login, with why', async () => {
    known().on('answerReview', ({ body, params }) => ({
      body: {
        ...(params.user_id === id(20) ? BEN : CY),
        outcome: body.answer === 'keep' ? 'kept' : 'removed',
        answered_at: at(6),
      },
    }));
    const kept = await admin(['reviews', 'keep', id(1), 'ben', 'cy', '--comment', 'still needed']);
    expect(kept.out).toBe('Ben: kept.\nCy: kept.\n');
    expect(service().last('answerReview').body).toEqual({
      answer: 'keep',
      comment: 'still needed',
    });
    expect((await admin(`reviews remove ${id(1)} ben`)).out).toBe('Ben: removed.\n');
    expect(service().last('answerReview')).toMatchObject({
      params: { id: id(1), user_id: id(20) },
      body: { answer: 'remove' },
    });
  });

  test('somebody whom it is not about among them: 77, and nobody is answered for', async () => {
    known();
    expect((await admin(`reviews keep ${id(1)} ben nobody`)).exit).toBe(EXIT.refused);
    expect(service().asked).toEqual(['listReviewMembers']);
    expect((await admin(`reviews keep ${id(1)}`)).exit).toBe(EXIT.usage);
  });

  test('set, groups and stop', async () => {
    const terms = { every: '90d', answer_within: '14d', unanswered: 'remove' as const };
    const reviewed = { group: REVIEW.group, ...terms, next_at: at(60) };
    known()
      .on('setReviewTerms', () => ({ body: reviewed }))
      .on('listReviewedGroups', () => ({ body: { list: [reviewed] } }))
      .on('removeReviewTerms', () => ({ status: 204 }));
    const words = 'reviews set engineers --every 90d --answer-within 14d';
    const { out } = await admin(`${words} --unanswered remove`);
    expect(out).toMatch(/^engineers is reviewed every 90d, next 2026-/);
    expect(service().last('setReviewTerms').body).toEqual(terms);
    expect((await admin(words)).exit).toBe(EXIT.usage);
    expect((await admin(`${words} --unanswered perhaps`)).exit).toBe(EXIT.usage);
    expect((await admin('reviews groups')).out).toMatch(/engineers +90d +14d +remove +2026-/);
    expect((await admin('reviews stop engineers')).out).toBe('engineers is reviewed no more.\n');
  });
});
