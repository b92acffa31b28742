export { startOauthSweep } from './jobs.ts';
export { type BrowserLogin, LONGEST_LOGIN_SECONDS, type OauthSettings } from './model.ts';
export { registerOauth } from './routes.ts';
export { registerLoginsRoutes } from './routes-logins.ts';
export type { RecordProof } from './service-login.ts';
