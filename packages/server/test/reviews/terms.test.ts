import { instant, type ReviewTerms, seconds } from '@postern/shared';
import { describe, expect, it } from 'vitest';
import { mayAnswer } from '../../src/reviews/may-answer.ts';
import { nextReview, readTerms } from '../../src/reviews/terms.ts';

const TERMS: ReviewTerms = { every: '90d', answer_within: '14d', unanswered: 'remove' };
const faultsOf = (more: Partial<ReviewTerms>) =>
  readTerms({ ...TERMS, ...more }).faults.map(({ pointer }) => pointer);

describe('the terms of reviews', () => {
  it('are read in seconds', () => {
    expect(readTerms(TERMS).terms).toEqual({
      every: 90 * 86_400,
      answer_within: 14 * 86_400,
      unanswered: 'remove',
    });
  });

  it.each([
    [{ every: '23h' }, ['/every', '/answer_within']],
    [{ every: '731d' }, ['/every']],
    [{ answer_within: '59m' }, ['/answer_within']],
    [{ answer_within: '90d' }, ['/answer_within']],
    [{ answer_within: 'soon' }, ['/answer_within']],
    [{ every: '1d', answer_within: '1h' }, []],
    [{ every: '730d', answer_within: '729d' }, []],
  ])('%j: %j', (more, faults) => {
    expect(faultsOf(more)).toEqual(faults);
  });

  it('the next one is counted from the last', () => {
    expect(nextReview({ every: seconds(86_400) }, instant(1_000))).toBe(86_401_000);
  });
});

describe('who may answer in a review', () => {
  const open = {
    member_id: 'ben',
    persons: ['ana'],
    review_state: 'open',
    is_over: false,
    outcome: null,
  } as const;
  it.each([
    ['an owner for somebody else', {}, { ok: true }],
    ['again, for whom he kept', { outcome: 'kept' }, { ok: true }],
    ['deny: himself', { persons: ['ben'] }, { ok: false, reason: 'himself' }],
    [
      'deny: with a token that the member issued',
      { persons: ['ana', 'ben'] },
      { ok: false, reason: 'himself' },
    ],
    [
      'deny: himself, in a review that is over',
      { persons: ['ben'], review_state: 'done' },
      { ok: false, reason: 'himself' },
    ],
    [
      'deny: after the end, before anything closed it',
      { is_over: true },
      { ok: false, reason: 'closed' },
    ],
    ['deny: when it is done', { review_state: 'done' }, { ok: false, reason: 'closed' }],
    ['deny: when it is canceled', { review_state: 'canceled' }, { ok: false, reason: 'closed' }],
    ['deny: for whom was removed', { outcome: 'removed' }, { ok: false, reason: 'gone' }],
    ['deny: for whom had left', { outcome: 'left' }, { ok: false, reason: 'gone' }],
  ] as const)('%s', (_, more, answer) => {
    expect(mayAnswer({ ...open, ...more })).toEqual(answer);
  });
});
