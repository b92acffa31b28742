import type { SealContext } from '../vault/index.ts';

/** What the token of a target belongs to: another URL in its row does not get it. */
export const sealedFor = (
  team: string,
  { id, url }: { readonly id: string; readonly url: string },
): SealContext => ({ purpose: 'push_target', team, version: 1, subject: `${id} ${url}` });
