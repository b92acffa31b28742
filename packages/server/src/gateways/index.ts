export { type GatewayWorld, registerGatewayAdminRoutes, registerGatewayRoutes } from './routes.ts';
export { enrolChild } from './service.ts';
