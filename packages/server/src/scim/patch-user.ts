import { badPath, badValue, immutable } from './fault.ts';
import { type Filter, holdsFor } from './filter.ts';
import type { Operation } from './patch.ts';
import { isObject, toBoolean } from './resource.ts';
import {
  type Attribute,
  ENTERPRISE,
  ENTERPRISE_ATTRIBUTES,
  type Json,
  USER,
  USER_ATTRIBUTES,
} from './schemas.ts';

type Draft = Record<string, unknown>;

const READ_ONLY = ['id', 'meta', 'schemas', 'groups'];

/** The resource after the operations, each upon what the one before left. @throws ScimFault */
export function patchUser(before: Json, operations: readonly Operation[], id: string): Json {
  const draft = structuredClone(before) as Draft;
  for (const operation of operations) apply(draft, operation, id);
  return draft;
}

function apply(draft: Draft, operation: Operation, id: string): void {
  const { op, path, value } = operation;
  const [schema, name] = split(path.attribute);
  if (schema === ENTERPRISE && name === '') {
    if (op === 'remove') delete draft[ENTERPRISE];
    else {
      if (!isObject(value)) throw badValue(`${ENTERPRISE} is an object.`);
      for (const [key, inner] of Object.entries(value))
        apply(
          draft,
          {
            op,
            path: { attribute: `${schema}:${key}`.toLowerCase(), filter: null, sub: null },
            value: inner,
          },
          id,
        );
    }
    return;
  }
  const [first = '', ...more] = name.split('.');
  const known = schema === ENTERPRISE ? ENTERPRISE_ATTRIBUTES : USER_ATTRIBUTES;
  if (schema === null && READ_ONLY.includes(first)) {
    // Some providers send the whole resource again.
    if (op !== 'remove' && first === 'id' && value === id) return;
    throw immutable(first);
  }
  const attribute = known.get(first);
  const sub = path.sub ?? (more.length === 0 ? null : more.join('.'));
  const inner = sub === null ? undefined : attribute?.subs.get(sub);
  if (attribute === undefined || (sub !== null && inner === undefined))
    throw badPath(`A user has no attribute ${path.attribute}.`);
  if (attribute.name === 'password') throw badPath('No password is taken here.');
  const holder = holderOf(draft, schema, op);
  if (holder === undefined) return;
  if (attribute.multiValued)
    patchList(holder, attribute, inner, { op, filter: path.filter, value });
  else if (path.filter !== null) throw badPath(`${attribute.name} has one value.`);
  else patchOne(holder, attribute, inner, op, value);
}

/** Of `urn:…:User:department` the schema and the rest; null: the core schema. */
function split(attribute: string): readonly [string | null, string] {
  for (const schema of [ENTERPRISE, USER]) {
    const prefix = schema.toLowerCase();
    const own = schema === USER ? null : schema;
    if (attribute === prefix) return [own, ''];
    if (attribute.startsWith(`${prefix}:`)) return [own, attribute.slice(prefix.length + 1)];
  }
  return [null, attribute];
}

function holderOf(draft: Draft, schema: string | null, op: Operation['op']): Draft | undefined {
  if (schema === null) return draft;
  if (!isObject(draft[schema])) {
    if (op === 'remove') return undefined;
    draft[schema] = {};
  }
  return draft[schema] as Draft;
}

function patchOne(
  holder: Draft,
  attribute: Attribute,
  inner: Attribute | undefined,
  op: Operation['op'],
  value: unknown,
): void {
  const { name } = attribute;
  if (inner === undefined) {
    if (op === 'remove' || value === null) delete holder[name];
    else if (attribute.complex && isObject(value))
      holder[name] = { ...(isObject(holder[name]) ? holder[name] : {}), ...value };
    else holder[name] = attribute.boolean ? toBoolean(value) : value;
    return;
  }
  if (op === 'remove' || value === null) {
    if (isObject(holder[name])) delete (holder[name] as Draft)[inner.name];
    return;
  }
  holder[name] = { ...(isObject(holder[name]) ? holder[name] : {}), [inner.name]: value };
}

interface ListPatch {
  readonly op: Operation['op'];
  readonly filter: Filter | null;
  readonly value: unknown;
}

function patchList(
  holder: Draft,
  { name }: Attribute,
  inner: Attribute | undefined,
  { op, filter, value }: ListPatch,
): void {
  const held = (Array.isArray(holder[name]) ? holder[name] : []).filter(isObject) as Draft[];
  const chosen = filter === null ? held : held.filter((item) => holdsFor(filter, item));
  if (op === 'remove') {
    if (inner !== undefined) for (const item of chosen) delete item[inner.name];
    else holder[name] = held.filter((item) => !chosen.includes(item) || !isNamed(item, value));
    return;
  }
  if (inner === undefined && filter === null) {
    const given = (Array.isArray(value) ? value : [value]).map((item) => {
      if (!isObject(item)) throw badValue(`A value of ${name} is an object.`);
      return item;
    });
    const fresh = given.filter((item) => !held.some((other) => sameValue(other, item)));
    holder[name] = op === 'replace' ? given : [...held, ...fresh];
    return;
  }
  const set = inner === undefined ? value : { [inner.name]: value };
  if (!isObject(set)) throw badValue(`A value of ${name} is an object.`);
  if (chosen.length > 0) for (const item of chosen) Object.assign(item, set);
  // What nothing matches is made as the filter describes it: providers count on it.
  else holder[name] = [...held, { ...(filter === null ? {} : described(filter)), ...set }];
}

const sameValue = (a: Json, b: Json): boolean => a.value === b.value && a.type === b.type;

/** Without a value all that the path chose is removed; with one, what has it. */
function isNamed(item: Json, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  const list = Array.isArray(value) ? value : [value];
  return list.some((named) => isObject(named) && named.value === item.value);
}

/** `type eq "work"`: the value it describes. */
function described(filter: Filter): Draft {
  if (filter.kind === 'and') return Object.assign({}, ...filter.terms.map(described));
  if (filter.kind === 'compare' && filter.operator === 'eq')
    return { [filter.attribute]: filter.value };
  throw badPath('Nothing matches the filter of the path.');
}
