export { presentedHash } from './access-token.ts';
export {
  type Actor,
  type Author,
  authorOf,
  type Caller,
  type ChatCaller,
  makersOf,
  relationsFor,
  type TokenKind,
} from './caller.ts';
export { eventBy, eventFrom, refTo } from './event-by.ts';
export { createProofMemory, memoryKey, type Presented, type ProofMemory } from './presented.ts';
export { unauthenticated } from './refusal.ts';
export { registerIdentityRoutes } from './routes.ts';
export {
  authenticate,
  callerByBrowser,
  callerByChatLink,
  isTokenLive,
  permit,
  recognize,
  spend,
} from './service.ts';
export { addLogin, endLogin, extendLogin, isLoginLive } from './service-logins.ts';
export { createPresent } from './service-present.ts';
export {
  addToken,
  countStaticTokens,
  endTokenOf,
  endTokens,
  issuerFor,
  liveTokensOf,
  type MadeToken,
  revokeLoginsOf,
  revokeTokensOf,
} from './service-tokens.ts';
export { rolesOf } from './store.ts';
export { dropProofs } from './store-access.ts';
export * from './token.ts';
