import { readFileSync } from 'node:fs';
import { NewWorkloadConnection } from '@postern/shared';
import { Value } from 'typebox/value';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { faultsOf, type Written } from '../../src/workload/validate.ts';

const GUIDE = readFileSync(new URL('../../../../docs/guides/ci.md', import.meta.url), 'utf8');

it('every connection in the guide is one that the service takes', () => {
  const connections = [...GUIDE.matchAll(/^( *)```yaml\n(.*?)^ *```/gms)]
    .map(([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
    .map((text) => parse(text) as Record<string, unknown>)
    .filter((value) => 'provider' in value);
  expect(connections.map(({ name }) => name)).toEqual(['github', 'gitlab']);
  for (const connection of connections) {
    expect(Value.Check(NewWorkloadConnection, connection)).toBe(true);
    const surroundings = { public_url: 'https://postern.example.com', isPlainAllowed: () => false };
    expect(faultsOf(connection as unknown as Written, surroundings)).toEqual([]);
  }
});
