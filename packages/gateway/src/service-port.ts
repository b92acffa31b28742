import type {
  Admission,
  Admitted,
  GatewaySignal,
  Lease,
  ProblemCode,
  SessionReport,
} from '@postern/shared';
import type { Static } from 'typebox';

export type LeaseAnswer = Static<typeof Lease>;

/**
 * What the gateway asks of the policy service. Every method throws {@link ServiceRefusal}
 * when the service said no, {@link ServiceUnavailable} when it said nothing usable.
 */
export interface ServicePort {
  /** Once per session: a second call for the same session is refused by the service. */
  admit(admission: Admission): Promise<Admitted>;
  renew(sessions: readonly string[]): Promise<LeaseAnswer>;
  report(sessionId: string, report: SessionReport): Promise<void>;
  /** Opens the stream once; resolves when it has ended, rejects when it could not be opened. */
  signals(onSignal: (signal: GatewaySignal) => void, until: AbortSignal): Promise<void>;
}

export class ServiceRefusal extends Error {
  readonly code: ProblemCode | 'unknown';
  readonly status: number;
  constructor(code: ProblemCode | 'unknown', status: number, detail: string) {
    super(detail);
    this.name = 'ServiceRefusal';
    this.code = code;
    this.status = status;
  }
}

export class ServiceUnavailable extends Error {
  constructor(detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = 'ServiceUnavailable';
  }
}
