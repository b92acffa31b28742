export { registerAuditRoutes } from './routes.ts';
export { eventsOf } from './service.ts';
