import { expect, test } from 'vitest';
import { type Operation, operations } from '../../src/index.ts';

/** Places in a schema where an object would take fields that it does not name. */
function openObjects(schema: unknown, at: string): string[] {
  if (schema === null || typeof schema !== 'object') return [];
  if (Array.isArray(schema)) return schema.flatMap((item, i) => openObjects(item, `${at}/${i}`));
  const { type, properties, additionalProperties } = schema as Record<string, unknown>;
  const isOpen = type === 'object' && properties !== undefined && additionalProperties !== false;
  const inside = Object.entries(schema).flatMap(([key, item]) => openObjects(item, `${at}/${key}`));
  return isOpen ? [at, ...inside] : inside;
}

/** What its feature checks field by field, with better words than a schema has. */
const CHECKED_BY_THE_SERVICE = [
  'apply/body/properties/documents/items',
  'createSecurityPolicy/body',
  'replaceSecurityPolicy/body',
  'createRequestType/body',
  'replaceRequestType/body',
];

test('no operation takes a field that its schema does not name', () => {
  const open = Object.values(operations as Record<string, Operation>).flatMap(
    ({ id, body, query, params }) => [
      ...openObjects(body, `${id}/body`),
      ...openObjects(query, `${id}/query`),
      ...openObjects(params, `${id}/params`),
    ],
  );
  expect(open.filter((place) => !CHECKED_BY_THE_SERVICE.includes(place))).toEqual([]);
});
