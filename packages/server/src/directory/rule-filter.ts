/**
 * The condition of a group rule: the filters of RFC 7644 §3.4.2.2 over the profile, without
 * value paths. Texts compare without regard to case, as SCIM's do.
 */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Condition[] }
  | { readonly kind: 'not'; readonly term: Condition }
  | { readonly kind: 'present'; readonly attribute: Attribute }
  | {
      readonly kind: 'compare';
      readonly attribute: Attribute;
      readonly operator: Operator;
      readonly value: string;
    };

export const OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const;
export type Operator = (typeof OPERATORS)[number];

/** A column of the profile, or one of its attributes by its exact name. */
export type Attribute =
  | { readonly column: 'login' | 'name' | 'email' | 'type' | 'unix_name' }
  | { readonly key: string };

/** What SCIM calls the columns, beside our own names. Names mean the same in any case. */
const COLUMNS: ReadonlyMap<string, Attribute> = new Map([
  ['username', { column: 'login' }],
  ['login', { column: 'login' }],
  ['displayname', { column: 'name' }],
  ['name', { column: 'name' }],
  ['emails', { column: 'email' }],
  ['emails.value', { column: 'email' }],
  ['email', { column: 'email' }],
  ['usertype', { column: 'type' }],
  ['type', { column: 'type' }],
  ['unix_name', { column: 'unix_name' }],
]);

const MAX_LENGTH = 2_000;
const MAX_DEPTH = 10;
const MAX_TERMS = 50;

export type ReadCondition =
  | { readonly ok: true; readonly condition: Condition }
  /** What is wrong, as the end of a sentence that begins with the field. */
  | { readonly ok: false; readonly why: string };

/** Reads what an admin wrote. Never throws. */
export function readCondition(text: string): ReadCondition {
  if (text.length > MAX_LENGTH)
    return { ok: false, why: `is longer than ${MAX_LENGTH} characters` };
  const tokens = tokensOf(text);
  if (typeof tokens === 'string') return { ok: false, why: tokens };
  const state: State = { tokens, at: 0, terms: 0, why: undefined };
  const condition = either(state, 0);
  if (state.why === undefined && state.at < tokens.length)
    fail(state, 'goes on where it should end');
  return condition === undefined || state.why !== undefined
    ? { ok: false, why: state.why ?? 'cannot be read' }
    : { ok: true, condition };
}

type Token =
  | { readonly kind: 'mark' | 'word'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string };

// No two of the alternatives begin alike, and each is linear.
const TOKEN = /[ \t\r\n]+|([()])|"((?:[^"\\]|\\.)*)"|([A-Za-z][A-Za-z0-9_.-]*)/y;

function tokensOf(text: string): Token[] | string {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) return `cannot be read from character ${at + 1} on`;
    const [, mark, quoted, word] = match;
    if (mark !== undefined) found.push({ kind: 'mark', text: mark });
    if (word !== undefined) found.push({ kind: 'word', text: word });
    if (quoted === undefined) continue;
    const value = unquoted(quoted);
    if (value === undefined) return 'has a text in it that JSON could not hold';
    found.push({ kind: 'text', text: value });
  }
  return found;
}

function unquoted(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(`"${text}"`);
    return typeof value === 'string' && value.isWellFormed() && !value.includes('\u0000')
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

interface State {
  readonly tokens: readonly Token[];
  at: number;
  terms: number;
  why: string | undefined;
}

function fail(state: State, why: string): undefined {
  state.why ??= why;
  return undefined;
}

const either = (state: State, depth: number): Condition | undefined =>
  chain(state, 'or', () => chain(state, 'and', () => term(state, depth)));

function chain(
  state: State,
  kind: 'and' | 'or',
  next: () => Condition | undefined,
): Condition | undefined {
  const terms = [next()];
  while (takesWord(state, kind)) terms.push(next());
  const all = terms.filter((one) => one !== undefined);
  if (all.length < terms.length) return undefined;
  return all.length === 1 ? all[0] : { kind, terms: all };
}

function term(state: State, depth: number): Condition | undefined {
  if (depth > MAX_DEPTH) return fail(state, `nests deeper than ${MAX_DEPTH} levels`);
  if (++state.terms > MAX_TERMS) return fail(state, `has more than ${MAX_TERMS} terms`);
  if (isMark(state, 1, '(') && takesWord(state, 'not')) {
    const inner = grouped(state, depth);
    return inner && { kind: 'not', term: inner };
  }
  return isMark(state, 0, '(') ? grouped(state, depth) : comparison(state);
}

function grouped(state: State, depth: number): Condition | undefined {
  state.at += 1;
  const inner = either(state, depth + 1);
  if (!isMark(state, 0, ')')) return fail(state, 'has a ( without its )');
  state.at += 1;
  return inner;
}

function comparison(state: State): Condition | undefined {
  const [name, written, value] = state.tokens.slice(state.at, state.at + 3);
  if (name?.kind !== 'word') return fail(state, 'lacks the name of an attribute');
  const attribute = attributeOf(name.text);
  if (attribute === undefined)
    return fail(state, `names ${name.text}, which is no attribute; attributes.<name> is one`);
  const operator = written?.kind === 'word' ? written.text.toLowerCase() : '';
  state.at += 2;
  if (operator === 'pr') return { kind: 'present', attribute };
  const known = OPERATORS.find((one) => one === operator);
  if (known === undefined)
    return fail(state, `lacks an operator after ${name.text}: ${OPERATORS.join(', ')} or pr`);
  state.at += 1;
  if (value?.kind !== 'text' || value.text === '')
    return fail(state, `lacks a text in double quotes after ${name.text} ${operator}`);
  return { kind: 'compare', attribute, operator: known, value: value.text };
}

function attributeOf(name: string): Attribute | undefined {
  const column = COLUMNS.get(name.toLowerCase());
  if (column !== undefined) return column;
  const key = name.startsWith('attributes.') ? name.slice('attributes.'.length) : name;
  return /^[A-Za-z][A-Za-z0-9_-]*$/.test(key) ? { key } : undefined;
}

const isMark = ({ tokens, at }: State, ahead: number, mark: string): boolean => {
  const token = tokens[at + ahead];
  return token?.kind === 'mark' && token.text === mark;
};

function takesWord(state: State, word: string): boolean {
  const token = state.tokens[state.at];
  if (token?.kind !== 'word' || token.text.toLowerCase() !== word) return false;
  state.at += 1;
  return true;
}
