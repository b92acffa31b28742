import fs from 'node:fs';
import type { TSchema } from 'typebox';
import { parseDocument } from 'yaml';

/** One thing that is wrong with the configuration: where, and what. */
export interface ConfigProblem {
  readonly where: string;
  readonly what: string;
}

export type Environment = Record<string, string | undefined>;
type Tree = Record<string, unknown>;

interface ObjectSchema extends TSchema {
  readonly properties: Record<string, TSchema>;
}

/** Variables of the project's own scripts and tests: not settings. */
const NOT_SETTINGS = /^POSTERN_(TEST_|UPDATE_LOCKFILE$|CONFIG$)/;

/** @returns an empty tree for an empty file. */
export function readYaml(file: string, problems: ConfigProblem[]): Tree {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    problems.push({ where: file, what: `cannot be read: ${(error as Error).message}` });
    return {};
  }
  const document = parseDocument(text, { strict: true, uniqueKeys: true });
  for (const { message } of document.errors)
    problems.push({ where: file, what: message.split('\n')[0] ?? message });
  if (document.errors.length > 0) return {};
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    problems.push({ where: file, what: (error as Error).message });
    return {};
  }
  if (value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Tree;
  problems.push({ where: file, what: 'must be a mapping of settings' });
  return {};
}

/**
 * What the POSTERN_* variables say, in the schema's shape: `listen.port` is
 * POSTERN_LISTEN_PORT, a list is separated by commas. A POSTERN_* variable that is no
 * setting is a problem: a misspelt one must not fall back to a default.
 */
export function readEnvironment(
  schema: TSchema,
  environment: Environment,
  known: readonly string[],
  problems: ConfigProblem[],
): Tree {
  const tree: Tree = {};
  const left = new Set(
    Object.keys(environment).filter(
      (name) => name.startsWith('POSTERN_') && !NOT_SETTINGS.test(name) && !known.includes(name),
    ),
  );
  for (const [path, leaf] of leaves(schema as ObjectSchema)) {
    const name = `POSTERN_${path.join('_').toUpperCase()}`;
    left.delete(name);
    const text = environment[name];
    if (text !== undefined && text !== '') put(tree, path, parse(text, leaf));
  }
  for (const name of left) problems.push({ where: name, what: 'is not a setting' });
  return tree;
}

/** Settings of `over` win; groups of settings are joined. */
export function merge(under: Tree, over: Tree): Tree {
  const merged: Tree = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name];
    merged[name] = isTree(below) && isTree(value) ? merge(below, value) : value;
  }
  return merged;
}

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function* leaves(schema: ObjectSchema, path: string[] = []): Generator<[string[], TSchema]> {
  for (const [name, child] of Object.entries(schema.properties)) {
    if ('properties' in child) yield* leaves(child as ObjectSchema, [...path, name]);
    else yield [[...path, name], child];
  }
}

/** Text that is not of the leaf's type stays text, so that the schema reports it. */
function parse(text: string, leaf: TSchema): unknown {
  const { type } = leaf as { type?: string };
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  if (type === 'array')
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  return text;
}

function put(tree: Tree, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const name of path.slice(0, -1)) {
    const next = isTree(at[name]) ? at[name] : {};
    at[name] = next;
    at = next;
  }
  at[path.at(-1) as string] = value;
}
