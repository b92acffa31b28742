export { type GatewayWorld, registerGatewayAdminRoutes, registerGatewayRoutes } from './routes.ts';
export { disableGateway, enrolChild } from './service.ts';
