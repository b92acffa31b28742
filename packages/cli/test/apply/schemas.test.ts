import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DocumentKind, FILE_DOCUMENTS } from '@postern/shared';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { SCHEMA_FOLDER, schemaTexts } from '../../../../scripts/schemas.ts';

const examples = join(import.meta.dirname, '../../../../examples');

describe('the JSON Schemas of what is applied', () => {
  it('docs/schemas is what the code says', () => {
    // Write it anew: node scripts/run.mjs scripts/schemas.ts
    const texts = schemaTexts();
    expect(readdirSync(SCHEMA_FOLDER).sort()).toEqual([...texts.keys()].sort());
    for (const [file, text] of texts) {
      const written = readFileSync(join(SCHEMA_FOLDER, file), 'utf8');
      expect([file, written === text]).toEqual([file, true]);
    }
  });

  it.each(['demo', 'request-workflows'])(
    'every document of examples/%s fits its schema',
    (folder) => {
      const files = readdirSync(join(examples, folder)).filter((name) => name.endsWith('.yaml'));
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) {
        const text = readFileSync(join(examples, folder, file), 'utf8');
        for (const document of parseAllDocuments(text)) {
          const value = document.toJS() as { kind: DocumentKind };
          const faults = [...Value.Errors(FILE_DOCUMENTS[value.kind], value)];
          expect([file, value.kind, faults]).toEqual([file, value.kind, []]);
        }
      }
    },
  );

  it('a secret written into a file does not fit, nor an unknown field', () => {
    const server = (credential: unknown) => ({
      kind: 'Server',
      resource_group: 'demo',
      project: 'demo',
      hostname: 'host',
      access_address: '192.0.2.1',
      accounts: [{ username: 'root', credential }],
    });
    const named = server({ type: 'password', from_env: 'X' });
    const fits = (value: unknown) => Value.Check(FILE_DOCUMENTS.Server, value);
    expect(fits(named)).toBe(true);
    expect(fits(server({ type: 'password', password: 'x' }))).toBe(false);
    expect(fits({ ...named, color: 'red' })).toBe(false);
  });
});
