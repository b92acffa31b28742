import { type Acr, EXIT, type Exit, PROBLEMS, type ProblemCode } from '@postern/shared';

/** One fault of an input. `pointer` is a JSON pointer (RFC 6901) into what was sent. */
export interface FieldError {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

export interface RefusalExtras {
  /** What to do next: a command or a sentence, shown to the person as a second line. */
  readonly next?: string;
  readonly errors?: readonly FieldError[];
  /** Of `mfa_required`: which proof is asked for. */
  readonly acr_values?: Acr;
}

/**
 * How a service says no. Thrown inside a transaction it rolls the transaction back.
 * `detail` is public text: it reaches the caller as it stands, so it names nothing the
 * caller may not see.
 */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly next: string | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly acr_values: Acr | undefined;

  constructor(code: ProblemCode, detail: string, extras: RefusalExtras = {}) {
    super(`${code}: ${detail}`);
    this.name = 'Refusal';
    this.code = code;
    this.detail = detail;
    this.next = extras.next;
    this.errors = extras.errors;
    this.acr_values = extras.acr_values;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

/**
 * Why the process cannot start or go on: one clear line for the operator, and the exit
 * code. Only `main` catches it, prints `message` (and `next`) and exits.
 */
export class StartupError extends Error {
  readonly exit: Exit;
  readonly next: string | undefined;

  constructor(message: string, options: { exit?: Exit; next?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StartupError';
    this.exit = options.exit ?? EXIT.config;
    this.next = options.next;
  }
}
