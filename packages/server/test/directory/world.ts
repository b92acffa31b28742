import { instant, type OperationId, operations } from '@postern/shared';
import { Ajv } from 'ajv';
import Fastify, { type FastifyInstance } from 'fastify';
import { type ApplyPorts, registerApplyRoutes } from '../../src/apply/index.ts';
import { registerAuditRoutes } from '../../src/audit/index.ts';
import { bootstrapTeam, changeOf, registerDirectoryRoutes } from '../../src/directory/index.ts';
import {
  addToken,
  authenticate,
  type Caller,
  createPresent,
  permit,
  registerIdentityRoutes,
} from '../../src/identity/index.ts';
import { registerInventoryRoutes } from '../../src/inventory/index.ts';
import { bearer } from '../../src/platform/credentials.ts';
import { type FieldError, Refusal } from '../../src/platform/errors.ts';
import { toProblem } from '../../src/platform/problem.ts';
import type { Tx } from '../../src/platform/tx.ts';
import {
  createKeyring,
  type Keyring,
  keyringCheck,
  parseMasterKey,
} from '../../src/vault/index.ts';
import type { Kit } from '../kit/index.ts';

export const TEAM = 'demo';

/** People, groups and one server, as the features' own routes see them. */
export const PEOPLE = [
  { kind: 'Group', name: 'security', roles: ['security_admin'] },
  { kind: 'Group', name: 'auditors', roles: ['auditor'] },
  { kind: 'Group', name: 'linux-approvers' },
  { kind: 'User', login: 'dana', name: 'Dana Reyes', unix_name: 'dana', groups: ['owners'] },
  { kind: 'User', login: 'sam', name: 'Sam Ode', unix_name: 'sam', groups: ['security'] },
  {
    kind: 'User',
    login: 'ana',
    name: 'Ana Lima',
    email: 'ana@example.test',
    unix_name: 'ana',
    manager: 'dana',
  },
  { kind: 'User', login: 'ben', name: 'Ben Okoro', groups: ['linux-approvers'] },
  { kind: 'User', login: 'audrey', name: 'Audrey Fox', groups: ['auditors'] },
];

export const HOST_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ';
export const OTHER_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGwNpGjmXtpJ3CoUkRHY0MnN5DBXd53gbvdNP8KhjYN4';

export const INVENTORY = [
  { kind: 'ResourceGroup', name: 'demo', owners: ['dana'], projects: ['demo'] },
  {
    kind: 'Server',
    resource_group: 'demo',
    project: 'demo',
    hostname: 'opa-demo-linux',
    alt_names: ['opa.example.com'],
    access_address: '127.0.0.1',
    access_port: 2222,
    allow_local_address: true,
    labels: { env: 'demo' },
    host_keys: [HOST_KEY],
    accounts: [{ username: 'pamadmin1', credential: { type: 'password', password: 'first pass' } }],
  },
];

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by what tests expect of them
  readonly body: any;
  readonly headers: Record<string, unknown>;
  /** `pointer code` of each fault. */
  readonly faults: string[];
}

export class World {
  readonly hooked: string[] = [];
  readonly applied: unknown[] = [];
  readonly faults: unknown[] = [];
  readonly refused: string[] = [];
  readonly tokens = new Map<string, string>();
  readonly kit: Kit;
  readonly keyring: Keyring = testKeyring();
  app!: FastifyInstance;
  bootstrap = '';

  constructor(kit: Kit) {
    this.kit = kit;
  }

  async open(): Promise<void> {
    const team = await this.kit.transact((tx) =>
      bootstrapTeam(tx, {
        team: TEAM,
        demo: false,
        keyring_check: keyringCheck(this.keyring),
        bootstrap_token: true,
      }),
    );
    this.bootstrap = team.bootstrap_token ?? '';
    this.tokens.set('bootstrap', this.bootstrap);
    this.app = await this.#app();
    must(await this.apply('bootstrap', PEOPLE));
    for (const { login } of PEOPLE) if (login !== undefined) await this.login(login);
  }

  /** Gives the user a token that nobody else issued, as a login will. */
  async login(login: string): Promise<string> {
    const user = await this.user(login);
    const made = await this.kit.transact((tx) =>
      addToken(tx, {
        user_id: user.id,
        name: 'test',
        issued_by: null,
        expires_at: instant(tx.now + 24 * 3_600_000),
      }),
    );
    this.tokens.set(login, made.token);
    return made.token;
  }

  apply(login: string, documents: readonly object[], dry_run = false): Promise<Answer> {
    return this.call(login, 'apply', {}, { documents, dry_run });
  }

