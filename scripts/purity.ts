import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { type Finding, type Report, reportOf } from './report.ts';
import { codeFiles } from './sources.ts';

/** What a ring may not do, whatever it imports. The value says what to do instead. */
export const BANS = {
  async: 'a core decides at once: take what you would wait for as an argument',
  clock: 'take the instant as an argument (a service has tx.now)',
  randomness: 'take it as an argument (a service has tx.ids)',
  world: 'nothing of the process or the network here: take it as an argument',
} as const;
export type Ban = keyof typeof BANS;

const EVERY_BAN: readonly Ban[] = ['async', 'clock', 'randomness', 'world'];

/** Names that mean the ban wherever they stand: called, imported, renamed, or as a property. */
const NAMES: Readonly<Record<string, Ban>> = {
  Promise: 'async',
  performance: 'clock',
  Temporal: 'clock',
  console: 'world',
  fetch: 'world',
  process: 'world',
  queueMicrotask: 'world',
  setImmediate: 'world',
  setInterval: 'world',
  setTimeout: 'world',
};
const RANDOM_NAME = /^(random(UUID|Bytes|Int|Fill)|getRandomValues|generate(Key|Prime))/;
const DATE_READS_NO_CLOCK = new Set(['parse', 'UTC', 'prototype']);

/** The bans of a file by its ring, or none outside the server's features. */
export function bansFor(file: string): readonly Ban[] {
  const inFeature = /^packages\/server\/src\/(?!platform\/)[^/]+\/(.+)$/.exec(file);
  if (!inFeature) return [];
  const ring = /^(service|routes|store|jobs|index)[-./]/.exec(inFeature[1] ?? '')?.[1];
  if (ring === undefined) return EVERY_BAN;
  return ring === 'service' ? ['clock', 'randomness', 'world'] : ['clock', 'randomness'];
}

export function purity(root: string): Report {
  const files = codeFiles(root).filter((file) => bansFor(file).length > 0);
  const findings = files.flatMap((file) =>
    firstOfEach(purityFindings(file, readFileSync(join(root, file), 'utf8'))),
  );
  return reportOf(findings, `${files.length} files`);
}

/** A file that waits once waits everywhere: its first finding of each rule says enough. */
function firstOfEach(findings: readonly Finding[]): Finding[] {
  return [...Map.groupBy(findings, (finding) => finding.rule).values()].flatMap((same) => {
    const [first, ...more] = same;
    if (!first) return [];
    return more.length === 0
      ? [first]
      : [{ ...first, detail: `${first.detail} (and ${more.length} more)` }];
  });
}

/** Reads the syntax tree, so that a comment or a string that names a ban is no finding. */
export function purityFindings(file: string, text: string): Finding[] {
  const bans = new Set(bansFor(file));
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const findings: Finding[] = [];
  const visit = (node: ts.Node): void => {
    const ban = banOf(node);
    if (ban !== null && bans.has(ban)) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
      const written = node.getText(source).split('\n')[0] ?? '';
      const detail = `\`${written.slice(0, 60)}\`: ${BANS[ban]}`;
      findings.push({ rule: `pure-${ban}`, file, line, detail });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return findings;
}

function banOf(node: ts.Node): Ban | null {
  if (node.kind === ts.SyntaxKind.AsyncKeyword || node.kind === ts.SyntaxKind.AwaitKeyword)
    return 'async';
  if (ts.isAwaitExpression(node)) return 'async';
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return 'world';
  if (ts.isIdentifier(node)) return banOfName(node);
  return null;
}

function banOfName(node: ts.Identifier): Ban | null {
  const name = node.text;
  if (isDeclaredName(node)) return null;
  if (name === 'Date') return readsClock(node) ? 'clock' : null;
  if (name === 'Math') return isOnlyMemberAccess(node, 'random') ? null : 'randomness';
  if (RANDOM_NAME.test(name)) return 'randomness';
  const ban = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  if (ban === undefined) return null;
  // `job.process` or `{ process: … }` is somebody's field; `globalThis.process` is not.
  return isFieldName(node) && !isGlobalMember(node) ? null : ban;
}

/** `Date` is harmless in a type, as `new Date(x)`, `instanceof Date`, `Date.parse`, `Date.UTC`. */
function readsClock(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isTypeNode(parent) || ts.isTypeQueryNode(parent)) return false;
  if (ts.isNewExpression(parent) && parent.expression === node)
    return (parent.arguments?.length ?? 0) === 0;
  if (ts.isBinaryExpression(parent) && parent.right === node)
    return parent.operatorToken.kind !== ts.SyntaxKind.InstanceOfKeyword;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === node)
    return !DATE_READS_NO_CLOCK.has(parent.name.text);
  return true;
}

/** Whether `node` is used as `node.member` with another member than `except`, and in no other way. */
function isOnlyMemberAccess(node: ts.Identifier, except: string): boolean {
  const parent = node.parent;
  if (!ts.isPropertyAccessExpression(parent) || parent.expression !== node) return false;
  return parent.name.text !== except;
}

function isFieldName(node: ts.Identifier): boolean {
  const parent = node.parent;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    (ts.isPropertySignature(parent) && parent.name === node)
  );
}

function isGlobalMember(node: ts.Identifier): boolean {
  const parent = node.parent;
  return ts.isPropertyAccessExpression(parent) && parent.expression.getText() === 'globalThis';
}

/** The name of a parameter or a function of the file's own is a declaration, not a use. */
function isDeclaredName(node: ts.Identifier): boolean {
  const parent = node.parent;
  return (
    (ts.isFunctionDeclaration(parent) || ts.isParameter(parent) || ts.isMethodSignature(parent)) &&
    parent.name === node
  );
}
