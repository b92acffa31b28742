export {
  LONGEST_INPUT,
  normalised,
  PASSWORD_LENGTH,
  type PasswordOwner,
  readPassword,
} from './password.ts';
export { type RelyingParty, relyingPartyOf } from './relying-party.ts';
export { type CredentialRouteWorld, registerCredentialRoutes } from './routes.ts';
export {
  acceptInvitation,
  type CredentialHooks,
  changePassword,
  endInvitationsAround,
  viewInvitation,
} from './service-invitations.ts';
export { hasSecondFactor, type Methods, methodsOf } from './service-methods.ts';
export {
  type Asserted,
  passkeyAssertionFinish,
  passkeyAssertionOptions,
  passkeyRegistrationFinish,
  passkeyRegistrationOptions,
  removePasskey,
} from './service-passkeys.ts';
export {
  isPasswordVersion,
  type KeptPassword,
  passwordOwner,
  readKeptPassword,
  setPassword,
} from './service-passwords.ts';
export {
  checkTotp,
  confirmTotp,
  enrolTotp,
  pendingTotp,
  removeTotp,
  type TotpEnrolment,
} from './service-totp.ts';
