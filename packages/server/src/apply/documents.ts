import {
  DOCUMENT_KINDS,
  type DocumentKind,
  GroupDocument,
  GroupRuleDocument,
  printable,
  RequestTypeDocument,
  ResourceGroupDocument,
  SecurityPolicyDocument,
  ServerDocument,
  UserDocument,
} from '@postern/shared';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FieldError } from '../platform/errors.ts';

/** A document that fits its kind's schema, with its place among those that were sent. */
export type Document = { readonly index: number; readonly name: string } & (
  | { readonly kind: 'Group'; readonly content: GroupDocument }
  | { readonly kind: 'GroupRule'; readonly content: GroupRuleDocument }
  | { readonly kind: 'User'; readonly content: UserDocument }
  | { readonly kind: 'ResourceGroup'; readonly content: ResourceGroupDocument }
  | { readonly kind: 'Server'; readonly content: ServerDocument }
  /** Only its kind was looked at: whoever owns these checks the rest himself. */
  | { readonly kind: 'RequestType'; readonly content: Content }
  | { readonly kind: 'SecurityPolicy'; readonly content: Content }
);
type Content = Readonly<Record<string, unknown>>;
export type DocumentOf<K extends DocumentKind> = Extract<Document, { readonly kind: K }>;

const ajv = new Ajv({ strict: false, allErrors: true });
const CHECKS: Readonly<Record<DocumentKind, ValidateFunction>> = {
  Group: ajv.compile(GroupDocument),
  GroupRule: ajv.compile(GroupRuleDocument),
  User: ajv.compile(UserDocument),
  ResourceGroup: ajv.compile(ResourceGroupDocument),
  Server: ajv.compile(ServerDocument),
  RequestType: ajv.compile(RequestTypeDocument),
  SecurityPolicy: ajv.compile(SecurityPolicyDocument),
};

const MAX_FAULTS = 100;

/** All documents, or (up to 100 of) everything that is wrong with any of them. */
export function readDocuments(
  sent: readonly Content[],
):
  | { readonly ok: true; readonly documents: readonly Document[] }
  | { readonly ok: false; readonly faults: readonly FieldError[] } {
  const faults = sent.flatMap((content, index) => documentFaults(content, `/documents/${index}`));
  if (faults.length > 0) return { ok: false, faults: faults.slice(0, MAX_FAULTS) };
  const documents = sent.map((content, index) => toDocument(content, index));
  const twice = faultsOfTwins(documents);
  return twice.length > 0
    ? { ok: false, faults: twice.slice(0, MAX_FAULTS) }
    : { ok: true, documents };
}

const isKind = (kind: unknown): kind is DocumentKind =>
  DOCUMENT_KINDS.some((known) => known === kind);

function documentFaults(content: Content, pointer: string): FieldError[] {
  const { kind } = content;
  if (!isKind(kind))
    return [
      {
        pointer: `${pointer}/kind`,
        code: 'unknown_kind',
        detail: `is not a kind of document; allowed: ${DOCUMENT_KINDS.join(', ')}`,
      },
    ];
  const check = CHECKS[kind];
  if (check(content)) return [];
  const errors = (check.errors ?? []).filter((error) => !error.schemaPath.includes('/anyOf/'));
  const faults = errors.map((error) => toFault(error, pointer));
  // Never none: that would mean that the document is valid.
  return faults.length > 0 ? faults : [{ pointer, code: 'invalid', detail: 'is not valid' }];
}

/** Never says what was written: it may be a secret. */
function toFault(
  { keyword, instancePath, params, message }: ErrorObject,
  pointer: string,
): FieldError {
  const at = pointer + instancePath;
  switch (keyword) {
    case 'additionalProperties':
      return {
        pointer: `${at}/${escapePointer(String(params.additionalProperty))}`,
        code: 'unknown_field',
        detail: 'unknown field',
      };
    case 'required':
      return {
        pointer: `${at}/${escapePointer(String(params.missingProperty))}`,
        code: 'required',
        detail: 'required field is missing',
      };
    case 'anyOf':
      return { pointer: at, code: 'anyOf', detail: 'has none of the allowed forms' };
    default:
      return { pointer: at, code: keyword, detail: message ?? keyword };
  }
}

const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

function toDocument(content: Content, index: number): Document {
  const { kind, name, login, hostname } = content;
  const called = kind === 'User' ? login : kind === 'Server' ? hostname : name;
  return {
    index,
    kind,
    name: typeof called === 'string' ? printable(called.slice(0, 253)) : '',
    content,
  } as Document;
}

/** Two documents about one thing would make the outcome depend on their order. */
function faultsOfTwins(documents: readonly Document[]): FieldError[] {
  const seen = new Set<string>();
  return documents.flatMap(({ kind, name, index }) => {
    const key = `${kind} ${name}`;
    const isTwin = name !== '' && seen.has(key);
    seen.add(key);
    const detail = `another document is about ${key}`;
    return isTwin ? [{ pointer: `/documents/${index}`, code: 'twice', detail }] : [];
  });
}
