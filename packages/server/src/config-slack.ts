import { type Static, Type } from 'typebox';
import type { SlackSettings } from './chat/index.ts';
import { Sources, urlOf } from './config-messages.ts';
import type { ConfigProblem, Environment } from './platform/config-sources.ts';

const File = Type.String({ minLength: 1, maxLength: 4096 });
/** Not one of the service's own variables: those are settings. */
const Variable = Type.String({ pattern: '^(?!POSTERN_)[A-Z][A-Z0-9_]{0,127}$' });

export const SlackGroup = Type.Object(
  {
    signing_secret_file: Type.Optional(File),
    signing_secret_env: Type.Optional(Variable),
    bot_token_file: Type.Optional(File),
    bot_token_env: Type.Optional(Variable),
    workspace_id: Type.String({ pattern: '^T[A-Z0-9]{2,20}$' }),
    api_url: Type.Optional(Type.String({ minLength: 1, maxLength: 2048 })),
    allow_private: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

const API_URL = 'https://slack.com/api';

/**
 * Slack, with its secrets read; null where it is not set up. Variables that held one are gone
 * from `environment` afterwards. No problem repeats a secret.
 */
export function readSlackSettings(
  { slack: given }: { readonly slack?: Static<typeof SlackGroup> },
  environment: Environment,
  problems: ConfigProblem[],
): SlackSettings | null {
  if (given === undefined) return null;
  const before = problems.length;
  const sources = new Sources(environment, problems);
  const secret = (name: 'signing_secret' | 'bot_token', form: RegExp, like: string): string => {
    const known = problems.length;
    const where = `slack.${name}`;
    const text = sources.one(where, { file: given[`${name}_file`], env: given[`${name}_env`] });
    if (problems.length > known) return '';
    if (text === undefined)
      problems.push({ where, what: `is needed: set ${name}_file or ${name}_env` });
    else if (!form.test(text)) problems.push({ where, what: `must be ${like}` });
    return text ?? '';
  };
  const signing_secret = secret('signing_secret', /^[0-9a-f]{32,128}$/, 'what Slack shows, in hex');
  const bot_token = secret('bot_token', /^xoxb-[A-Za-z0-9-]{1,255}$/, 'the one that begins xoxb-');
  sources.forget();
  const { workspace_id, allow_private = false } = given;
  const protocols = allow_private ? ['https:', 'http:'] : ['https:'];
  const api_url = urlOf((given.api_url ?? API_URL).replace(/\/+$/, ''), protocols);
  if (api_url === undefined || api_url.username !== '' || api_url.search !== '')
    problems.push({
      where: 'slack.api_url',
      what: 'must be https://… (http: needs allow_private), with no user and no query',
    });
  if (problems.length > before || api_url === undefined) return null;
  return { signing_secret, bot_token, workspace_id, api_url, allow_private };
}
