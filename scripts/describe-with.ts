import { describe } from 'vitest';
import { missing, type Tool } from './needs.ts';

/**
 * A suite that needs programs of the machine. Where one is missing its tests are skipped,
 * and their name says why: `npm test` adds them up by that reason.
 */
export function describeWith(tools: readonly Tool[], name: string, suite: () => void): void {
  const lacking = missing(tools);
  if (lacking.length === 0) describe(name, suite);
  else describe.skip(`${name} [needs ${lacking.join(', ')}]`, suite);
}
