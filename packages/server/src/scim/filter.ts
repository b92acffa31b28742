import { badFilter, badPath } from './fault.ts';

// The grammar of RFC 7644 §3.4.2.2 and §3.5.2, read by hand. The library's own parser writes
// to Object.prototype for `__proto__.x eq 1`, multiplies brackets out (twelve of them are 4096
// terms), and takes `not (a and b)` for `not a and not b`.

export type Operator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le';
export type Literal = string | number | boolean | null;

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Filter[] }
  | { readonly kind: 'not'; readonly term: Filter }
  /** Attribute names are in lower case: in SCIM their case means nothing. */
  | {
      readonly kind: 'compare';
      readonly attribute: string;
      readonly operator: Operator;
      readonly value: Literal;
    }
  | { readonly kind: 'present'; readonly attribute: string }
  /** Some value of a multi-valued attribute for which the filter holds. */
  | { readonly kind: 'some'; readonly attribute: string; readonly filter: Filter };

/** `attribute`, `attribute.sub`, `attribute[filter]`, `attribute[filter].sub`. */
export interface Path {
  readonly attribute: string;
  readonly filter: Filter | null;
  readonly sub: string | null;
}

const MAX_LENGTH = 2_000;
const MAX_DEPTH = 12;
const MAX_TERMS = 60;
/** Names that lead from an object to what all objects share. */
export const DANGEROUS = /__proto__|constructor|prototype/i;
const OPERATORS = new Set<string>(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']);

/** @throws ScimFault `invalidFilter` */
export function parseFilter(text: string): Filter {
  const parser = new Parser(text, badFilter);
  const filter = parser.either(0);
  parser.end();
  return filter;
}

/** @throws ScimFault `invalidPath` */
export function parsePath(text: string): Path {
  const parser = new Parser(text, badPath);
  const attribute = parser.name();
  const filter = parser.takes('[') ? parser.bracketed(0) : null;
  const sub = filter === null ? null : parser.sub();
  parser.end();
  return { attribute, filter, sub };
}

type Token =
  | { readonly kind: 'mark'; readonly text: string }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'value'; readonly value: Literal };

// Each alternative is linear, and no two of them begin alike.
const TOKEN =
  /[ \t]+|([()[\]])|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?)|(\.?[A-Za-z$][A-Za-z0-9$_:.-]*)/y;

class Parser {
  readonly #tokens: Token[];
  readonly #fault: (detail: string) => Error;
  #at = 0;
  #terms = 0;

  constructor(text: string, fault: (detail: string) => Error) {
    this.#fault = fault;
    this.#tokens = tokens(text, fault);
  }

  either(depth: number): Filter {
    return this.#chain('or', () => this.#chain('and', () => this.#term(depth)));
  }

  bracketed(depth: number): Filter {
    const filter = this.either(depth + 1);
    this.#expect(']');
    return filter;
  }

  name(): string {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' || token.text.startsWith('.'))
      throw this.#fault('An attribute name is expected.');
    this.#at += 1;
    return token.text.toLowerCase();
  }

  /** What stands behind a bracket. */
  sub(): string | null {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' || !token.text.startsWith('.')) return null;
    this.#at += 1;
    return token.text.slice(1).toLowerCase();
  }

