import swagger from '@fastify/swagger';
import { Problem } from '@postern/shared';
import type { FastifyInstance } from 'fastify';

interface Described {
  paths?: Record<string, Record<string, { responses?: Record<string, unknown> }>>;
  components?: { schemas?: Record<string, unknown> };
}

const PROBLEM_RESPONSE = {
  description: 'Refused (RFC 9457)',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** The OpenAPI 3.1 document at /openapi.json, made from the routes registered after this. */
export async function registerOpenapi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Postern',
        version,
        description: 'Self-hosted, just-in-time privileged access over SSH.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          dpop: {
            type: 'http',
            scheme: 'DPoP',
            description:
              'Access token of a login at /oauth, with a proof of its key in the DPoP header (RFC 9449)',
          },
          gateway: {
            type: 'http',
            scheme: 'signature',
            description: 'HTTP message signature (RFC 9421) of an enrolled gateway',
          },
        },
      },
      security: [{ bearer: [] }, { dpop: [] }],
    },
    transformObject: (document) => {
      const described = ('openapiObject' in document ? document.openapiObject : {}) as Described;
      return withProblems(described) as never;
    },
  });
  // One copy for everybody: it is large, and whoever does not read it keeps it.
  let text: Buffer | undefined;
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    text ??= Buffer.from(JSON.stringify(app.swagger()));
    return reply.type('application/json; charset=utf-8').send(text);
  });
}

/** Every operation may answer a problem document. */
function withProblems(document: Described): Described {
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem },
  };
  for (const item of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(item))
      operation.responses = { ...operation.responses, default: PROBLEM_RESPONSE };
  }
  return document;
}
