import type { SessionReport } from '@postern/shared';
import type { Logger } from './log.ts';
import { type ServicePort, ServiceRefusal } from './service-port.ts';

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

/**
 * What became of the sessions, told to the service in order per session and again until it
 * has heard: a report is lost only with this process, or when the service refuses it.
 */
export class Reports {
  readonly #service: Pick<ServicePort, 'report'>;
  readonly #log: Logger;
  readonly #chains = new Map<string, Promise<void>>();
  #stopping = false;

  constructor(service: Pick<ServicePort, 'report'>, log: Logger) {
    this.#service = service;
    this.#log = log;
  }

  tell(sessionId: string, report: SessionReport): void {
    const before = this.#chains.get(sessionId) ?? Promise.resolve();
    const chain = before.then(() => this.#deliver(sessionId, report));
    this.#chains.set(sessionId, chain);
    void chain.then(() => {
      if (this.#chains.get(sessionId) === chain) this.#chains.delete(sessionId);
    });
  }

  /** Resolves when everything has been told; from now on nothing is tried twice for long. */
  async flush(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#chains.values());
  }

  async #deliver(sessionId: string, report: SessionReport): Promise<void> {
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      try {
        return await this.#service.report(sessionId, report);
      } catch (error) {
        const refused = error instanceof ServiceRefusal && error.status < 500;
        const facts = { session_id: sessionId, report: report.type, why: String(error) };
        this.#log.warn(facts, refused ? 'report refused' : 'report not delivered yet');
        if (refused && (error as ServiceRefusal).status !== 429) return;
        if (this.#stopping && wait > 1000) return;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }
}
