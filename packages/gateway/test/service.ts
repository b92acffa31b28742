import {
  type Admission,
  type Admitted,
  type GatewaySignal,
  type SessionReport,
  verifyUserauth,
} from '@postern/shared';
import { type LeaseAnswer, type ServicePort, ServiceRefusal } from '../src/service-port.ts';

interface Opened {
  readonly publicKey: string;
  readonly admitted: Admitted;
  used: boolean;
}

/**
 * The policy service as the gateway sees it. It verifies as the real one does: the session's
 * key, the user name, once. Sessions that were not opened here are refused.
 */
export class FakeService implements ServicePort {
  readonly admissions: Admission[] = [];
  readonly reports: Array<{ readonly id: string; readonly report: SessionReport }> = [];
  readonly renewals: string[][] = [];
  readonly #sessions = new Map<string, Opened>();
  readonly #ends = new Set<() => void>();
  readonly #listeners = new Set<(signal: GatewaySignal) => void>();
  /** Answer to every renewal instead of "all as before". */
  lease: ((ids: readonly string[]) => LeaseAnswer) | undefined;
  /** When set, every call fails with it. */
  down: Error | undefined;
  /** When set, every admission waits for it. */
  admitting: Promise<void> | undefined;

  open(publicKey: string, admitted: Admitted): void {
    this.#sessions.set(admitted.session_id, { publicKey, admitted, used: false });
  }

  async admit(admission: Admission): Promise<Admitted> {
    this.admissions.push(admission);
    await this.admitting;
    if (this.down !== undefined) throw this.down;
    const opened = this.#sessions.get(admission.session_id);
    const refused = (why: string) => new ServiceRefusal('not_permitted', 403, why);
    if (opened === undefined) throw refused('no such session');
    const verdict = verifyUserauth({
      blob: Buffer.from(admission.blob, 'base64'),
      signature: Buffer.from(admission.signature, 'base64'),
      expected: { user: admission.session_id, public_key: opened.publicKey },
    });
    if (!verdict.ok) throw refused(`the login does not prove the session's key`);
    if (opened.used) throw refused('the session was admitted before');
    opened.used = true;
    return opened.admitted;
  }

  async renew(ids: readonly string[]): Promise<LeaseAnswer> {
    if (this.down !== undefined) throw this.down;
    this.renewals.push([...ids]);
    if (this.lease !== undefined) return this.lease(ids);
    const left = (id: string) => this.#sessions.get(id)?.admitted.seconds_left ?? 0;
    return {
      lease_seconds: 15,
      sessions: ids.map((id) => ({ id, seconds_left: left(id) })),
      cut: [],
    };
  }

  async report(id: string, report: SessionReport): Promise<void> {
    if (this.down !== undefined) throw this.down;
    this.reports.push({ id, report });
  }

  async signals(onSignal: (signal: GatewaySignal) => void, until: AbortSignal): Promise<void> {
    if (this.down !== undefined) throw this.down;
    this.#listeners.add(onSignal);
    onSignal({ type: 'hello' });
    await new Promise<void>((resolve) => {
      until.addEventListener('abort', () => resolve());
      this.#ends.add(resolve);
    });
    this.#listeners.delete(onSignal);
  }

  /** Ends the streams of signals, as a service that stops does. */
  endStreams(): void {
    for (const end of this.#ends) end();
    this.#ends.clear();
  }

  signal(signal: GatewaySignal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  /** The `ended` report of a session, once it is there. */
  async ended(id: string): Promise<Extract<SessionReport, { type: 'ended' }>> {
    for (let tries = 0; tries < 2000; tries += 1) {
      const found = this.reports.find((r) => r.id === id && r.report.type === 'ended');
      if (found?.report.type === 'ended') return found.report;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`no ended report of ${id}`);
  }
}
