import path from 'node:path';
import { type Seconds, seconds } from '@postern/shared';
import { Ajv, type ErrorObject } from 'ajv';
import { type Static, Type } from 'typebox';
import type { SlackSettings } from './chat/index.ts';
import { MailGroup, readMessageSettings, WebhookGroup } from './config-messages.ts';
import { OidcGroup, readOidcSettings } from './config-oidc.ts';
import { readSlackSettings, SlackGroup } from './config-slack.ts';
import type { MessageSettings } from './notifications/index.ts';
import {
  type ConfigProblem,
  type Environment,
  merge,
  readEnvironment,
  readYaml,
} from './platform/config-sources.ts';
import { StartupError } from './platform/errors.ts';
import { MASTER_KEY_VARIABLES, readMasterKey } from './platform/master-key.ts';
import { isLoopback, isNetwork } from './platform/networks.ts';
import type { PushSettings } from './push/index.ts';
import type { OidcSettings } from './upstream/index.ts';
import type { WorkloadSettings } from './workload/index.ts';

const group = <T extends Parameters<typeof Type.Object>[0]>(fields: T) =>
  Type.Object(fields, { additionalProperties: false });
const File = Type.String({ minLength: 1, maxLength: 4096 });
const Port = Type.Integer({ minimum: 0, maximum: 65535 });
const Host = Type.String({ pattern: '^[A-Za-z0-9.:_-]{1,253}$' });

/** Every setting, in the file as here and as POSTERN_* variables; unknown ones are refused. */
const Settings = group({
  team: Type.Optional(Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' })),
  listen: Type.Optional(group({ host: Type.Optional(Host), port: Type.Optional(Port) })),
  public_url: Type.Optional(Type.String({ pattern: '^https?://[^\\s?#@]+$', maxLength: 2048 })),
  tls: Type.Optional(group({ cert_file: File, key_file: File })),
  trusted_proxies: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 100 })),
  data_dir: Type.Optional(File),
  recording_dir: Type.Optional(File),
  database_url: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
  database_pool_size: Type.Optional(Type.Integer({ minimum: 2, maximum: 200 })),
  bootstrap_token_file: Type.Optional(File),
  master_key_file: Type.Optional(File),
  log_level: Type.Optional(
    Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  ),
  gateway: Type.Optional(
    group({
      enabled: Type.Optional(Type.Boolean()),
      host: Type.Optional(Host),
      port: Type.Optional(Port),
      public_host: Type.Optional(Host),
    }),
  ),
  session: Type.Optional(
    group({ max_seconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 86_400 })) }),
  ),
  login: Type.Optional(
    group({ max_seconds: Type.Optional(Type.Integer({ minimum: 300, maximum: 43_200 })) }),
  ),
  requests_per_minute: Type.Optional(Type.Integer({ minimum: 60, maximum: 100_000_000 })),
  mail: Type.Optional(MailGroup),
  webhooks: Type.Optional(Type.Array(WebhookGroup, { maxItems: 20 })),
  slack: Type.Optional(SlackGroup),
  oidc: Type.Optional(OidcGroup),
  scim: Type.Optional(group({ private_hosts: Type.Optional(Type.Array(Host, { maxItems: 100 })) })),
  static_tokens: Type.Optional(Type.Boolean()),
  workload: Type.Optional(
    group({ private_hosts: Type.Optional(Type.Array(Host, { maxItems: 100 })) }),
  ),
  demo: Type.Optional(Type.Boolean()),
  demo_clock_speed: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
});
type Settings = Static<typeof Settings>;

export interface Config {
  readonly team: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** How browsers and clients reach the service, without a slash at the end. */
  readonly public_url: string | undefined;
  readonly tls: { readonly cert_file: string; readonly key_file: string } | undefined;
  /** Addresses and networks whose forwarding headers count. */
  readonly trusted_proxies: readonly string[];
  readonly data_dir: string;
  readonly recording_dir: string;
  /** Set: PostgreSQL. Unset: PGlite in `data_dir`. */
  readonly database_url: string | undefined;
  readonly database_pool_size: number;
  readonly bootstrap_token_file: string | undefined;
  readonly master_key: Buffer | undefined;
  readonly log_level: string;
  readonly gateway: {
    readonly enabled: boolean;
    readonly host: string;
    readonly port: number;
    readonly public_host: string;
  };
  /** Of one token, or of one address without a token. */
  readonly requests_per_minute: number;
  readonly session: { readonly max_seconds: Seconds };
  /** How long a login of a program lasts. */
  readonly login: { readonly max_seconds: Seconds };
  /** Where people are told. Holds secrets. */
  readonly messages: MessageSettings;
  /** null: nobody is heard from Slack. Holds secrets. */
  readonly slack: SlackSettings | null;
  /** null: people log in here alone. Holds a secret. */
  readonly oidc: OidcSettings | null;
  /** Which hosts with private addresses group push may tell. */
  readonly push: PushSettings;
  /** Whether people may have tokens that no login gave them. */
  readonly static_tokens: boolean;
  /** Which issuers of job tokens may have private addresses. */
  readonly workload: WorkloadSettings;
  readonly demo: boolean;
  /** How many times as fast as the machine's the clock of a demo runs; 1 in earnest. */
  readonly demo_clock_speed: number;
}

export interface ConfigSources {
  /** A YAML file; POSTERN_CONFIG when not given. */
  readonly file?: string;
  /** Usually process.env. Variables that hold secrets are deleted from it. */
  readonly environment: Environment;
  /** Whether this command opens the vault. */
  readonly masterKey: 'required' | 'unused';
}

