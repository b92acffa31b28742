import { printable } from '@postern/shared';
import type { Shortfall } from './liveness.ts';
import type { ApproverSet } from './model.ts';

/** What a step that cannot be met lacks, for people: `2 of group:approvers (1 could)`. */
export const missingIn = (missing: readonly Shortfall[]): string =>
  printable(
    missing
      .map((m) => `${m.any} of ${m.of.map(setName).join(', ')} (${m.eligible} could)`)
      .join('; '),
  );

const setName = (set: ApproverSet): string =>
  'name' in set ? `${set.kind}:${set.name}` : set.kind;
