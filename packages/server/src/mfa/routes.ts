import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import { answerOwn } from './service-answer.ts';
import { type ChallengeWorld, challengeState, createChallenge } from './service-challenge.ts';

export interface MfaRouteWorld extends RouteWorld<Caller> {
  readonly mfa: ChallengeWorld;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
}

/** Challenges, for whoever is logged in. */
export function registerMfaRoutes(app: FastifyInstance, world: MfaRouteWorld): void {
  const { mfa, clock } = world;
  route(app, world, 'createMfaApproval', async ({ tx, caller, body, client_address }) => {
    clock.assertSafe();
    return { status: 201, body: await createChallenge(tx, mfa, caller, body, client_address) };
  });
  route(app, world, 'getMfaApprovalState', async ({ tx, caller, params }) => ({
    status: 200,
    body: await challengeState(tx, caller, params.id),
  }));
  route(app, world, 'answerMfaApproval', async ({ tx, caller, params, body, client_address }) => {
    // A proof counts from now: with a wrong clock it would count at another time.
    clock.assertSafe();
    const { factors } = mfa;
    const answer = await answerOwn(tx, factors, caller, params.id, body.code, client_address);
    return { status: 200, body: answer };
  });
}
