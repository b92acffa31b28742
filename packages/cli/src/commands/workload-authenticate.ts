import type { ServiceToken } from '@postern/shared';
import { apiOf } from '../api/client.ts';
import { HttpFault } from '../api/port.ts';
import { nobody } from '../authorize.ts';
import { command } from '../command.ts';
import type { World } from '../context.ts';
import { Failure, interrupted, usage } from '../failure.ts';
import { lines } from '../render/view.ts';
import { readSettings, type Settings } from '../settings.ts';

type Shown = Partial<ServiceToken> & { readonly mask?: string };

export const workloadAuthenticate = command({
  summary: 'In a job: exchange the provider’s token for one of Postern',
  help: [
    'Prints the token, for SFT_TOKEN of the commands that follow. The provider’s token is read',
    'from the variable that --jwt-env names, never from an argument; without it, a job of GitHub',
    'Actions that has `id-token: write` asks GitHub for one.',
  ].join('\n'),
  flags: {
    connection: { value: 'NAME', summary: 'the connection that trusts the provider' },
    'jwt-env': { value: 'VAR', summary: 'the variable that holds the provider’s token' },
    audience: { value: 'URL', summary: 'for whom GitHub makes it; the service by default' },
    'github-env': { summary: 'set SFT_TOKEN for the steps that follow, and print no token' },
  },
  async run({ world, flags, globals }): Promise<Shown> {
    const { connection } = flags;
    if (connection === undefined)
      throw usage(
        'No connection is named.',
        'Pass --connection NAME, as an administrator made it.',
      );
    const settings = await readSettings(world, globals);
    const file = flags['github-env'] ? githubEnv(world) : undefined;
    const jwt =
      flags['jwt-env'] === undefined
        ? await askGithub(world, flags.audience ?? settings.url.href.replace(/\/$/, ''))
        : fromVariable(world, flags['jwt-env']);
    const made = await anonymous(world, settings).call('issueWorkloadToken', {
      params: { connection },
      body: { jwt },
    });
    if (file === undefined) return made;
    await append(world, file, `SFT_TOKEN=${made.token}\n`);
    return { expires_at: made.expires_at, service_user: made.service_user, mask: made.token };
  },
  // GitHub then shows *** wherever the token would stand in the log of the job.
  view: lines<Shown>(({ token, mask }) => [token ?? `::add-mask::${mask}`]),
});

const anonymous = (world: World, settings: Settings) => apiOf(world, settings, nobody);

function fromVariable({ env }: World, name: string): string {
  const jwt = env[name]?.trim();
  if (jwt !== undefined && jwt !== '') return jwt;
  throw new Failure(
    'configuration',
    `${name} is not set, or empty.`,
    'Let the provider put its token there: see the examples in docs/guides/ci.md.',
  );
}

/**
 * The runner's own token endpoint.
 * https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
 */
async function askGithub(world: World, audience: string): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: text, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = world.env;
  if (!text || !token)
    throw usage(
      'There is no token of a provider.',
      'Pass --jwt-env VAR; in GitHub Actions give the job `permissions: id-token: write`.',
    );
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') throw noToken('its address is not https');
  url.searchParams.set('audience', audience);
  const headers = { accept: 'application/json', authorization: `Bearer ${token}` };
  try {
    const answer = await world.http.send({
      ...{ method: 'GET', url, headers },
      ...{ timeout_ms: 10_000, signal: world.interrupt },
    });
    if (answer.status !== 200) throw noToken(`it answered ${answer.status}`);
    return jwtIn(answer.text);
  } catch (error) {
    if (!(error instanceof HttpFault)) throw error;
    if (error.code === 'ABORTED') throw interrupted();
    throw noToken(error.code);
  }
}

function jwtIn(text: string): string {
  try {
    const { value } = JSON.parse(text) as { value?: unknown };
    if (typeof value === 'string' && value !== '') return value;
  } catch {}
  throw noToken('it answered none');
}

const noToken = (why: string): Failure =>
  new Failure(
    'unreachable',
    `GitHub gave the job no token (${why}).`,
    'Run the job again, or pass --jwt-env VAR.',
  );

function githubEnv({ env }: World): string {
  if (env.GITHUB_ENV) return env.GITHUB_ENV;
  throw usage(
    '--github-env is for a step of GitHub Actions.',
    'Elsewhere take the token that is printed.',
  );
}

async function append({ files }: World, path: string, line: string): Promise<void> {
  try {
    const before = await files.read(path).catch((error: { code?: unknown }) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const whole = before === '' || before.endsWith('\n') ? before : `${before}\n`;
    await files.writePrivate(path, whole + line);
  } catch (error) {
    throw new Failure(
      'configuration',
      `${path} cannot be written (${String((error as { code?: unknown }).code)}).`,
      'Leave out --github-env and take the token that is printed.',
    );
  }
}