  /** Calls as `login`, or with `login` as the token itself, or as nobody. */
  async call(
    login: string | null,
    id: OperationId,
    params: Record<string, string> = {},
    body?: object,
  ): Promise<Answer> {
    const { method, path } = operations[id];
    const rest = new URLSearchParams(params);
    const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      rest.delete(name);
      return encodeURIComponent(name === 'team' ? (params.team ?? TEAM) : (params[name] ?? ''));
    });
    const token = login === null ? undefined : (this.tokens.get(login) ?? login);
    const response = await this.app.inject({
      method,
      url: rest.size > 0 ? `${url}?${rest}` : url,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { payload: body }),
    });
    const answer = response.body === '' ? null : response.json();
    const faults = ((answer?.errors ?? []) as FieldError[]).map((e) => `${e.pointer} ${e.code}`);
    return { status: response.statusCode, body: answer, headers: response.headers, faults };
  }

  async user(login: string): Promise<{ id: string; status: string; manager_made_by: string[] }> {
    return await this.kit.db.sql
      .selectFrom('users')
      .selectAll()
      .where('login', '=', login)
      .executeTakeFirstOrThrow();
  }

  async group(name: string): Promise<string> {
    const row = await this.kit.db.sql
      .selectFrom('groups')
      .select('id')
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
    return row.id;
  }

  async server(hostname = 'opa-demo-linux'): Promise<Answer['body']> {
    return must(await this.call('sam', 'listInventory', { hostname })).list[0];
  }

  async revision(id: string): Promise<number> {
    const row = await this.kit.db.sql
      .selectFrom('revisions')
      .select('revision')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    return row.revision;
  }

  /** Types of the events written since the given count, in order. */
  async events(): Promise<
    { type: string; details: Record<string, unknown>; actor: unknown; targets: unknown }[]
  > {
    return await this.kit.db.sql
      .selectFrom('audit_events')
      .select(['type', 'details', 'actor', 'targets'])
      .orderBy('id')
      .execute();
  }

  /** What `act` wrote to the log. */
  async eventsOf(act: () => Promise<unknown>): Promise<string[]> {
    const before = (await this.events()).length;
    await act();
    return (await this.events()).slice(before).map((event) => event.type);
  }

  async caller(login: string): Promise<Caller> {
    return await this.kit.transact((tx) => authenticate(tx, bearer(this.tokens.get(login)!)));
  }

  async #app(): Promise<FastifyInstance> {
    const app = Fastify();
    const strict = new Ajv({ strict: false });
    const coercing = new Ajv({ strict: false, coerceTypes: true });
    app.setValidatorCompiler(({ schema, httpPart }) =>
      (httpPart === 'querystring' ? coercing : strict).compile(schema as object),
    );
    app.setErrorHandler((error, request, reply) => {
      const [problem, fault] = toProblem(error, request.id);
      if (fault === 'ours') this.faults.push(error);
      return reply.code(problem.status).type('application/problem+json').send(problem);
    });
    app.setSerializerCompiler(() => JSON.stringify);
    const hook =
      (name: string) =>
      async (_: Tx, id: string): Promise<void> => {
        this.hooked.push(`${name} ${id}`);
      };
    const ports: ApplyPorts = {
      applyRequestType: async (_, __, definition) => this.#taken('RequestType', definition),
      applyPolicy: async (_, __, policy) => this.#taken('SecurityPolicy', policy),
    };
    const world = {
      team: TEAM,
      transact: this.kit.transact,
      present: createPresent(() => []),
      authenticate,
      spend: async () => undefined,
      permit,
      clock: { assertSafe: () => {} },
      refused: async (_: unknown, refusal: Refusal) => {
        this.refused.push(refusal.code);
      },
      hooks: {
        userDisabled: hook('userDisabled'),
        serverMoved: hook('serverMoved'),
        serverRemoved: hook('serverRemoved'),
        accountRemoved: hook('accountRemoved'),
      },
      keyring: this.keyring,
      staticTokens: true,
      ports,
    };
    registerIdentityRoutes(app, world);
    registerDirectoryRoutes(app, world);
    registerInventoryRoutes(app, world);
    registerApplyRoutes(app, world);
    registerAuditRoutes(app, world);
    await app.ready();
    return app;
  }

  #taken(kind: string, content: unknown) {
    const { name, wrong } = content as { name: string; wrong?: boolean };
    if (wrong)
      throw new Refusal('policy_invalid', 'It is wrong.', {
        errors: [{ pointer: '/rules/0', code: 'wrong', detail: 'is wrong' }],
      });
    this.applied.push(content);
    return changeOf(kind, name, true, []);
  }
}

function testKeyring(): Keyring {
  const master = parseMasterKey(
    Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7)).toString('base64'),
  );
  if (!master.ok) throw new Error(master.reason);
  const keyring = createKeyring([master.value]);
  if (!keyring.ok) throw new Error(keyring.reason);
  return keyring.value;
}

/** The body of an answer that must have succeeded. */
export function must(answer: Answer): Answer['body'] {
  if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
