import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Instant, instant, plus, seconds } from '@postern/shared';

/** How far the time of a request may be from ours, either way. */
const SKEW = seconds(5 * 60);

export interface SignedParts {
  readonly signature: unknown;
  readonly timestamp: unknown;
  /** The bytes as they came. */
  readonly body: string;
}

export type Signed =
  | { readonly ok: true; readonly signature: string; readonly valid_until: Instant }
  | { readonly ok: false };

/**
 * Whether Slack signed this, version v0, at about this time
 * (https://docs.slack.dev/authentication/verifying-requests-from-slack).
 */
export function checkSignature(
  { signature, timestamp, body }: SignedParts,
  secret: string,
  now: Instant,
): Signed {
  if (typeof signature !== 'string' || !/^v0=[0-9a-f]{64}$/.test(signature)) return { ok: false };
  if (typeof timestamp !== 'string' || !/^[1-9]\d{0,10}$/.test(timestamp)) return { ok: false };
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest();
  if (!timingSafeEqual(expected, Buffer.from(signature.slice(3), 'hex'))) return { ok: false };
  const at = instant(Number(timestamp) * 1000);
  const valid_until = plus(at, SKEW);
  if (now > valid_until || at > plus(now, SKEW)) return { ok: false };
  return { ok: true, signature, valid_until };
}
