import { parsePublicKeyBlob } from '@postern/shared';
import type { Algorithms, ServerHostKeyAlgorithm } from 'ssh2';
import { Failure, interrupted } from '../failure.ts';
import { Client } from './ssh2.ts';

/** Best first; a server may have keys of several kinds. */
const KINDS: readonly (readonly string[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256'],
];
const SCAN_MS = 10_000;

/** The host key that a server shows now. Nothing is trusted by it: the connection ends there. */
export async function scanHostKey(
  host: string,
  port: number,
  interrupt: AbortSignal,
): Promise<string> {
  for (const kind of KINDS) {
    const seen = await scanOne(host, port, kind as ServerHostKeyAlgorithm[], interrupt);
    if (seen === undefined) continue;
    const key = parsePublicKeyBlob(seen);
    if (key.ok) return key.value.line;
    throw unusable(host, port, `its host key cannot be used (${key.reason})`);
  }
  throw unusable(host, port, 'it has no host key of a kind that can be used');
}

function scanOne(
  host: string,
  port: number,
  serverHostKey: ServerHostKeyAlgorithm[],
  interrupt: AbortSignal,
): Promise<Buffer | undefined> {
  const client = new Client();
  let seen: Buffer | undefined;
  return new Promise((resolve, reject) => {
    const onInterrupt = () => {
      client.destroy();
      reject(interrupted());
    };
    interrupt.addEventListener('abort', onInterrupt, { once: true });
    let fault: (Error & { level?: string; code?: unknown }) | undefined;
    client.on('error', (error) => {
      fault ??= error;
    });
    client.on('close', () => {
      interrupt.removeEventListener('abort', onInterrupt);
      const isOtherKind = fault?.level === 'handshake' && /host key/.test(fault.message);
      if (seen !== undefined || isOtherKind) resolve(seen);
      else reject(unusable(host, port, String(fault?.code ?? fault?.message ?? 'it hung up')));
    });
    client.connect({
      host,
      port,
      username: 'scan',
      readyTimeout: SCAN_MS,
      algorithms: { serverHostKey } as Algorithms,
      hostVerifier: (key: Buffer, verify: (ok: boolean) => void) => {
        seen = key;
        verify(false);
      },
    });
  });
}

const unusable = (host: string, port: number, why: string): Failure =>
  new Failure(
    'target_unreachable',
    `${host}:${port} cannot be scanned: ${why}.`,
    'Check the address and port of the server, and that it can be reached from here.',
  );
