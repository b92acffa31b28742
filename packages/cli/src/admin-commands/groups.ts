import type { Answer, Group } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import { Failure } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';
import { userNamed } from './users.ts';

type Membership = Answer<'listGroupMembers'>['list'][number];

const GROUP = { group: { summary: 'the name of the group' } };
const MEMBER = { ...GROUP, login: { summary: 'the login of the user' } };

export const groupsList = command({
  summary: 'Groups, with their roles and owners',
  run: async ({ api }) => (await api()).list('listGroups', {}),
  view: table<Group>(
    [
      { name: 'NAME', value: (g) => g.name },
      { name: 'SOURCE', value: (g) => g.source },
      { name: 'ROLES', value: (g) => g.roles.join(', ') || '-' },
      { name: 'OWNERS', value: (g) => g.owners.map((o) => o.name).join(', ') || '-' },
    ],
    'No groups.',
  ),
});

export const groupsMembers = command({
  summary: 'Who is in a group, why, and until when',
  args: GROUP,
  async run({ api, args }) {
    const service = await api();
    const { id } = await groupNamed(service, args.group);
    return await service.list('listGroupMembers', { params: { id } });
  },
  view: table<Membership>(
    [
      { name: 'USER', value: (m) => m.user.name },
      { name: 'SOURCE', value: (m) => m.source },
      { name: 'REQUEST', value: (m) => m.request_id ?? '-' },
      { name: 'UNTIL', value: (m) => localTime(m.expires_at) },
    ],
    'Nobody is in it.',
  ),
});

export const groupsAdd = command({
  summary: 'Put a user into a group, without an end',
  args: MEMBER,
  run: async ({ api, args }) => change(await api(), 'addGroupMember', args),
  view: lines<Changed>((done) => [`${done.login} is in ${done.group}.`]),
});

export const groupsRemove = command({
  summary: 'End every membership of a user in a group',
  args: MEMBER,
  run: async ({ api, args }) => change(await api(), 'removeGroupMember', args),
  view: lines<Changed>((done) => [`${done.login} is not in ${done.group}.`]),
});

interface Changed {
  readonly group: string;
  readonly login: string;
}

async function change(
  api: Api,
  operation: 'addGroupMember' | 'removeGroupMember',
  { group, login }: Changed,
): Promise<Changed> {
  const { id } = await groupNamed(api, group);
  const user = await userNamed(api, login);
  await api.call(operation, { params: { id, user_id: user.id } });
  return { group, login };
}

async function groupNamed(api: Api, name: string): Promise<Group> {
  const found = await api.list('listGroups', { query: { name } });
  const group = found.find((g) => g.name === name);
  if (group !== undefined) return group;
  throw new Failure(
    'not_found',
    `There is no group ${name}.`,
    '`sft-admin groups list` shows the groups.',
  );
}
