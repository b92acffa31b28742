import type { Parsed, PublicKey } from '@postern/shared';
import { type PrivateKeyReason, parsePrivateKey } from './private-key.ts';
import { Secret } from './secret.ts';

/** A vaulted account's credential in the clear: as an admin writes it, as a gateway gets it. */
export type Credential =
  | { readonly type: 'password'; readonly password: string }
  | { readonly type: 'private_key'; readonly private_key: string };

export type CredentialReason =
  | PrivateKeyReason
  | 'empty'
  | 'too_long'
  | 'control_character'
  | 'ill_formed';

export interface ParsedCredential {
  readonly type: Credential['type'];
  /** What is sealed; {@link exposeCredential} reads it back. */
  readonly secret: Secret;
  /** Of a private key; may be shown, so that an admin can tell which key is in the vault. */
  readonly public_key: PublicKey | null;
}

const MAX_PASSWORD_BYTES = 1024;
const MAX_KEY_BYTES = 32_768;

/** What each refusal means, and what to do. None of it holds a part of the secret. */
export const CREDENTIAL_PROBLEMS: Readonly<
  Record<CredentialReason, { readonly detail: string; readonly next: string }>
> = {
  empty: { detail: 'The secret is empty.', next: 'Give the password or the private key.' },
  too_long: {
    detail: `The secret is too long: a password may have ${MAX_PASSWORD_BYTES} bytes, a key ${MAX_KEY_BYTES}.`,
    next: 'Give only the password, or a file with only the key.',
  },
  control_character: {
    detail: 'The password holds a control character.',
    next: 'Often it is the line end of the file it came from: write the file without one.',
  },
  ill_formed: {
    detail: 'The secret is not valid Unicode text.',
    next: 'Give it as UTF-8.',
  },
  not_a_private_key: {
    detail: 'This is not one private key in OpenSSH or PEM form.',
    next: 'Give the file as ssh-keygen writes it; of a PuTTY key: puttygen KEY -O private-openssh -o FILE.',
  },
  public_key_given: {
    detail: 'This is a public key.',
    next: 'Give the private key: the file of the same name without .pub.',
  },
  encrypted_key: {
    detail: 'The private key has a passphrase.',
    next: "Take it off a copy, which the vault then encrypts: ssh-keygen -p -N '' -f COPY.",
  },
  unsupported_key: {
    detail: 'This kind of private key is not supported.',
    next: 'Make one that is: ssh-keygen -t ed25519; RSA from 3072 bits and NIST ECDSA work too.',
  },
  weak_key: {
    detail: 'The private key is too weak.',
    next: 'Make a new one: ssh-keygen -t ed25519; RSA keys need 3072 bits.',
  },
  damaged_key: {
    detail: 'The private key is damaged: it cannot be read, or does not fit its public half.',
    next: 'See whether ssh-keygen -y -f FILE reads it, and give the whole file.',
  },
};

/** Checks a credential when it is entered, so that it does not fail at somebody's login. */
export function parseCredential(input: Credential): Parsed<ParsedCredential, CredentialReason> {
  return input.type === 'password' ? parsePassword(input.password) : parseKey(input.private_key);
}

/** Reads back what {@link parseCredential} made. @returns undefined for anything else. */
export function exposeCredential(secret: Secret): Credential | undefined {
  const text = secret.expose().toString('utf8');
  const mark = text.indexOf('\n');
  const [type, value] = [text.slice(0, mark), text.slice(mark + 1)];
  if (mark === -1 || value === '') return undefined;
  if (type === 'password') return { type, password: value };
  if (type === 'private_key') return { type, private_key: value };
  return undefined;
}

function parsePassword(password: string): Parsed<ParsedCredential, CredentialReason> {
  if (password === '') return refuse('empty');
  if (!password.isWellFormed()) return refuse('ill_formed');
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return refuse('too_long');
  if (/[\u0000-\u001f\u007f]/.test(password)) return refuse('control_character');
  return accept('password', password, null);
}

function parseKey(text: string): Parsed<ParsedCredential, CredentialReason> {
  if (text.trim() === '') return refuse('empty');
  if (Buffer.byteLength(text) > MAX_KEY_BYTES) return refuse('too_long');
  const parsed = parsePrivateKey(text);
  if (!parsed.ok) return parsed;
  return accept('private_key', parsed.value.text, parsed.value.public_key);
}

/** The type stands in the sealed bytes: a changed row cannot make a key of a password. */
function accept(
  type: Credential['type'],
  value: string,
  public_key: PublicKey | null,
): Parsed<ParsedCredential, CredentialReason> {
  const secret = Secret.of(`${type}\n${value}`);
  return { ok: true, value: { type, secret, public_key } };
}

function refuse(reason: CredentialReason): {
  readonly ok: false;
  readonly reason: CredentialReason;
} {
  return { ok: false, reason };
}
