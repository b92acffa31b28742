import { type DestinationStream, type Logger, pino } from 'pino';
import { withoutSecrets } from './redaction.ts';

export type { Logger } from 'pino';

/**
 * One JSON object a line on standard error. Names of the redaction list are dropped at
 * any depth; bodies, headers and query strings are never given to it.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (err: unknown) => err }, // `clean` has done it
    formatters: { level: (label: string) => ({ level: label }), log: clean },
  };
  return pino(options, destination ?? pino.destination(GATHERED));
}

/** Written when 4 kB are together, and otherwise a moment later; a fatal end writes the rest. */
const GATHERED = { dest: 2, sync: false, minLength: 4_096, periodicFlush: 100 };

/** For lines whose facts are all known to hold no secret: the redaction costs more than the line. */
export const withoutRedaction = (log: Logger): Logger =>
  log.child({}, { formatters: { log: (facts) => facts } });

function clean(facts: Record<string, unknown>): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(facts))
    cleaned[name] = value instanceof Error ? describe(value) : value;
  return withoutSecrets(cleaned) as Record<string, unknown>;
}

/**
 * What an error says, without what it carries: database errors hold the parameters and
 * the rows of the statement that failed.
 */
function describe(error: Error, depth = 0): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message,
    stack,
    ...(typeof code === 'string' ? { code } : {}),
    ...(cause instanceof Error && depth < 3 ? { cause: describe(cause, depth + 1) } : {}),
  };
}
