import type { KeyObject } from 'node:crypto';
import {
  generateEd25519,
  type SessionProofFields,
  signSessionProof,
  toOpenSshPrivateKey,
} from '@postern/shared';

/** The key of one session: it lives in memory only, and serves that session. */
export class SessionKey {
  private readonly key: KeyObject;
  readonly public_line: string;

  constructor() {
    const pair = generateEd25519();
    this.key = pair.private;
    this.public_line = pair.public_line;
  }

  /** Shows that we hold the key, and binds it to what is opened. */
  prove(fields: Omit<SessionProofFields, 'public_key'>): string {
    return signSessionProof({ ...fields, public_key: this.public_line }, this.key);
  }

  /** For the SSH client: the secret itself. */
  toOpenSsh(): string {
    return toOpenSshPrivateKey(this.key);
  }
}
