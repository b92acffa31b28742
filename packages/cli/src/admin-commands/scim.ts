import { printable, type ScimConnection, type ScimToken } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import type { World } from '../context.ts';
import { Failure, usage } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';

const CONNECTION = { connection: { summary: 'the name of the connection, or its id' } };
const OUT = { out: { value: 'FILE', summary: 'write its token to a new private file' } } as const;
const AUTHORITATIVE = {
  authoritative: {
    value: 'LIST',
    summary: 'what of its users is believed: manager, department, title, …, or none',
  },
} as const;

type Authoritative = readonly ScimConnection['authoritative'][number][];

const listOf = (text: string | undefined): Authoritative | undefined =>
  text === undefined
    ? undefined
    : text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '' && name !== 'none');

export const scimCreate = command({
  summary: 'Let an identity provider push users and groups; its token is shown once',
  help: [
    'Give the provider the address <service>/scim/v2 and the token. Users are its own: nobody',
    'who is here already becomes one of them. Manager and attributes are believed only when',
    'named in --authoritative.',
  ].join('\n'),
  args: { name: { summary: 'the name of the connection' } },
  flags: { ...AUTHORITATIVE, ...OUT },
  async run({ api, world, args: { name }, flags: { authoritative, out } }) {
    const list = listOf(authoritative);
    const body = { name, ...(list === undefined ? {} : { authoritative: list }) };
    const made = await (await api()).call('createScimConnection', { body: body as never });
    return await handOver(world, made, out);
  },
  view: lines<Made>(shown),
});

export const scimList = command({
  summary: 'Identity providers that push users and groups',
  run: async ({ api }) => (await api()).list('listScimConnections', {}),
  view: table<ScimConnection>(
    [
      { name: 'NAME', value: (c) => c.name },
      { name: 'STATE', value: (c) => (c.revoked_at === null ? 'live' : 'revoked') },
      { name: 'USERS', value: (c) => String(c.users) },
      { name: 'GROUPS', value: (c) => String(c.groups) },
      { name: 'AUTHORITATIVE', value: (c) => c.authoritative.join(', ') || '-' },
      { name: 'TOKEN_SINCE', value: (c) => localTime(c.token_made_at) },
      { name: 'BY', value: (c) => c.created_by.name },
      { name: 'ID', value: (c) => c.id },
    ],
    'No connections. Make one: sft-admin scim create NAME',
  ),
});

export const scimUpdate = command({
  summary: 'Say what of the users of a connection is believed',
  args: CONNECTION,
  flags: AUTHORITATIVE,
  async run({ api, args, flags }) {
    const authoritative = listOf(flags.authoritative);
    if (authoritative === undefined)
      throw usage('Nothing to change.', 'Pass --authoritative manager,department or none.');
    const service = await api();
    const { id } = await connectionNamed(service, args.connection);
    return await service.call('updateScimConnection', {
      params: { id },
      body: { authoritative } as never,
    });
  },
  view: lines<ScimConnection>((c) => [
    `${c.name} is authoritative for: ${c.authoritative.join(', ') || 'nothing'}.`,
  ]),
});

export const scimRotate = command({
  summary: 'A new token for a connection; the one before ends at once',
  args: CONNECTION,
  flags: OUT,
  async run({ api, world, args, flags: { out } }) {
    const service = await api();
    const { id } = await connectionNamed(service, args.connection);
    return await handOver(world, await service.call('rotateScimToken', { params: { id } }), out);
  },
  view: lines<Made>(shown),
});

export const scimRevoke = command({
  summary: 'End a connection for good; its users and groups stay',
  args: CONNECTION,
  async run({ api, args }) {
    const service = await api();
    const { id, name } = await connectionNamed(service, args.connection);
    await service.call('revokeScimConnection', { params: { id } });
    return { id, name };
  },
  view: lines<{ readonly name: string }>(({ name }) => [
    `${name} is revoked; its users and groups are changed here from now on.`,
  ]),
});

export const scimLinkGroup = command({
  summary: 'Let the next push of a connection take over a group that is here',
  args: { ...CONNECTION, group: { summary: 'the name of the group' } },
  flags: {
    'external-id': { value: 'ID', summary: 'the provider’s id of it, when its name there differs' },
  },
  async run({ api, args: { connection, group }, flags }) {
    const service = await api();
    const { id, name } = await connectionNamed(service, connection);
    const external_id = flags['external-id'];
    const body = { group, ...(external_id === undefined ? {} : { external_id }) };
    await service.call('linkScimGroup', { params: { id }, body });
    return { group, connection: name };
  },
  view: lines<{ readonly group: string; readonly connection: string }>(({ group, connection }) => [
    `The next push of ${group} from ${connection} takes it over; its direct members stay.`,
  ]),
});

interface Made {
  readonly id: string;
  readonly name: string;
  readonly token?: string;
  readonly file?: string;
}

function shown({ name, token, file }: Made): string[] {
  return [token ?? `The token of ${name} is written to ${file}.`];
}

async function handOver(world: World, made: ScimToken, out: string | undefined): Promise<Made> {
  if (out === undefined) return made;
  try {
    await world.files.writePrivate(out, `${made.token}\n`);
  } catch (error) {
    throw new Failure(
      'configuration',
      `${out} cannot be written (${String((error as { code?: unknown }).code)}); the token is lost.`,
      `Run \`sft-admin scim rotate ${made.id}\` for another one.`,
    );
  }
  return { id: made.id, name: made.name, file: out };
}

async function connectionNamed(api: Api, name: string): Promise<ScimConnection> {
  const all = await api.list('listScimConnections', {});
  const found = all.find((c) => c.name === name || c.id === name);
  if (found !== undefined) return found;
  throw new Failure(
    'not_found',
    `There is no SCIM connection ${printable(name)}.`,
    'See what there is: sft-admin scim list',
  );
}
