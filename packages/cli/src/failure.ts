import { EXIT, PROBLEMS, type Problem, type ProblemCode } from '@postern/shared';

/** What fails before or without an answer of the service. */
export type LocalCode =
  | 'usage'
  | 'configuration'
  | 'unreachable'
  | 'target_unreachable'
  | 'interrupted'
  | 'transport'
  | 'stopped';

const LOCAL: Readonly<Record<LocalCode, { readonly exit: number; readonly title: string }>> = {
  usage: { exit: EXIT.usage, title: 'Not a valid command' },
  configuration: { exit: EXIT.config, title: 'Not configured' },
  unreachable: { exit: EXIT.unavailable, title: 'The service cannot be reached' },
  target_unreachable: { exit: EXIT.unavailable, title: 'The server cannot be reached' },
  interrupted: { exit: EXIT.interrupted, title: 'Interrupted' },
  transport: { exit: EXIT.transport, title: 'The connection failed' },
  stopped: { exit: EXIT.refused, title: 'The request has ended' },
};

export interface FailureExtras {
  /** The access request it is about. */
  readonly request_id?: string;
  /** Lines before `next`, each a fault of its own. */
  readonly faults?: readonly string[];
  /** It tells how things stand; not a refusal, so without the program's name before it. */
  readonly is_news?: true;
  /** The service's own document, shown as it came with `-o json`. */
  readonly problem?: Problem;
}

/**
 * How a command ends when it does not do what was asked: one line, one line that says
 * what to do next, an exit code. Only `run` prints it. Its texts may hold text of the
 * service: they reach a terminal through the printable port only.
 */
export class Failure extends Error {
  readonly code: ProblemCode | LocalCode;
  readonly detail: string;
  readonly next: string;
  readonly extras: FailureExtras;

  constructor(
    code: ProblemCode | LocalCode,
    detail: string,
    next: string,
    extras: FailureExtras = {},
  ) {
    super(detail);
    this.name = 'Failure';
    this.code = code;
    this.detail = detail;
    this.next = next;
    this.extras = extras;
  }

  get exit(): number {
    return factsOf(this.code).exit;
  }

  /** RFC 9457; without `status` and `trace_id` when no HTTP answer is behind it. */
  document(): Record<string, unknown> {
    const { request_id, problem, faults } = this.extras;
    return {
      type: `urn:postern:${this.code}`,
      title: factsOf(this.code).title,
      detail: this.detail,
      code: this.code,
      ...problem,
      next: this.next,
      ...(request_id !== undefined && { request_id }),
      ...(faults !== undefined && { faults }),
    };
  }
}

/** An interrupt, wherever it is noticed. */
export const interrupted = (detail = 'Interrupted.', next = 'Run the same command again.') =>
  new Failure('interrupted', detail, next);

export const usage = (detail: string, next: string) => new Failure('usage', detail, next);

function factsOf(code: ProblemCode | LocalCode): { readonly exit: number; readonly title: string } {
  return code in LOCAL ? LOCAL[code as LocalCode] : PROBLEMS[code as ProblemCode];
}
