import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import { answerReview } from './service-answer.ts';
import { listReviewedGroups, removeReviewTerms, setReviewTerms } from './service-terms.ts';
import { getReview, listReviewMembers, listReviews } from './service-view.ts';

export interface ReviewRouteWorld extends RouteWorld<Caller> {
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
}

/** Periodic reviews of who is in a group. */
export function registerReviewRoutes(app: FastifyInstance, world: ReviewRouteWorld): void {
  route(app, world, 'listReviewedGroups', async ({ tx, caller, relations, query }) => {
    const { list, ...next } = await listReviewedGroups(tx, caller, relations, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'setReviewTerms', async ({ tx, caller, params, body }) => ({
    status: 200,
    body: await setReviewTerms(tx, caller, params.id, body),
  }));
  route(app, world, 'removeReviewTerms', async ({ tx, caller, params }) => {
    await removeReviewTerms(tx, caller, params.id);
    return { status: 204, body: null };
  });
  route(app, world, 'listReviews', async ({ tx, caller, relations, query }) => {
    const { list, ...next } = await listReviews(tx, caller, relations, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'getReview', async ({ tx, caller, relations, params }) => ({
    status: 200,
    body: await getReview(tx, caller, relations, params.id),
  }));
  route(app, world, 'listReviewMembers', async ({ tx, caller, relations, params, query }) => {
    const { list, ...next } = await listReviewMembers(tx, caller, relations, params.id, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'answerReview', async ({ tx, caller, relations, params, body }) => {
    // With a wrong clock the end of the review is a guess.
    world.clock.assertSafe();
    const answered = await answerReview(tx, caller, relations, params, body);
    return { status: 200, body: answered };
  });
}
