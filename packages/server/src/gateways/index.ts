export { type GatewayWorld, registerGatewayAdminRoutes, registerGatewayRoutes } from './routes.ts';
export { childEnded, enrolChild } from './service.ts';
