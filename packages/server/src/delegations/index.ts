export { registerDelegationRoutes } from './routes.ts';
