export { startMfaSweep } from './jobs.ts';
export type { MfaFacts } from './model.ts';
export { registerMfaRoutes } from './routes.ts';
export { registerMfaPages } from './routes-page.ts';
export type { ChallengeWorld } from './service-challenge.ts';
export type { Factors } from './service-factors.ts';
export { ownFactors } from './service-own-factors.ts';
export {
  mfaFactsByLogin,
  mfaFactsOf,
  mfaInstantsOf,
  recordProof,
  refuseUnproven,
  refuseUnprovenLogin,
  useProofFor,
} from './service-proofs.ts';
