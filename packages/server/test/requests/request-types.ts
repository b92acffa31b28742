import type { References } from '../../src/requests/parse-sets.ts';
import { readRequestType } from '../../src/requests/request-type.ts';

export const references: References = {
  groups: new Map([
    ['linux-approvers', 'g1'],
    ['security', 'g2'],
    ['linux-admins', 'g3'],
    ['windows-admins', 'g4'],
  ]),
  users: new Map([['dana@example.com', { id: 'u1', name: 'Dana Reyes' }]]),
};

export type Json = { [key: string]: unknown };

export const server = (): Json => ({
  name: 'Server access approval',
  purpose: 'server_access',
  audience: 'everyone',
  fields: [
    {
      key: 'justification',
      prompt: 'Why do you need it?',
      type: 'text',
      required: true,
      max_length: 2000,
    },
  ],
  steps: [
    {
      name: 'Server manager',
      needs: {
        either: [
          { any: 1, of: ['manager'] },
          { any: 2, of: ['group:linux-approvers'] },
        ],
      },
      timeout: '24h',
      on_timeout: 'expire',
    },
  ],
  on_approved: ['grant_access'],
  on_denied: ['deny_access'],
});

export const membership = (): Json => ({
  name: 'Administrators for a while',
  purpose: 'group_membership',
  audience: { groups: ['linux-approvers'] },
  fields: [
    { key: 'why', prompt: 'Why?', type: 'text' },
    {
      key: 'choice',
      prompt: 'Which?',
      type: 'choice',
      required: true,
      options: [{ value: 'linux-admins', label: 'Linux administrators' }, 'windows-admins'],
    },
    {
      key: 'until',
      prompt: 'Until when?',
      type: 'date',
      required: true,
      zone: 'Europe/Berlin',
      max_ahead: '90d',
    },
    { key: 'length', prompt: 'How long?', type: 'duration', required: true, min: '1h', max: '30d' },
  ],
  steps: [{ name: 'Owner', needs: { any: 1, of: ['group_owner', 'user:dana@example.com'] } }],
  on_approved: [{ add_to_group: { group: '$choice', until: '$until' } }],
});

/** A copy with the value at the pointer replaced (undefined: taken out). */
export function altered(base: Json, pointer: string, value: unknown): Json {
  const copy = structuredClone(base);
  const path = pointer.slice(1).split('/');
  const last = path.pop() ?? '';
  let at: Json = copy;
  for (const key of path) at = at[key] as Json;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

export const faults = (input: unknown): string[] => {
  const read = readRequestType(input, references);
  return read.ok ? [] : read.errors.map((e) => `${e.pointer} ${e.code}`);
};

export const need = '/steps/0/needs';
export const leaf = { any: 1, of: ['manager'] };

/** What is changed in which definition, and the one fault it brings. */
export type Case = [name: string, base: Json, pointer: string, value: unknown, expected: string];

/** The faults of a definition with one thing changed; each must say what would be right. */
export function faultsOf(base: Json, pointer: string, value: unknown, expected: string): string[] {
  const read = readRequestType(altered(base, pointer, value), references);
  const errors = read.ok ? [] : read.errors;
  for (const { detail } of errors)
    if (detail.length < 10) throw new Error(`says little: ${detail}`);
  // A field at fault cannot be what an action refers to: that is the same fault seen twice.
  const twice = (at: string) => expected.startsWith('/fields/') && at.startsWith('/on_approved');
  return errors.filter((e) => !twice(e.pointer)).map((e) => `${e.pointer} ${e.code}`);
}
