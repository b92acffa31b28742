import type { Answer, Group, GroupSource } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import { Failure, usage } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';
import { userNamed } from './users.ts';

type Membership = Answer<'listGroupMembers'>['list'][number];

const GROUP = { group: { summary: 'the name of the group' } };
const MEMBER = { ...GROUP, login: { summary: 'the login of the user' } };

/** Whether it is, and where its members may come from besides an admin and requests. */
const privileged = (group: Group): string =>
  group.privileged_by.length === 0 ? '-' : ['yes', ...group.privileged_sources].join(', ');

export const groupsList = command({
  summary: 'Groups, with their roles and owners',
  run: async ({ api }) => (await api()).list('listGroups', {}),
  view: table<Group>(
    [
      { name: 'NAME', value: (g) => g.name },
      { name: 'SOURCE', value: (g) => g.source },
      { name: 'ROLES', value: (g) => g.roles.join(', ') || '-' },
      { name: 'PRIVILEGED', value: privileged },
      { name: 'OWNERS', value: (g) => g.owners.map((o) => o.name).join(', ') || '-' },
    ],
    'No groups.',
  ),
});

export const groupsSources = command({
  summary: 'Name the sources that may put members into a privileged group',
  help: [
    'A group is privileged while it holds a role, is asked by a request type, or needs no',
    'request under a policy. An admin adds its members, and requests whose type may; whom SCIM',
    'or a group rule adds, only where the group names that source. What is not given is taken.',
  ].join('\n'),
  args: GROUP,
  flags: {
    allow: {
      value: 'SOURCE',
      many: true,
      choices: ['scim', 'rule'],
      summary: 'a source; again for both',
    },
    none: { summary: 'no source' },
  },
  async run({ api, args, flags: { allow, none } }) {
    if ((allow.length === 0) !== none)
      throw usage(
        'It takes the sources, or none of them.',
        'Pass --allow scim, --allow rule, or --none.',
      );
    const service = await api();
    const { id } = await groupNamed(service, args.group);
    const body = { sources: allow as readonly GroupSource[] as GroupSource[] };
    return await service.call('setGroupSources', { params: { id }, body });
  },
  view: lines<Group>((group) => [
    ...group.privileged_by.map((why) => `${group.name} is privileged: ${why}.`),
    group.privileged_sources.length === 0
      ? 'Only an admin, and requests whose type may, add members while it is privileged.'
      : `May also add members: ${group.privileged_sources.join(', ')}.`,
  ]),
});

export const groupsOwners = command({
  summary: 'Say who owns a group: approves requests for it, and sees its members',
  help: 'Whoever is not named is no owner any more; without a login, nobody owns it.',
  args: { ...GROUP, logins: { rest: true, summary: 'the login of each owner' } },
  async run({ api, args }) {
    const service = await api();
    const { id } = await groupNamed(service, args.group);
    const owners: string[] = [];
    for (const login of args.logins) owners.push((await userNamed(service, login)).id);
    return await service.call('setGroupOwners', { params: { id }, body: { owners } });
  },
  view: lines<Group>(({ name, owners }) => [
    owners.length === 0
      ? `Nobody owns ${name}.`
      : `${name} is owned by ${owners.map((owner) => owner.name).join(', ')}.`,
  ]),
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

export async function groupNamed(api: Api, name: string): Promise<Group> {
  const found = await api.list('listGroups', { query: { name } });
  const group = found.find((g) => g.name === name);
  if (group !== undefined) return group;
  throw new Failure(
    'not_found',
    `There is no group ${name}.`,
    '`sft-admin groups list` shows the groups.',
  );
}