const SECRET_VARIABLES = [...MASTER_KEY_VARIABLES, 'POSTERN_DATABASE_URL', 'POSTERN_MAIL_URL'];

/**
 * Reads the file, then the variables, which win. All problems are reported together.
 *
 * @throws StartupError exit 78
 */
export function loadConfig({ file, environment, masterKey }: ConfigSources): Config {
  const problems: ConfigProblem[] = [];
  const source = file ?? environment.POSTERN_CONFIG;
  const fromFile = source === undefined ? {} : readYaml(source, problems);
  const fromVariables = readEnvironment(Settings, environment, MASTER_KEY_VARIABLES, problems);
  const raw = merge(fromFile, fromVariables);
  problems.push(...schemaProblems(raw));
  // Only strings reach the reader of the key, whatever the schema said of the rest.
  const keyFile = typeof raw.master_key_file === 'string' ? raw.master_key_file : undefined;
  const master_key = readMasterKey(environment, keyFile, problems);
  for (const name of SECRET_VARIABLES) delete environment[name];
  if (masterKey === 'required' && master_key === undefined && problems.length === 0)
    problems.push({
      where: 'master_key',
      what: 'is needed: set POSTERN_MASTER_KEY_FILE to a file (mode 0600) made with: openssl rand -base64 32',
    });
  if (problems.length === 0) problems.push(...networkProblems(raw));
  const readable = problems.length === 0 ? raw : {};
  const messages = readMessageSettings(readable, environment, problems);
  const slack = readSlackSettings(readable, environment, problems);
  const oidc = readOidcSettings(readable, environment, problems);
  if (problems.length > 0) throw refused(problems);
  return { ...complete(raw, master_key), messages, slack, oidc };
}

function complete(
  given: Settings,
  master_key: Buffer | undefined,
): Omit<Config, 'messages' | 'slack' | 'oidc'> {
  const { listen = {}, gateway = {} } = given;
  const data_dir = path.resolve(given.data_dir ?? 'postern-data');
  const gatewayHost = gateway.host ?? '127.0.0.1';
  return {
    team: given.team ?? 'main',
    listen: { host: listen.host ?? '127.0.0.1', port: listen.port ?? 4747 },
    public_url: given.public_url?.replace(/\/+$/, ''),
    tls: given.tls,
    trusted_proxies: given.trusted_proxies ?? [],
    data_dir,
    recording_dir: path.resolve(given.recording_dir ?? path.join(data_dir, 'recordings')),
    database_url: given.database_url,
    database_pool_size: given.database_pool_size ?? 10,
    bootstrap_token_file: given.bootstrap_token_file,
    master_key,
    log_level: given.log_level ?? 'info',
    gateway: {
      enabled: gateway.enabled ?? true,
      host: gatewayHost,
      port: gateway.port ?? 2022,
      public_host: gateway.public_host ?? gatewayHost,
    },
    session: { max_seconds: seconds(given.session?.max_seconds ?? 8 * 3_600) },
    login: { max_seconds: seconds(given.login?.max_seconds ?? 12 * 3_600) },
    requests_per_minute: given.requests_per_minute ?? 6_000,
    push: { private_hosts: given.scim?.private_hosts ?? [] },
    static_tokens: given.static_tokens ?? false,
    workload: { private_hosts: given.workload?.private_hosts ?? [] },
    demo: given.demo ?? false,
    demo_clock_speed: given.demo_clock_speed ?? 1,
  };
}

const validate = new Ajv({ allErrors: true, strict: true }).compile(Settings);

function schemaProblems(raw: unknown): ConfigProblem[] {
  return validate(raw) ? [] : (validate.errors ?? []).map(schemaProblem);
}

/** Names what is wrong, never what was given: it may be a secret. */
function schemaProblem({ instancePath, keyword, params, message }: ErrorObject): ConfigProblem {
  const parts = instancePath.split('/').slice(1);
  if (keyword === 'additionalProperties')
    return { where: [...parts, params.additionalProperty].join('.'), what: 'is not a setting' };
  if (keyword === 'required')
    return { where: [...parts, params.missingProperty].join('.'), what: 'is missing' };
  return { where: parts.join('.'), what: message ?? keyword };
}

function networkProblems(settings: Settings): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const proxies = settings.trusted_proxies ?? [];
  for (const proxy of proxies) {
    if (!isNetwork(proxy))
      problems.push({ where: 'trusted_proxies', what: `${proxy} is no address or network` });
  }
  const host = settings.listen?.host ?? '127.0.0.1';
  if (!isLoopback(host) && settings.tls === undefined && proxies.length === 0)
    problems.push({
      where: 'listen.host',
      what: `${host} can be reached from elsewhere: set tls or trusted_proxies, or listen on 127.0.0.1`,
    });
  if (settings.public_url?.startsWith('http:')) {
    const { hostname } = new URL(settings.public_url);
    if (!isLoopback(hostname.replace(/^\[|\]$/g, '')))
      problems.push({ where: 'public_url', what: 'must be https: unless it is loopback' });
  }
  return problems;
}

function refused(problems: readonly ConfigProblem[]): StartupError {
  const lines = problems.map(({ where, what }) => `  ${where || 'configuration'}: ${what}`);
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new StartupError(`the configuration has ${count}:\n${lines.join('\n')}`);
}
