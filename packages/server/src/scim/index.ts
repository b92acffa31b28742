export { registerScimConnectionRoutes } from './routes.ts';
export { registerScimRoutes } from './routes-scim.ts';
