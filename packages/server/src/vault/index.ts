export {
  CREDENTIAL_PROBLEMS,
  type Credential,
  type CredentialReason,
  exposeCredential,
  type ParsedCredential,
  parseCredential,
} from './credential.ts';
export {
  type OpenReason,
  open,
  type RandomBytes,
  rewrap,
  type SealContext,
  type Sealed,
  seal,
} from './envelope.ts';
export {
  compareKeyring,
  createKeyring,
  type Keyring,
  type KeyringCheck,
  type KeyringReason,
  keyringCheck,
  type MasterKeyReason,
  type Purpose,
  parseMasterKey,
} from './keyring.ts';
export { Secret } from './secret.ts';
