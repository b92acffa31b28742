import { createHmac } from 'node:crypto';
import { type Instant, instant, secondsBetween } from '@postern/shared';

/** The headers of Standard Webhooks (https://www.standardwebhooks.com), version 1. */
export function signWebhook(
  { id, at, body }: { readonly id: string; readonly at: Instant; readonly body: string },
  key: Buffer | null,
): Record<string, string> {
  const timestamp = String(secondsBetween(instant(0), at));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (key === null) return headers;
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${mac}` };
}

/** 24 to 64 bytes as base64, with `whsec_` before them or without. */
export function parseWebhookSecret(text: string): Buffer | undefined {
  const base64 = text.trim().replace(/^whsec_/, '');
  const key = Buffer.from(base64, 'base64');
  const canonical = key.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '');
  return canonical && key.length >= 24 && key.length <= 64 ? key : undefined;
}
