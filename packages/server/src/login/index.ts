export { hashOfCookie } from './cookie.ts';
export { failureOf } from './failure.ts';
export type { BrowserLogin } from './model.ts';
export { safeNext } from './next.ts';
export { registerLoginRoutes } from './routes.ts';
export {
  arrivalOf,
  assertOwnPage,
  boundOf,
  formOf,
  giveLogin,
  goTo,
  type LoginWorld,
  SCHEMA,
  sendPage,
  sentBound,
  showError,
} from './routes-page.ts';
export type { Arrival } from './service-login.ts';
export { browserLoginOf, endBrowserLogins, endBrowserLoginsAround } from './service-sessions.ts';
export { startUpstreamLogin } from './service-upstream.ts';
