import { fingerprintOf, type PublicKeyReason, parsePublicKey } from '@postern/shared';
import type { FieldError } from '../platform/errors.ts';

const DETAILS: Readonly<Record<PublicKeyReason, string>> = {
  malformed: 'is not a public key: one line as in /etc/ssh/ssh_host_ed25519_key.pub',
  type_mismatch: 'names another type than the key inside it has',
  certificate: 'is a certificate; pin the plain host key',
  unsupported_type: 'is of a type that is not supported: Ed25519, ECDSA or RSA',
  weak_key: 'is too weak: RSA keys need 3072 bits',
};

/** Keys in canonical form, without comments, each once, in one order; or what is wrong with each. */
export function readHostKeys(
  lines: readonly string[],
  pointer: string,
): { readonly keys: string[]; readonly faults: FieldError[] } {
  const keys = new Set<string>();
  const faults: FieldError[] = [];
  for (const [index, line] of lines.entries()) {
    const parsed = parsePublicKey(line);
    if (parsed.ok) keys.add(parsed.value.line);
    else
      faults.push({
        pointer: `${pointer}/${index}`,
        code: parsed.reason,
        detail: DETAILS[parsed.reason],
      });
  }
  return { keys: [...keys].sort(), faults };
}

/** As `ssh-keygen -l` prints it, of a key in canonical form. */
export const fingerprint = (line: string): string =>
  fingerprintOf(Buffer.from(line.split(' ')[1] ?? '', 'base64'));
