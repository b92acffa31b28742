import { type Acr, PROBLEMS, type ProblemCode } from '@postern/shared';
import type { FastifyError, FastifySchemaValidationError } from 'fastify';
import { type FieldError, Refusal } from './errors.ts';

/** RFC 9457. `trace_id` names this HTTP request; `request_id` is always an access request. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  trace_id: string;
  next?: string;
  errors?: FieldError[];
  /** Of `mfa_required`: which proof is asked for. */
  acr_values?: Acr;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** @returns the document, and whether the fault is ours, so that the caller logs the error itself. */
export function toProblem(error: unknown, traceId: string): [ProblemDocument, 'ours' | 'theirs'] {
  if (error instanceof Refusal) return [refused(error, traceId), 'theirs'];
  const fault = frameworkFault(error);
  if (fault) return [refused(fault, traceId), 'theirs'];
  if (isConnectionLoss(error)) return [document('unavailable', DATABASE_AWAY, traceId), 'ours'];
  return [document('internal', INTERNAL, traceId), 'ours'];
}

const INTERNAL = 'Something went wrong on our side. The log has it under this trace_id.';
const DATABASE_AWAY = 'The database cannot be reached. Try again shortly.';

function document(code: ProblemCode, detail: string, traceId: string): ProblemDocument {
  const { status, title } = PROBLEMS[code];
  return { type: `urn:postern:${code}`, title, status, detail, code, trace_id: traceId };
}

function refused(refusal: Refusal, traceId: string): ProblemDocument {
  const body = document(refusal.code, refusal.detail, traceId);
  if (refusal.next !== undefined) body.next = refusal.next;
  if (refusal.errors !== undefined) body.errors = [...refusal.errors];
  if (refusal.acr_values !== undefined) body.acr_values = refusal.acr_values;
  return body;
}

/** What Fastify and its plugins refuse by themselves, by their code, never by their text. */
const FRAMEWORK: Readonly<Record<string, [ProblemCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', 'The body is larger than 1 MiB.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send application/json.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid_request', 'The body is empty; it must be JSON.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid_request', 'The body is not valid JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'invalid_request',
    'The body does not match Content-Length.',
  ],
  FST_ERR_BAD_URL: ['invalid_request', 'The path is not a valid URL.'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found', 'There is nothing here.'],
  FST_ERR_ASYNC_CONSTRAINT: ['invalid_request', 'The request cannot be routed.'],
  FST_UNDER_PRESSURE: ['unavailable', 'The service is overloaded. Try again shortly.'],
};

function frameworkFault(error: unknown): Refusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const fault = error as Partial<FastifyError>;
  if (fault.validation) {
    return new Refusal('invalid_request', 'The request does not match its schema.', {
      errors: [fieldError(telling(fault.validation), fault.validationContext ?? 'body')],
    });
  }
  const known = fault.code === undefined ? undefined : FRAMEWORK[fault.code];
  if (known) return new Refusal(...known);
  if (error instanceof SyntaxError && fault.statusCode === 400)
    return new Refusal('invalid_request', 'The body is not valid JSON.');
  if (fault.statusCode === 429)
    return new Refusal('rate_limited', 'Too many requests. Retry-After says when to try again.');
  return undefined;
}

/**
 * The one to show. Where nothing tells the members of a union apart, each of them says why
 * it does not fit; then it is the fault deepest inside, or, if none is, that of the union.
 */
function telling(faults: readonly FastifySchemaValidationError[]): FastifySchemaValidationError {
  const union = faults.find(({ keyword }) => keyword === 'anyOf');
  const inside = faults.filter(
    ({ instancePath }) => depth(instancePath) > depth(union?.instancePath),
  );
  const deepest = inside.sort((a, b) => depth(b.instancePath) - depth(a.instancePath))[0];
  return (union ? (deepest ?? union) : faults[0]) as FastifySchemaValidationError;
}

const depth = (pointer = ''): number => pointer.split('/').length;

/** `unknown_field` and `required` point at the field itself; everything else at the value. */
function fieldError(fault: FastifySchemaValidationError, where: string): FieldError {
  const { keyword, instancePath, params } = fault;
  const prefix = where === 'body' ? '' : `${where === 'querystring' ? 'query' : where}: `;
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') {
    const name = String(params.additionalProperty ?? params.unevaluatedProperty);
    return {
      pointer: `${instancePath}/${escapePointer(name)}`,
      code: 'unknown_field',
      detail: `${prefix}unknown field`,
    };
  }
  if (keyword === 'required') {
    return {
      pointer: `${instancePath}/${escapePointer(String(params.missingProperty))}`,
      code: 'required',
      detail: `${prefix}required field is missing`,
    };
  }
  return { pointer: instancePath, code: keyword, detail: `${prefix}${fault.message ?? keyword}` };
}

const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

// Node's socket errors; SQLSTATE 08 (connection), 57P (operator intervention), too many
// connections, a lock or a statement that took too long.
const AWAY =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|08\w{3}|57P\w{2}|53300|55P03|57014)$/;

/** The database went away, as opposed to: it refused what we asked. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && AWAY.test(code)) return true;
  return /^Connection terminated|timeout exceeded when trying to connect/.test(error.message);
}
