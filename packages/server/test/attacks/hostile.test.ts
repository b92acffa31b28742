import {
  type OperationId,
  operations,
  Problem,
  RequestTypeDefinition,
  SecurityPolicy,
  ServerDocument,
  UserDocument,
} from '@postern/shared';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeCursor } from '../../src/platform/paging.ts';
import { anything, broken, type Schema, shapeOf } from '../contract/shapes.ts';
import {
  apply,
  approvedFor,
  type Demo,
  makeUser,
  methodFor,
  raisedBy,
  withDemo,
} from '../kit/flow.ts';
import { halfOf, type Kit, onBoth } from '../kit/index.ts';
import { must, PREFIX } from '../kit/service.ts';
import { enrolTestGateway, openAs, signedHeaders } from '../kit/sessions.ts';

const CURSORS = [encodeCursor('019cadc6-9a80-711c-9543-734286db22db'), 'AAAA', '\u0000'];
const SEED = 20_260_302;
const RUNS = 20;

/** Bodies that the OpenAPI leaves open, because the service answers one error for each fault in them. */
const OPEN_BODIES: Readonly<Partial<Record<OperationId, Schema>>> = {
  createSecurityPolicy: SecurityPolicy as Schema,
  replaceSecurityPolicy: SecurityPolicy as Schema,
  createRequestType: RequestTypeDefinition as Schema,
  apply: {
    type: 'object',
    required: ['dry_run', 'documents'],
    properties: {
      dry_run: { const: true },
      documents: {
        type: 'array',
        minItems: 1,
        items: { anyOf: [ServerDocument as Schema, UserDocument as Schema] },
      },
    },
  },
};

/** 5xx answers that are said, not suffered: what is asked for is not there. */
const SAID: Readonly<Record<string, readonly OperationId[]>> = {
  recording_unavailable: ['getRecording'],
  host_key_mismatch: ['openSession'],
  unavailable: ['openSession', 'admitSession'],
};

/** As the OpenAPI document has it. */
interface Operation {
  readonly operationId: OperationId;
  readonly parameters?: Described['parameters'];
  readonly requestBody?: { readonly content?: Record<string, { schema: Schema }> };
}

interface Described {
  readonly id: OperationId;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly parameters: readonly { in: string; name: string; schema: Schema; required?: boolean }[];
  readonly body: Schema | undefined;
}

onBoth('whatever is sent', (kit) => {
  const demo = withDemo(kit);
  let described: Map<string, Described>;
  let known: Known;

  beforeAll(async () => {
    described = await describedBy(demo);
    known = await knownIn(kit, demo);
  });

  const list = Object.keys(operations) as OperationId[];
  const last = (id: OperationId): number => (operations[id].method === 'DELETE' ? 1 : 0);
  describe.each([...list].sort((a, b) => last(a) - last(b)))('%s', (id) => {
    it('answers it, and never with a fault of ours', async () => {
      const operation = described.get(id)!;
      const { parameters } = operation;
      const place = fc.array(fc.nat(7), { minLength: 1, maxLength: 5 });
      const body = operation.body && shapeOf(operation.body, known);
      const given = fc.record(
        Object.fromEntries(parameters.map((p) => [p.name, parameterOf(p, operation.path)])),
        {
          requiredKeys: parameters.filter((p) => p.in === 'path').map((p) => p.name),
        },
      );
      const odd = fc.option(fc.tuple(place, anything), { freq: 1, nil: undefined });
      await fc.assert(
        fc.asyncProperty(
          given,
          body ?? fc.constant(undefined),
          odd,
          async (params, sent, other) => {
            const payload = other && sent !== undefined ? broken(sent, ...other) : sent;
            const answer = await send(operation, params, payload);
            const facts = [id, params, payload, answer.statusCode, answer.payload.slice(0, 300)];
            expect([fault(id, answer.statusCode, answer.headers, answer.payload), facts]).toEqual([
              undefined,
              facts,
            ]);
          },
        ),
        halfOf(kit, SEED, RUNS),
      );
      expect(demo.service.faults.splice(0)).toEqual([]);
    });
  });

  /** An id of the kind that the path is about, mostly; a cursor, seldom. */
  function parameterOf({ name, schema }: Described['parameters'][number], path: string) {
    if (name === 'cursor') return fc.constantFrom(...CURSORS);
    const own = Object.entries(known.by_path).find(([part]) => path.includes(part))?.[1];
    const any = shapeOf(schema, known);
    if (name !== 'id' || own === undefined) return any;
    return fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...own) },
      { weight: 1, arbitrary: any },
    );
  }

  async function send(
    { id, method, path, parameters }: Described,
    params: Record<string, unknown>,
    body: unknown,
  ) {
    const text = (name: string): string => encodeURIComponent(wellFormed(String(params[name])));
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
      name === 'team' ? 'demo' : text(name),
    );
    const query = parameters
      .filter((p) => p.in === 'query' && params[p.name] !== undefined)
      .map((p) => `${p.name}=${text(p.name)}`)
      .join('&');
    const url = query === '' ? filled : `${filled}?${query}`;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const bytes = Buffer.from(payload ?? '');
    const relative = filled.slice(PREFIX.length);
    const headers =
      operations[id].access === 'gateway'
        ? signedHeaders(kit, demo.gateway, method, relative, bytes)
        : { authorization: `Bearer ${demo.tokens.all}`, 'if-match': '"1"' };
    if ('sse' in operations[id]) {
      const { stream, ...answer } = await demo.service.app
        .inject({ method, url, headers, payloadAsStream: true })
        .then((response) => ({
          ...response,
          stream: response.stream(),
          statusCode: response.statusCode,
          headers: response.headers,
        }));
      const isStream = answer.statusCode === 200;
      const text = isStream ? '' : Buffer.concat(await stream.toArray()).toString();
      stream.destroy();
      return { statusCode: answer.statusCode, headers: answer.headers, payload: text };
    }
    return demo.service.app.inject({
      method,
      url,
      headers: {
        ...headers,
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(payload === undefined ? {} : { payload }),
    });
  }
});

