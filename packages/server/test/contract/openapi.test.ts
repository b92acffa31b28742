import { readFileSync } from 'node:fs';
import { type Operation, operations } from '@postern/shared';
import { beforeAll, describe, expect, it } from 'vitest';
import { OPENAPI_FILE, openapiText } from '../../../../scripts/openapi.ts';

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>
  >;
}

describe('the OpenAPI document', () => {
  let text: string;
  let document: Document;
  beforeAll(async () => {
    text = await openapiText();
    document = JSON.parse(text);
  });

  it('docs/openapi.json is what the routes say', () => {
    // Write it anew: node scripts/run.mjs scripts/openapi.ts
    expect(readFileSync(OPENAPI_FILE, 'utf8') === text).toBe(true);
  });

  it('has every operation of the table under its method and path, and no other', () => {
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { operationId }]) =>
        [operationId, method.toUpperCase(), path].join(' '),
      ),
    );
    const wanted = Object.values(operations).map(({ id, method, path }) =>
      [id, method, path].join(' '),
    );
    expect(described.sort()).toEqual(wanted.sort());
  });

  it('says of every operation what it answers, refusals included', () => {
    const list: readonly Operation[] = Object.values(operations);
    for (const { id, method, path, ok } of list) {
      const { responses } = document.paths[path]![method.toLowerCase()]!;
      expect([id, ...Object.keys(responses)]).toEqual([id, ...Object.keys(ok), 'default']);
    }
  });
});
