export { type Caller, makersOf, relationsFor } from './caller.ts';
export { eventBy, refTo } from './event-by.ts';
export { registerIdentityRoutes } from './routes.ts';
export { authenticate, permit, recognize } from './service.ts';
export { addToken, type MadeToken, revokeTokensOf } from './service-tokens.ts';
export * from './token.ts';