const wellFormed = (text: string): string => text.toWellFormed();

/** What is wrong with an answer; undefined when nothing is. */
function fault(
  id: OperationId,
  status: number,
  headers: Record<string, unknown>,
  payload: string,
): string | undefined {
  if (status < 300) {
    if ('sse' in operations[id] || id === 'getRecording') return undefined;
    const schema = (operations[id].ok as unknown as Record<number, never>)[status];
    if (schema === undefined) return `answers ${status}`;
    if (status === 204) return payload === '' ? undefined : 'answers a body with 204';
    const body = JSON.parse(payload);
    return Value.Check(schema, body) ? undefined : 'the answer does not match its schema';
  }
  if (!String(headers['content-type']).startsWith('application/problem+json'))
    return 'no problem document';
  const problem = JSON.parse(payload);
  if (!Value.Check(Problem, problem)) return 'not a problem document';
  if (status >= 500 && !SAID[problem.code]?.includes(id)) return problem.code;
  // Who logs in with nonsense is told so; everybody else here has a token.
  return status === 401 && operations[id].access !== 'public' ? 'not authenticated' : undefined;
}

async function describedBy({ service }: Demo): Promise<Map<string, Described>> {
  const document = (await service.app.inject('/openapi.json')).json();
  const found = new Map<string, Described>();
  for (const [path, item] of Object.entries<Record<string, Operation>>(document.paths))
    for (const [method, operation] of Object.entries<Operation>(item)) {
      const id = operation.operationId;
      const content = operation.requestBody?.content;
      found.set(id, {
        id,
        method: method.toUpperCase() as 'GET',
        path,
        parameters: operation.parameters ?? [],
        body: OPEN_BODIES[id] ?? content?.['application/json']?.schema,
      });
    }
  return found;
}

interface Known {
  readonly ids: string[];
  readonly names: string[];
  /** Ids of the kind that paths with this in them are about. */
  readonly by_path: Readonly<Record<string, string[]>>;
}

/** What is there, for the shapes to name; the one who sends all this is not among it. */
async function knownIn(kit: Kit, demo: Demo): Promise<Known> {
  const roles = ['security_admin', 'pam_admin', 'auditor', 'resource_admin', 'end_user'];
  await apply(demo, 'pat', [{ kind: 'Group', name: 'all', roles }]);
  const groups = ['all', 'linux-users', 'linux-approvers'];
  await makeUser(demo, 'all', { groups, manager: 'dana' });
  const approved = await approvedFor(demo, 'ellis');
  const method = await methodFor(demo, 'ellis');
  const requests = [
    approved,
    await raisedBy(demo, 'ellis', 'pamadmin2'),
    await raisedBy(demo, 'all'),
  ];
  const { response } = await openAs(demo.service, demo.tokens.ellis!, { ...method });
  const other = await enrolTestGateway(kit, demo.service, demo.tokens, 'other');
  const { server, users, policy, request_type } = demo.ids;
  const by_path = {
    '/access_requests/': requests.map((request) => request.id),
    '/sessions/': [(must(response).session as { id: string }).id],
    '/gateways/': [other.id],
    '/users/': [users.ana!, users.ellis!],
    '/groups/': [demo.ids.groups['linux-approvers']!],
    '/inventory/': [server],
    '/security_policy/': [policy],
    '/request_types/': [request_type],
  };
  return {
    by_path,
    ids: Object.values(by_path).flat(),
    names: ['ana', 'ellis', 'linux-users', 'opa-demo-linux', 'pamadmin1', 'demo', '127.0.0.1', 'x'],
  };
}
