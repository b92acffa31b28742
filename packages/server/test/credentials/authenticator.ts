import {
  createHash,
  createSign,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { RelyingParty } from '../../src/credentials/index.ts';

/** What a browser and its authenticator would do otherwise than they should. */
export interface Faults {
  readonly origin?: string;
  readonly rp_id?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly cross_origin?: boolean;
  /** Nobody verified the person. */
  readonly unverified?: boolean;
  readonly counter?: number;
  readonly user_handle?: string | undefined;
  readonly fmt?: string;
  readonly att_stmt?: Buffer;
}

const UP = 0x01;
const UV = 0x04;
const AT = 0x40;

/** A security key in software (WebAuthn, 6): one passkey, ES256, no attestation. */
export class Authenticator {
  readonly id = randomBytes(32);
  readonly #key: KeyObject;
  readonly #jwk: { readonly x?: string | undefined; readonly y?: string | undefined };
  readonly #rp: RelyingParty;
  counter = 0;
  userHandle = '';

  constructor(rp: RelyingParty) {
    this.#rp = rp;
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    this.#jwk = publicKey.export({ format: 'jwk' });
  }

  register(
    options: { readonly challenge: string; readonly user: { readonly id: string } },
    faults: Faults = {},
  ): RegistrationResponseJSON {
    this.userHandle = options.user.id;
    const credential = Buffer.concat([
      Buffer.alloc(16),
      Buffer.from([0, this.id.length]),
      this.id,
      this.#cose(),
    ]);
    const data = this.#authenticatorData(faults, AT, credential);
    const attestation = map([
      ['fmt', text(faults.fmt ?? 'none')],
      ['attStmt', faults.att_stmt ?? Buffer.from([0xa0])],
      ['authData', bytes(data)],
    ]);
    return {
      ...this.#named(),
      response: {
        clientDataJSON: this.#clientData('webauthn.create', options.challenge, faults),
        attestationObject: attestation.toString('base64url'),
        transports: ['internal'],
      },
    };
  }

  assert(options: { readonly challenge: string }, faults: Faults = {}): AuthenticationResponseJSON {
    this.counter += 1;
    const data = this.#authenticatorData(faults, 0);
    const client = this.#clientData('webauthn.get', options.challenge, faults);
    const hash = createHash('sha256').update(Buffer.from(client, 'base64url')).digest();
    const signature = createSign('sha256').update(data).update(hash).sign(this.#key);
    const handle = 'user_handle' in faults ? faults.user_handle : this.userHandle;
    return {
      ...this.#named(),
      response: {
        clientDataJSON: client,
        authenticatorData: data.toString('base64url'),
        signature: signature.toString('base64url'),
        ...(handle === undefined ? {} : { userHandle: handle }),
      },
    };
  }

  #named() {
    const id = this.id.toString('base64url');
    return { id, rawId: id, type: 'public-key' as const, clientExtensionResults: {} };
  }

  #clientData(type: string, challenge: string, faults: Faults): string {
    return Buffer.from(
      JSON.stringify({
        type: faults.type ?? type,
        challenge: faults.challenge ?? challenge,
        origin: faults.origin ?? this.#rp.origin,
        crossOrigin: faults.cross_origin ?? false,
      }),
    ).toString('base64url');
  }

  #authenticatorData(faults: Faults, more: number, credential = Buffer.alloc(0)): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(faults.counter ?? this.counter);
    return Buffer.concat([
      createHash('sha256')
        .update(faults.rp_id ?? this.#rp.id)
        .digest(),
      Buffer.from([UP | (faults.unverified ? 0 : UV) | more]),
      count,
      credential,
    ]);
  }

  /** COSE_Key (RFC 9053, 7.1): kty EC2, alg ES256, crv P-256. */
  #cose(): Buffer {
    const { x = '', y = '' } = this.#jwk;
    return Buffer.concat([
      Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]),
      bytes(Buffer.from(x, 'base64url')),
      Buffer.from([0x22]),
      bytes(Buffer.from(y, 'base64url')),
    ]);
  }
}

/** CBOR (RFC 8949), as much of it as an attestation needs. */
const head = (major: number, length: number): Buffer => {
  if (length < 24) return Buffer.from([(major << 5) | length]);
  if (length < 256) return Buffer.from([(major << 5) | 24, length]);
  return Buffer.from([(major << 5) | 25, length >> 8, length & 0xff]);
};
const bytes = (value: Buffer): Buffer => Buffer.concat([head(2, value.length), value]);
const text = (value: string): Buffer =>
  Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
const map = (entries: readonly (readonly [string, Buffer])[]): Buffer =>
  Buffer.concat([head(5, entries.length), ...entries.flatMap(([name, v]) => [text(name), v])]);

/** An attestation statement with a chain of certificates, which nobody asked for. */
export const WITH_CERTIFICATES = map([['x5c', Buffer.from([0x80])]]);
