import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FILE_DOCUMENTS } from '@postern/shared';

/** JSON Schemas (2020-12) of what `sft-admin apply -f` reads, for editors; a test holds them to the code. */
export const SCHEMA_FOLDER = fileURLToPath(new URL('../docs/schemas', import.meta.url));

const HEAD = { $schema: 'https://json-schema.org/draft/2020-12/schema' };

/** File name → text. `documents.json` fits every document; the others one kind each. */
export function schemaTexts(): ReadonlyMap<string, string> {
  const kinds = Object.keys(FILE_DOCUMENTS);
  const texts = new Map<string, unknown>();
  for (const [kind, schema] of Object.entries(FILE_DOCUMENTS))
    texts.set(`${fileOf(kind)}.json`, { ...HEAD, title: kind, ...schema });
  texts.set('documents.json', {
    ...HEAD,
    title: 'A document of sft-admin apply',
    type: 'object',
    required: ['kind'],
    properties: { kind: { enum: kinds } },
    allOf: kinds.map((kind) => ({
      if: { properties: { kind: { const: kind } }, required: ['kind'] },
      // biome-ignore lint/suspicious/noThenProperty: that is how JSON Schema calls it.
      then: { $ref: `./${fileOf(kind)}.json` },
    })),
  });
  return new Map([...texts].map(([file, value]) => [file, `${JSON.stringify(value, null, 2)}\n`]));
}

const fileOf = (kind: string): string =>
  kind.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  mkdirSync(SCHEMA_FOLDER, { recursive: true });
  for (const [file, text] of schemaTexts()) writeFileSync(join(SCHEMA_FOLDER, file), text);
}
