import type { Seconds } from '@postern/shared';
import type { Tx } from '../platform/tx.ts';
import type { Credential } from '../vault/index.ts';

/** What opening and admitting need besides the transaction. */
export interface SessionWorld {
  readonly team: string;
  /** No session lasts longer. */
  readonly longestSession: Seconds;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
  /**
   * The account's newest credential, for the server's present identity revision only. It
   * answers and does not throw: the event of a mismatch must be committed.
   */
  openCredential(
    tx: Tx,
    accountId: string,
  ): Promise<
    | { readonly ok: true; readonly credential: Credential }
    | { readonly ok: false; readonly reason: string }
  >;
}
