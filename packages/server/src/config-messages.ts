import { type Static, Type } from 'typebox';
import {
  type MailSettings,
  type MessageSettings,
  parseMailbox,
  parseWebhookSecret,
  WEBHOOK_FORMATS,
  type WebhookSettings,
} from './notifications/index.ts';
import type { ConfigProblem, Environment } from './platform/config-sources.ts';
import { readPrivateFile } from './platform/private-file.ts';

const group = <T extends Parameters<typeof Type.Object>[0]>(fields: T) =>
  Type.Object(fields, { additionalProperties: false });
const File = Type.String({ minLength: 1, maxLength: 4096 });
/** Not one of the service's own variables: those are settings. */
const Variable = Type.String({ pattern: '^(?!POSTERN_)[A-Z][A-Z0-9_]{0,127}$' });
const Url = Type.String({ minLength: 1, maxLength: 2048 });

export const MailGroup = group({
  url: Type.Optional(Url),
  url_file: Type.Optional(File),
  from: Type.Optional(Type.String({ maxLength: 300 })),
  allow_plaintext: Type.Optional(Type.Boolean()),
});

/** Of a chat the URL is the secret; so both may come from a file or a variable. */
export const WebhookGroup = group({
  name: Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' }),
  url: Type.Optional(Url),
  url_file: Type.Optional(File),
  url_env: Type.Optional(Variable),
  secret_file: Type.Optional(File),
  secret_env: Type.Optional(Variable),
  format: Type.Optional(Type.Enum([...WEBHOOK_FORMATS])),
  allow_private: Type.Optional(Type.Boolean()),
});

interface Given {
  readonly mail?: Static<typeof MailGroup>;
  readonly webhooks?: readonly Static<typeof WebhookGroup>[];
}

/**
 * Mail and webhooks, with their secrets read. Variables that held one are gone from
 * `environment` afterwards. No problem repeats a URL or a secret.
 */
export function readMessageSettings(
  { mail, webhooks = [] }: Given,
  environment: Environment,
  problems: ConfigProblem[],
): MessageSettings {
  const sources = new Sources(environment, problems);
  const names = webhooks.map(({ name }) => name);
  for (const name of new Set(names.filter((name, i) => names.indexOf(name) !== i)))
    problems.push({ where: `webhooks.${name}`, what: 'is there twice' });
  const settings = {
    mail: mail === undefined ? null : mailOf(mail, sources, problems),
    webhooks: webhooks.flatMap((webhook) => webhookOf(webhook, sources, problems) ?? []),
  };
  sources.forget();
  return settings;
}

/** Texts from the file itself, from a file of their own, or from a variable. */
export class Sources {
  readonly #environment: Environment;
  readonly #problems: ConfigProblem[];
  readonly #read = new Set<string>();

  constructor(environment: Environment, problems: ConfigProblem[]) {
    this.#environment = environment;
    this.#problems = problems;
  }

  one(
    where: string,
    from: { text?: string | undefined; file?: string | undefined; env?: string | undefined },
  ): string | undefined {
    const given = Object.values(from).filter((source) => source !== undefined);
    if (given.length > 1) {
      this.#problems.push({ where, what: 'is given in more than one way' });
      return undefined;
    }
    if (from.file !== undefined) return readPrivateFile(from.file, this.#problems)?.trim();
    if (from.env === undefined) return from.text;
    this.#read.add(from.env);
    const value = this.#environment[from.env];
    if (value === undefined || value === '')
      this.#problems.push({ where, what: `the variable ${from.env} is not set` });
    return value;
  }

  forget(): void {
    for (const name of this.#read) delete this.#environment[name];
  }
}

function mailOf(
  given: Static<typeof MailGroup>,
  sources: Sources,
  problems: ConfigProblem[],
): MailSettings | null {
  const before = problems.length;
  const text = sources.one('mail.url', { text: given.url, file: given.url_file });
  const from = parseMailbox(given.from ?? '');
  const url = urlOf(text, ['smtp:', 'smtps:']);
  if (problems.length === before && url === undefined)
    problems.push({ where: 'mail.url', what: 'must be smtp://… or smtps://…' });
  if (from === undefined)
    problems.push({ where: 'mail.from', what: 'must be an address, or: Name <address>' });
  if (url === undefined || from === undefined) return null;
  return { url, from, allow_plaintext: given.allow_plaintext ?? false };
}

function webhookOf(
  given: Static<typeof WebhookGroup>,
  sources: Sources,
  problems: ConfigProblem[],
): WebhookSettings | undefined {
  const { name, format = 'postern', allow_private = false } = given;
  const where = `webhooks.${name}`;
  const before = problems.length;
  const text = sources.one(`${where}.url`, {
    text: given.url,
    file: given.url_file,
    env: given.url_env,
  });
  const secret = sources.one(`${where}.secret`, {
    file: given.secret_file,
    env: given.secret_env,
  });
  const url = urlOf(text, allow_private ? ['https:', 'http:'] : ['https:']);
  const key = secret === undefined ? null : (parseWebhookSecret(secret) ?? null);
  if (problems.length > before) return undefined;
  if (url === undefined)
    problems.push({ where: `${where}.url`, what: 'must be https://… (http: needs allow_private)' });
  if (secret !== undefined && key === null)
    problems.push({ where: `${where}.secret`, what: 'must be 24 to 64 bytes as base64' });
  if (secret === undefined && format === 'postern')
    problems.push({ where: `${where}.secret`, what: 'is needed: set secret_file or secret_env' });
  if (problems.length > before || url === undefined) return undefined;
  return { name, url, format, key, allow_private };
}

export function urlOf(text: string | undefined, protocols: readonly string[]): URL | undefined {
  const url = URL.canParse(text ?? '') ? new URL(text ?? '') : undefined;
  return url !== undefined && url.hostname !== '' && protocols.includes(url.protocol)
    ? url
    : undefined;
}
