import { fastify } from 'fastify';
import { Type } from 'typebox';

/**
 * What `resolve` is held against: Fastify as it comes, no log, no authentication, one JSON
 * POST with a schema for its body and its answer, answering what the service answers.
 * Started as a process; the answer is read from its standard input.
 */
const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const answer: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));

const app = fastify({ logger: false });
app.post(
  '/resolve',
  {
    schema: {
      body: Type.Object(
        { names: Type.Array(Type.String({ minLength: 1, maxLength: 253 }), { maxItems: 20 }) },
        { additionalProperties: false },
      ),
      response: { 200: schemaOf(answer) },
    },
  },
  async () => answer,
);
const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${url}\n`);

/** A schema of exactly the shape of a value, so that Fastify's serializer knows every field. */
function schemaOf(value: unknown): object {
  if (Array.isArray(value)) return { type: 'array', items: schemaOf(value[0] ?? '') };
  if (value === null) return { type: 'null' };
  if (typeof value !== 'object') return { type: typeof value };
  const properties = Object.entries(value).map(([key, inner]) => [key, schemaOf(inner)] as const);
  return { type: 'object', properties: Object.fromEntries(properties) };
}
