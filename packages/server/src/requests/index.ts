export { startTimers } from './jobs.ts';
export { registerRequestRoutes } from './routes.ts';
export { endRequestsOf } from './service-end.ts';
export { applyRequestType } from './service-types.ts';
