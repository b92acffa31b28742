export { registerLinkRoutes } from './routes.ts';
export { createLinkFor } from './service-link.ts';
