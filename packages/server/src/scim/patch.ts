import { badPath, badSyntax, badValue } from './fault.ts';
import { type Path, parsePath } from './filter.ts';
import { isObject, refuseDangerousNames } from './resource.ts';
import { PATCH_OP } from './schemas.ts';

/** One operation of a PATCH (RFC 7644 §3.5.2) on one attribute. */
export interface Operation {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: Path;
  readonly value: unknown;
}

const MAX_OPERATIONS = 1_000;
const OPS = new Set(['add', 'remove', 'replace']);

/**
 * The operations of a PATCH body in order; one without a path is one for each attribute of
 * its value. `op` has no case: one provider sends `Replace`.
 *
 * @throws ScimFault
 */
export function readOperations(body: unknown): Operation[] {
  if (!isObject(body)) throw badSyntax('The body is not a PatchOp.');
  refuseDangerousNames(body);
  const { schemas, Operations } = body;
  if (!(Array.isArray(schemas) && schemas.includes(PATCH_OP)))
    throw badSyntax(`schemas does not name ${PATCH_OP}.`);
  if (!Array.isArray(Operations) || Operations.length === 0)
    throw badSyntax('Operations is not a list with at least one operation.');
  if (Operations.length > MAX_OPERATIONS)
    throw badSyntax(`A PATCH takes at most ${MAX_OPERATIONS} operations.`);
  const operations = Operations.flatMap(readOperation);
  if (operations.length > MAX_OPERATIONS)
    throw badSyntax(`A PATCH takes at most ${MAX_OPERATIONS} operations.`);
  return operations;
}

function readOperation(given: unknown): Operation[] {
  if (!isObject(given)) throw badSyntax('An operation is not an object.');
  const op = typeof given.op === 'string' ? given.op.toLowerCase() : '';
  if (!OPS.has(op)) throw badSyntax('op is add, remove or replace.');
  const { path, value } = given;
  const kind = op as Operation['op'];
  if (path !== undefined && path !== null) {
    if (typeof path !== 'string') throw badPath('A path is text.');
    if (kind !== 'remove' && value === undefined) throw badValue('value is missing.');
    return [{ op: kind, path: parsePath(path), value }];
  }
  if (kind === 'remove') throw badPath('remove needs a path.');
  if (!isObject(value)) throw badValue('Without a path, value is an object of attributes.');
  return Object.entries(value).map(([name, inner]) => ({
    op: kind,
    path: parsePath(name),
    value: inner,
  }));
}

/** A path that names an attribute and nothing within it. */
export const isWhole = ({ filter, sub }: Path): boolean => filter === null && sub === null;
