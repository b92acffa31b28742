import { setTimeout as sleep } from 'node:timers/promises';
import { Secret, TOTP } from 'otpauth';

const PERIOD_MS = 30_000;

/** An authenticator app with one secret (RFC 6238). */
export class Authenticator {
  readonly #totp: TOTP;
  #last = 0;

  /** @param secret base32, as the page shows it */
  constructor(secret: string) {
    this.#totp = new TOTP({ secret: Secret.fromBase32(secret.replaceAll(/\s/g, '')) });
  }

  /**
   * A code that was not given before: each counts once. One period early is as good as on
   * time, so that somebody waits half a minute at most.
   */
  async code(): Promise<string> {
    const now = () => Math.floor(Date.now() / PERIOD_MS);
    const step = Math.max(now(), this.#last + 1);
    while (step > now() + 1) await sleep(250);
    this.#last = step;
    return this.#totp.generate({ timestamp: step * PERIOD_MS });
  }
}
