import SCIMMY from 'scimmy';
import { badSyntax, badValue } from './fault.ts';
import { DANGEROUS } from './filter.ts';
import { ENTERPRISE, type Json, USER } from './schemas.ts';

/** What is read from a body of a user, by POST, PUT or PATCH alike. */
/** Of ASCII alone: toLowerCase makes a plain k of the Kelvin sign, which looks like one. */
export const lowerAscii = (text: string): string =>
  text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

export interface PushedUser {
  /** As it was sent; logins have no case. */
  readonly userName: string;
  readonly login: string;
  readonly name: string;
  readonly email: string | null;
  readonly externalId: string | null;
  /** undefined: it was not said. */
  readonly active: boolean | undefined;
  /** The SCIM id of the manager, as it was sent. */
  readonly manager: string | null;
  /** What rules can read, by the names of RFC 7643. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
  /** All that is shown again, without what is kept elsewhere and without a password. */
  readonly resource: Json;
}

const MAX_RESOURCE = 32 * 1024;

/**
 * Refuses names that the library would follow into Object.prototype: it takes
 * `urn:…:User:__proto__.x` for a path.
 */
export function refuseDangerousNames(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (DANGEROUS.test(name)) throw badSyntax('There is no attribute of this name.');
    refuseDangerousNames(inner);
  }
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws ScimFault `invalidSyntax` when it is no resource of this kind. */
export function readResource(body: unknown, schema: string): Json {
  if (!isObject(body)) throw badSyntax('The body is not a resource.');
  refuseDangerousNames(body);
  const named = body.schemas;
  if (named !== undefined && !(Array.isArray(named) && named.includes(schema)))
    throw badSyntax(`schemas does not name ${schema}.`);
  return body;
}

/** @throws ScimFault `invalidValue` */
export function readUser(body: Json): PushedUser {
  const held = coerced(body);
  const { userName, externalId, active, ...rest } = held;
  if (typeof userName !== 'string' || userName === '') throw badValue('userName is required.');
  const enterprise = isObject(rest[ENTERPRISE]) ? rest[ENTERPRISE] : {};
  const manager = isObject(enterprise.manager) ? enterprise.manager.value : undefined;
  const resource = { ...rest, userName };
  if (JSON.stringify(resource).length > MAX_RESOURCE)
    throw badValue('The resource is larger than 32 KiB.');
  return {
    userName,
    login: lowerAscii(userName),
    name: nameOf(rest) ?? userName,
    email: emailOf(rest.emails),
    externalId: text(externalId) ?? null,
    active: typeof active === 'boolean' ? active : undefined,
    manager: text(manager) ?? null,
    attributes: {
      title: text(rest.title),
      userType: text(rest.userType),
      costCenter: text(enterprise.costCenter),
      department: text(enterprise.department),
      division: text(enterprise.division),
      employeeNumber: text(enterprise.employeeNumber),
      organization: text(enterprise.organization),
    },
    resource,
  };
}

/** Through the schema: types are checked, what it does not name is dropped. */
function coerced(body: Json): Json {
  // Of these nothing is taken from a body: read-only, or never kept.
  const { id: _id, meta: _meta, groups: _groups, password: _password, ...own } = lenient(body);
  try {
    const schemas = ENTERPRISE in own ? [USER, ENTERPRISE] : [USER];
    const user = new SCIMMY.Schemas.User({ ...own, schemas }, 'in');
    const { schemas: _schemas, meta: _m, password: _p, ...held } = JSON.parse(JSON.stringify(user));
    return held;
  } catch (error) {
    throw badValue(error instanceof Error ? error.message : 'It does not fit the schema.');
  }
}

/** What providers send beside the RFC: null for nothing, booleans as text, a manager's id alone. */
function lenient(body: Json): Json {
  const own: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(withoutNulls(body) as Json)) {
    const name = key.toLowerCase();
    if (name === 'active') own.active = toBoolean(value);
    else if (name === ENTERPRISE.toLowerCase()) own[ENTERPRISE] = withManager(value);
    else if (['id', 'meta', 'groups', 'password'].includes(name)) own[name] = value;
    else own[key] = value;
  }
  return own;
}

function withManager(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key.toLowerCase() === 'manager'
        ? ['manager', typeof inner === 'string' ? { value: inner } : inner]
        : [key, inner],
    ),
  );
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [
        key,
        key.toLowerCase() === 'primary' ? toBoolean(inner) : withoutNulls(inner),
      ]),
  );
}

/** One provider sends `"False"`: as text it would count as true. */
export function toBoolean(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const word = value.toLowerCase();
  if (word !== 'true' && word !== 'false') throw badValue('A boolean is true or false.');
  return word === 'true';
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;

function nameOf({ displayName, name }: Json): string | undefined {
  const parts = isObject(name) ? name : {};
  const both = [text(parts.givenName), text(parts.familyName)].filter((part) => part);
  return (
    text(displayName) ?? text(parts.formatted) ?? (both.length > 0 ? both.join(' ') : undefined)
  );
}

function emailOf(emails: unknown): string | null {
  const list = Array.isArray(emails) ? emails.filter(isObject) : [];
  const best =
    list.find(({ primary }) => primary === true) ??
    list.find(({ type }) => type === 'work') ??
    list[0];
  return text(best?.value) ?? null;
}
