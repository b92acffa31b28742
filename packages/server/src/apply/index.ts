export { type ApplyWorld, registerApplyRoutes } from './routes.ts';
export type { ApplyPorts } from './service.ts';
