export { startReviews } from './jobs.ts';
export { CUT_MESSAGES, type CutReason, LEASE_TIME } from './model.ts';
export { registerSessionRoutes } from './routes.ts';
export { admitSession, type GatewayCaller, recordRefusedAdmission } from './service-admit.ts';
export { cutSessions } from './service-cut.ts';
export { answerLease, cutMessage, secondsLeft, takeReport } from './service-lease.ts';
export { sessionsOf, sessionsOn } from './service-view.ts';
export type { SessionWorld } from './service-world.ts';
export { findSession, type SessionRow, targetOf } from './store.ts';
