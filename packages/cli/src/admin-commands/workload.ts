import {
  type NewWorkloadConnection,
  printable,
  type WorkloadConnection,
  type WorkloadPerson,
} from '@postern/shared';
import { parse, YAMLParseError } from 'yaml';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import type { World } from '../context.ts';
import { Failure, usage } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { fields, lines, table } from '../render/view.ts';
import { unreadable } from '../settings.ts';

const CONNECTION = { connection: { summary: 'the name of the connection, or its id' } };

export const workloadList = command({
  summary: 'Issuers of job tokens that are trusted',
  run: async ({ api }) => (await api()).list('listWorkloadConnections', {}),
  view: table<WorkloadConnection>(
    [
      { name: 'NAME', value: (c) => c.name },
      { name: 'PROVIDER', value: (c) => c.provider },
      { name: 'ISSUER', value: (c) => c.issuer },
      {
        name: 'SERVICE_USERS',
        value: (c) => [...new Set(c.rules.map((rule) => rule.service_user.login))].join(', '),
      },
      { name: 'SINCE', value: (c) => localTime(c.updated_at) },
      { name: 'BY', value: (c) => c.created_by.name },
    ],
    'No connections. Make one: sft-admin workload set FILE',
  ),
});

export const workloadShow = command({
  summary: 'What a connection trusts, claim by claim',
  args: CONNECTION,
  run: async ({ api, args }) => connectionNamed(await api(), args.connection),
  view: fields<WorkloadConnection>((c) => [
    ['Name', c.name],
    ['Provider', c.provider],
    ['Issuer', c.issuer],
    ['Keys', c.jwks_url],
    ['Audience', c.audience],
    ['People it does not name', c.unnamed_people === 'accepted' ? 'accepted' : 'need two'],
    ...c.rules.map((rule) => [rule.service_user.login, claimsOf(rule).join('\n')] as const),
  ]),
});

const claimsOf = ({ claims, ref_pattern }: WorkloadConnection['rules'][number]): string[] => [
  ...Object.entries(claims).map(([name, value]) => `${name} is ${value}`),
  ...(ref_pattern === null ? [] : [`ref like ${ref_pattern}`]),
];

export const workloadSet = command({
  summary: 'Make the connection that a YAML file says, or bring it to that',
  help: [
    'name: ci',
    'provider: github                 # or gitlab, generic',
    'issuer: https://token.actions.githubusercontent.com',
    'rules:',
    '  - service_user: deployer',
    '    claims:',
    '      repository_id: "74"',
    '      repository_owner_id: "65"',
    '      workflow_ref: octo/shop/.github/workflows/deploy.yml@refs/heads/main',
    '      environment: production',
    '',
    'Jobs that are logged in by it are logged out when it changes.',
  ].join('\n'),
  args: { file: { summary: 'the YAML file; - is standard input' } },
  async run({ api, world, args }) {
    const body = await readConnection(world, args.file);
    const service = await api();
    const all = await service.list('listWorkloadConnections', {});
    const found = all.find(({ name }) => name === body.name);
    if (found === undefined) return service.call('createWorkloadConnection', { body });
    return service.call('replaceWorkloadConnection', { params: { id: found.id }, body });
  },
  view: lines<WorkloadConnection>((c) => [
    `${c.name} trusts ${c.issuer}, for ${c.audience}.`,
    ...c.rules.map((rule) => `${rule.service_user.login}: ${claimsOf(rule).join(', ')}`),
  ]),
});

/** The service checks what is in it; here only that it is a mapping with a name. */
async function readConnection(world: World, file: string): Promise<NewWorkloadConnection> {
  const text = await (file === '-' ? world.files.stdin() : world.files.read(file)).catch(
    (error) => {
      throw unreadable(file, error, 'usage');
    },
  );
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    const at = error instanceof YAMLParseError ? error.linePos?.[0] : undefined;
    throw usage(`${file}${at ? `:${at.line}:${at.col}` : ''} is not YAML.`, 'Correct it.');
  }
  if (typeof value === 'object' && value !== null && 'name' in value)
    return value as NewWorkloadConnection;
  throw usage(`${file} holds no connection.`, 'See one: sft-admin workload set --help');
}

export const workloadRemove = command({
  summary: 'Trust a connection no more; its jobs are logged out',
  args: CONNECTION,
  async run({ api, args }) {
    const service = await api();
    const { id, name } = await connectionNamed(service, args.connection);
    await service.call('removeWorkloadConnection', { params: { id } });
    return { id, name };
  },
  view: lines<{ readonly name: string }>(({ name }) => [`${name} is trusted no more.`]),
});

export const workloadPeople = command({
  summary: 'Which accounts at providers are whose',
  run: async ({ api }) => (await api()).list('listWorkloadPeople', {}),
  view: table<WorkloadPerson>(
    [
      { name: 'ACCOUNT', value: (p) => p.actor_id },
      { name: 'ISSUER', value: (p) => p.issuer },
      { name: 'PERSON', value: (p) => p.user.name },
      { name: 'SINCE', value: (p) => localTime(p.created_at) },
      { name: 'ID', value: (p) => p.id },
    ],
    'Nobody: what jobs ask for takes two people at each step.',
  ),
});

export const workloadLinkPerson = command({
  summary: 'Say which person an account at a provider is; not yourself',
  help: [
    'Whoever starts a job, runs it again or wrote its commit approves nothing of it. Somebody',
    'whom nobody is linked to makes each step take two. The account is its number: actor_id of',
    'GitHub, user_id of GitLab.',
  ].join('\n'),
  args: {
    issuer: { summary: 'the issuer, as in the connection' },
    account: { summary: 'the number of the account there' },
    login: { summary: 'the login of the person here' },
  },
  run: async ({ api, args: { issuer, account, login } }) =>
    (await api()).call('linkWorkloadPerson', { body: { issuer, actor_id: account, login } }),
  view: lines<WorkloadPerson>((p) => [`${p.actor_id} at ${p.issuer} is ${p.user.name}.`]),
});

export const workloadUnlinkPerson = command({
  summary: 'Forget whose an account is, for what is asked from now on',
  args: { id: { summary: 'the id of the link, as `workload people` shows it' } },
  async run({ api, args: { id } }) {
    await (await api()).call('unlinkWorkloadPerson', { params: { id } });
    return { id };
  },
  view: lines<{ readonly id: string }>(() => ['The account is nobody’s now.']),
});

async function connectionNamed(api: Api, name: string): Promise<WorkloadConnection> {
  const all = await api.list('listWorkloadConnections', {});
  const found = all.find((c) => c.name === name || c.id === name);
  if (found !== undefined) return found;
  throw new Failure(
    'not_found',
    `There is no connection ${printable(name)}.`,
    'See what there is: sft-admin workload list',
  );
}
