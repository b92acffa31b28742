import { isLabelKey, isLabelValue } from './labels.ts';

/** All requirements of a selector must hold; an empty selector fits everything. */
export type LabelSelector = readonly LabelRequirement[];

export type LabelRequirement =
  /** The label is there with one of the values. */
  | { readonly op: 'in'; readonly key: string; readonly values: readonly string[] }
  /** The label is not there, or has another value. */
  | { readonly op: 'not_in'; readonly key: string; readonly values: readonly string[] }
  | { readonly op: 'exists'; readonly key: string }
  | { readonly op: 'not_exists'; readonly key: string };

export type ParsedSelector =
  | { readonly ok: true; readonly selector: LabelSelector }
  /** `at`: where in the text, from 0. `expected`: what would have been right there. */
  | { readonly ok: false; readonly at: number; readonly expected: string };

const MAX_TEXT = 4096;
const MAX_REQUIREMENTS = 50;
const MAX_VALUES = 100;

/**
 * Kubernetes' label-selector syntax: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`,
 * `a`, `!a`, with commas for "and". Reads the text once, in linear time.
 */
export function parseLabelSelector(text: string): ParsedSelector {
  if (text.length > MAX_TEXT) return refuse(MAX_TEXT, `at most ${MAX_TEXT} characters`);
  if (text.trim() === '') return { ok: true, selector: [] };
  try {
    return { ok: true, selector: readSelector(new Tokens(text)) };
  } catch (error) {
    if (error instanceof Unexpected) return refuse(error.at, error.expected);
    throw error;
  }
}

/** Whether a thing with these labels is selected. */
export function matchesLabels(
  selector: LabelSelector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return selector.every((requirement) => {
    const { key } = requirement;
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (requirement.op) {
      case 'in':
        return value !== undefined && requirement.values.includes(value);
      case 'not_in':
        return value === undefined || !requirement.values.includes(value);
      case 'exists':
        return value !== undefined;
      case 'not_exists':
        return value === undefined;
      default:
        return requirement satisfies never;
    }
  });
}

/** Thrown and caught in this file only. */
class Unexpected extends Error {
  readonly at: number;
  readonly expected: string;
  constructor(at: number, expected: string) {
    super(expected);
    this.at = at;
    this.expected = expected;
  }
}

interface Token {
  /** A word, one of the signs below, or empty at the end. */
  readonly text: string;
  readonly at: number;
}

const TOKEN = /[ \t]*(?:([A-Za-z0-9._/-]+)|(==|!=|[=!,()]))?/y;

class Tokens {
  readonly #text: string;
  #next: Token;
  #end = 0;

  constructor(text: string) {
    this.#text = text;
    this.#next = this.#read();
  }

  peek(): Token {
    return this.#next;
  }

  take(): Token {
    const token = this.#next;
    this.#next = this.#read();
    return token;
  }

  /** Takes the next token when it is one of `signs`. */
  takeIf(...signs: readonly string[]): string | undefined {
    return signs.includes(this.#next.text) ? this.take().text : undefined;
  }

  #read(): Token {
    TOKEN.lastIndex = this.#end;
    const match = TOKEN.exec(this.#text);
    const text = match?.[1] ?? match?.[2] ?? '';
    this.#end = TOKEN.lastIndex;
    const at = this.#end - text.length;
    if (text === '' && at < this.#text.length) {
      throw new Unexpected(at, 'a letter, a digit, or one of - _ . / = ! , ( )');
    }
    return { text, at };
  }
}

function readSelector(tokens: Tokens): LabelSelector {
  const requirements: LabelRequirement[] = [];
  do {
    if (requirements.length === MAX_REQUIREMENTS) {
      throw new Unexpected(tokens.peek().at, `at most ${MAX_REQUIREMENTS} requirements`);
    }
    requirements.push(readRequirement(tokens));
  } while (tokens.takeIf(',') !== undefined);
  if (tokens.peek().text !== '') throw new Unexpected(tokens.peek().at, 'a comma or the end');
  return requirements;
}

function readRequirement(tokens: Tokens): LabelRequirement {
  if (tokens.takeIf('!') !== undefined) return { op: 'not_exists', key: readKey(tokens) };
  const key = readKey(tokens);
  if (tokens.takeIf('=', '==') !== undefined) return { op: 'in', key, values: [readValue(tokens)] };
  if (tokens.takeIf('!=') !== undefined) return { op: 'not_in', key, values: [readValue(tokens)] };
  if (tokens.takeIf('in') !== undefined) return { op: 'in', key, values: readValues(tokens) };
  if (tokens.takeIf('notin') !== undefined)
    return { op: 'not_in', key, values: readValues(tokens) };
  const next = tokens.peek();
  if (next.text !== '' && next.text !== ',') {
    throw new Unexpected(next.at, 'one of = == != in notin, a comma or the end');
  }
  return { op: 'exists', key };
}

function readKey(tokens: Tokens): string {
  const { text, at } = tokens.take();
  if (!isLabelKey(text)) throw new Unexpected(at, 'a label key');
  return text;
}

/** Empty before a comma and at the end: `a=` asks for the empty value. */
function readValue(tokens: Tokens): string {
  const next = tokens.peek();
  if (next.text === '' || next.text === ',') return '';
  tokens.take();
  if (!isLabelValue(next.text)) throw new Unexpected(next.at, 'a label value');
  return next.text;
}

function readValues(tokens: Tokens): readonly string[] {
  if (tokens.takeIf('(') === undefined) throw new Unexpected(tokens.peek().at, '(');
  const values: string[] = [];
  do {
    const { text, at } = tokens.take();
    if (text === '' || !isLabelValue(text)) throw new Unexpected(at, 'a label value');
    if (values.length === MAX_VALUES) throw new Unexpected(at, `at most ${MAX_VALUES} values`);
    values.push(text);
  } while (tokens.takeIf(',') !== undefined);
  if (tokens.takeIf(')') === undefined) throw new Unexpected(tokens.peek().at, 'a comma or )');
  return values;
}

function refuse(at: number, expected: string): ParsedSelector {
  return { ok: false, at, expected };
}