  takes(mark: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'mark' || token.text !== mark) return false;
    this.#at += 1;
    return true;
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw this.#fault('It goes on where it should end.');
  }

  #chain(kind: 'and' | 'or', term: () => Filter): Filter {
    const terms = [term()];
    while (this.#takesWord(kind)) terms.push(term());
    return terms.length === 1 ? (terms[0] as Filter) : { kind, terms };
  }

  #term(depth: number): Filter {
    if (depth > MAX_DEPTH) throw this.#fault(`It nests deeper than ${MAX_DEPTH} levels.`);
    if (++this.#terms > MAX_TERMS) throw this.#fault(`It has more than ${MAX_TERMS} terms.`);
    if (this.#takesWord('not')) {
      this.#expect('(');
      return { kind: 'not', term: this.#grouped(depth) };
    }
    if (this.takes('(')) return this.#grouped(depth);
    const attribute = this.name();
    if (!this.takes('[')) return this.#comparison(attribute);
    const filter = this.bracketed(depth);
    const sub = this.sub();
    const both = sub === null ? filter : this.#also(filter, this.#comparison(sub));
    return { kind: 'some', attribute, filter: both };
  }

  #also = (filter: Filter, more: Filter): Filter => ({ kind: 'and', terms: [filter, more] });

  #grouped(depth: number): Filter {
    const filter = this.either(depth + 1);
    this.#expect(')');
    return filter;
  }

  #comparison(attribute: string): Filter {
    const token = this.#tokens[this.#at++];
    const operator = token?.kind === 'word' ? token.text.toLowerCase() : '';
    if (operator === 'pr') return { kind: 'present', attribute };
    if (!OPERATORS.has(operator)) throw this.#fault(`After ${attribute} an operator is expected.`);
    return { kind: 'compare', attribute, operator: operator as Operator, value: this.#literal() };
  }

  #literal(): Literal {
    const token = this.#tokens[this.#at++];
    if (token?.kind === 'value') return token.value;
    const word = token?.kind === 'word' ? token.text.toLowerCase() : '';
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === 'null') return null;
    throw this.#fault('A value is expected, text in double quotes.');
  }

  #takesWord(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' || token.text.toLowerCase() !== word) return false;
    this.#at += 1;
    return true;
  }

  #expect(mark: string): void {
    if (!this.takes(mark)) throw this.#fault(`A ${mark} is expected.`);
  }
}

function tokens(text: string, fault: (detail: string) => Error): Token[] {
  if (text.length > MAX_LENGTH) throw fault(`It is longer than ${MAX_LENGTH} characters.`);
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw fault(`It cannot be read from character ${at + 1} on.`);
    const [, mark, quoted, number, word] = match;
    if (mark !== undefined) found.push({ kind: 'mark', text: mark });
    if (quoted !== undefined) found.push({ kind: 'value', value: unquoted(quoted, fault) });
    if (number !== undefined) found.push({ kind: 'value', value: Number(number) });
    if (word !== undefined) {
      if (DANGEROUS.test(word)) throw fault('There is no attribute of this name.');
      found.push({ kind: 'word', text: word });
    }
  }
  return found;
}

/** A string as JSON has it (RFC 7644 takes its values from there). */
function unquoted(text: string, fault: (detail: string) => Error): string {
  try {
    const value: unknown = JSON.parse(`"${text}"`);
    if (typeof value === 'string' && value.isWellFormed() && !value.includes('\u0000'))
      return value;
  } catch {}
  throw fault('A text in it is not one that JSON could hold.');
}

/** Whether the filter holds for one value of a multi-valued attribute. */
export function holdsFor(filter: Filter, value: Readonly<Record<string, unknown>>): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.terms.every((term) => holdsFor(term, value));
    case 'or':
      return filter.terms.some((term) => holdsFor(term, value));
    case 'not':
      return !holdsFor(filter.term, value);
    case 'some':
      return false;
    case 'present':
      return fieldOf(value, filter.attribute) != null;
    case 'compare':
      return compares(fieldOf(value, filter.attribute), filter.operator, filter.value);
  }
}

function fieldOf(value: Readonly<Record<string, unknown>>, name: string): unknown {
  const found = Object.entries(value).find(([key]) => key.toLowerCase() === name);
  return found?.[1];
}

function compares(held: unknown, operator: Operator, wanted: Literal): boolean {
  const [a, b] = [comparable(held), comparable(wanted)];
  switch (operator) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'co':
      return a.includes(b);
    case 'sw':
      return a.startsWith(b);
    case 'ew':
      return a.endsWith(b);
    case 'gt':
      return a > b;
    case 'ge':
      return a >= b;
    case 'lt':
      return a < b;
    case 'le':
      return a <= b;
  }
}

const comparable = (value: unknown): string =>
  value === null || value === undefined ? '' : String(value).toLowerCase();
