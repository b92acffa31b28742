export type { OidcSettings } from './model.ts';
export { registerUpstreamRoutes, type UpstreamWorld } from './routes.ts';
