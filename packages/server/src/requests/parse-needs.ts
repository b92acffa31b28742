import { REQUEST_TYPE_LIMITS as LIMITS } from '@postern/shared';
import { fault, type Place, readInteger, readList, readObject, required, under } from './faults.ts';
import type { ApproverSet, Need } from './model.ts';
import { readSets, type SetContext } from './parse-sets.ts';

/** A tree of `{any, of}`, `{all}` and `{either}`, at most so deep that its schema can spell it out. */
export function readNeed(
  value: unknown,
  place: Place,
  context: SetContext,
  depth: number = LIMITS.depth,
): Need | undefined {
  const kind = kindOf(value);
  if (kind === undefined)
    return fault(place, 'invalid_value', 'must be {any, of}, {all} or {either}');
  if (kind === 'any') return readLeaf(value, place, context);
  if (depth === 0)
    return fault(place, 'out_of_range', `all and either nest at most ${LIMITS.depth} deep`);
  const fields = readObject(value, place, [kind]);
  const parts =
    fields &&
    required(fields, kind, place, (list, at) =>
      readList(list, at, { min: 1, max: LIMITS.parts }, (part, partAt) =>
        readNeed(part, partAt, context, depth - 1),
      ),
    );
  if (parts === undefined) return undefined;
  return kind === 'all' ? { all: parts } : { either: parts };
}

/** Told by the field that is there; undefined where none or several are. */
function kindOf(value: unknown): 'any' | 'all' | 'either' | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const has = (key: string) => Object.hasOwn(value, key);
  const kinds = [
    has('any') || has('of') ? 'any' : '',
    has('all') ? 'all' : '',
    has('either') ? 'either' : '',
  ];
  const found = kinds.filter((k) => k !== '');
  return found.length === 1 ? (found[0] as 'any' | 'all' | 'either') : undefined;
}

function readLeaf(value: unknown, place: Place, context: SetContext): Need | undefined {
  const fields = readObject(value, place, ['any', 'of']);
  if (fields === undefined) return undefined;
  const before = place.faults.length;
  const any = required(fields, 'any', place, (n, at) =>
    readInteger(n, at, { min: 1, max: LIMITS.any }),
  );
  const of = required(fields, 'of', place, (list, at) => readSets(list, at, context));
  if (any === undefined || of === undefined || place.faults.length > before) return undefined;
  const most = atMost(of);
  if (any > most)
    return fault(under(place, 'any'), 'out_of_range', `these sets yield at most ${most}`);
  return { any, of };
}

/** How many people sets can yield whatever their groups hold. */
const atMost = (sets: readonly ApproverSet[]): number =>
  sets.reduce((sum, { kind }) => sum + (kind === 'manager' || kind === 'user' ? 1 : Infinity), 0);

/** In how many ways one part can be chosen at every `either`. */
export function alternativesOf(need: Need): number {
  if ('any' in need) return 1;
  if ('all' in need) return need.all.reduce((product, n) => product * alternativesOf(n), 1);
  return need.either.reduce((sum, n) => sum + alternativesOf(n), 0);
}
