import { instant, type OperationId } from '@postern/shared';
import { turnReview } from '../../src/reviews/service-turn.ts';
import { apply, type Demo, makeUser } from '../kit/flow.ts';
import type { Kit } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import type { Spec } from './spec.ts';

type ReviewOperation = Extract<OperationId, `${string}Review${string}`>;

/** Calls of the operations on reviews; `fresh` makes names. */
export function reviewSpecs(
  kit: Kit,
  demo: Demo,
  fresh: (what: string) => string,
): Record<ReviewOperation, Spec> {
  const TERMS = { every: '30d', answer_within: '7d', unanswered: 'keep' };
  const ownedGroup = async (more: object = {}) => {
    const name = fresh('reviewed');
    const owner_of = fresh('owner');
    await makeUser(demo, owner_of);
    await apply(demo, 'pat', [{ kind: 'Group', name, owners: [owner_of], ...more }]);
    const member = await makeUser(demo, fresh('member'), { groups: [name] });
    const found = must(await demo.service.call(demo.tokens.pat, 'GET', `/groups?name=${name}`));
    return { owner_of, member, id: (found.list as { id: string }[])[0]!.id };
  };
  const review = async () => {
    const { id: group_id, owner_of, member } = await ownedGroup({ review: TERMS });
    const counted_since = instant(kit.clock.now() - 31 * 86_400_000);
    await kit.db.sql
      .updateTable('review_terms')
      .set({ counted_since })
      .where('group_id', '=', group_id)
      .execute();
    await kit.transact((tx) => turnReview(tx, group_id));
    const { id } = await kit.db.sql
      .selectFrom('reviews')
      .select('id')
      .where('group_id', '=', group_id)
      .executeTakeFirstOrThrow();
    return { owner_of, member, params: { id } };
  };

  return {
    listReviewedGroups: { make: async () => ({}), own: true },
    setReviewTerms: {
      make: async () => ({ params: { id: (await ownedGroup()).id }, body: TERMS }),
    },
    removeReviewTerms: {
      make: async () => ({ params: { id: (await ownedGroup({ review: TERMS })).id } }),
    },
    listReviews: { make: async () => ({}), own: true },
    getReview: {
      make: async () => {
        const { params, owner_of } = await review();
        return { params, owner_of };
      },
    },
    listReviewMembers: {
      make: async () => {
        const { params, owner_of } = await review();
        return { params, owner_of };
      },
    },
    answerReview: {
      make: async () => {
        const { params, owner_of, member } = await review();
        return { params: { ...params, user_id: member }, owner_of, body: { answer: 'keep' } };
      },
    },
  };
}
