import type { Answer, Group, Role } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import { Failure } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';
import { MAY_DO, ROLE_NAMES } from './role-names.ts';

const named = ({ id, name }: Group) => ({ id, name });

interface RoleRow {
  readonly role: Role;
  readonly may: string;
  readonly groups: readonly { readonly id: string; readonly name: string }[];
}

export const rolesList = command({
  summary: 'Roles: which groups hold each, and what it may do',
  async run({ api }): Promise<RoleRow[]> {
    const groups = await everyGroup(await api());
    return ROLE_NAMES.map((role) => ({
      role,
      may: MAY_DO[role],
      groups: groups.filter((group) => group.roles.includes(role)).map(named),
    }));
  },
  view: table<RoleRow>(
    [
      { name: 'ROLE', value: (r) => r.role },
      { name: 'GROUPS', value: (r) => r.groups.map(({ name }) => name).join(', ') || '-' },
      { name: 'MAY', value: (r) => r.may },
    ],
    'No roles.',
  ),
});

/** Of whoever may see no other groups, the service shows those he owns: that is no list of roles. */
async function everyGroup(api: Api): Promise<Group[]> {
  const { roles } = await api.call('whoami', {});
  if (roles.some((role) => role === 'pam_admin' || role === 'security_admin' || role === 'auditor'))
    return await api.list('listGroups', {});
  throw new Failure(
    'not_permitted',
    'You may not see which groups hold which roles.',
    'Ask somebody with pam_admin, security_admin or auditor; `sft whoami` shows your own.',
  );
}

type Membership = Answer<'listGroupMembers'>['list'][number];

interface Held {
  readonly role: Role;
  readonly may: string;
  /** Of a person: the groups that give it, each with its last end; null: none is set. */
  readonly through?: readonly { readonly name: string; readonly until: string | null }[];
}

interface Shown {
  readonly name: string;
  readonly kind: 'group' | 'user';
  readonly roles: readonly Held[];
}

export const rolesShow = command({
  summary: 'The roles of a group, or of a person and through which groups',
  help: 'A name that is both a group and a login shows both.',
  args: { name: { summary: 'the name of a group, or a login' } },
  async run({ api, args: { name } }): Promise<Shown[]> {
    const service = await api();
    const groups = await everyGroup(service);
    const group = groups.find((g) => g.name === name);
    const user = (await service.list('listUsers', { query: { login: name } })).find(
      (u) => u.login === name,
    );
    if (group === undefined && user === undefined)
      throw new Failure(
        'not_found',
        `There is no group and no user ${name}.`,
        '`sft-admin groups list` and `sft-admin users list` show them.',
      );
    return [
      ...(group === undefined ? [] : [{ name, kind: 'group' as const, roles: rolesOf(group) }]),
      ...(user === undefined
        ? []
        : [{ name, kind: 'user' as const, roles: await rolesOfUser(service, groups, user.id) }]),
    ];
  },
  view: lines<readonly Shown[]>((shown) => shown.flatMap(shownLines)),
});

const rolesOf = (group: Group): Held[] =>
  ROLE_NAMES.filter((role) => group.roles.includes(role)).map((role) => ({
    role,
    may: MAY_DO[role],
  }));

async function rolesOfUser(api: Api, groups: readonly Group[], id: string): Promise<Held[]> {
  const holding = groups.filter((group) => group.roles.length > 0);
  const own: { readonly group: Group; readonly until: string | null }[] = [];
  for (const group of holding) {
    const members = await api.list('listGroupMembers', { params: { id: group.id } });
    const his = members.filter((member) => member.user.id === id);
    if (his.length > 0) own.push({ group, until: lastEnd(his) });
  }
  return ROLE_NAMES.map((role) => ({
    role,
    may: MAY_DO[role],
    through: own
      .filter(({ group }) => group.roles.includes(role))
      .map(({ group, until }) => ({ name: group.name, until })),
  })).filter(({ through }) => through.length > 0);
}

/** When the last of several memberships of one group ends; null: one of them has no end. */
const lastEnd = (memberships: readonly Membership[]): string | null =>
  memberships
    .map(({ expires_at }) => expires_at)
    .reduce((last, end) =>
      last === null || end === null ? null : Date.parse(end) > Date.parse(last) ? end : last,
    );

const shownLines = ({ name, kind, roles }: Shown): string[] =>
  roles.length === 0
    ? [`${kind === 'group' ? `The group ${name}` : name} holds no role.`]
    : [
        kind === 'group' ? `Whoever is in ${name} has:` : `${name} has:`,
        ...roles.map(({ role, may, through = [] }) => {
          const by = through.map((t) =>
            t.until === null ? t.name : `${t.name} until ${localTime(t.until)}`,
          );
          return `  ${role}${by.length === 0 ? '' : ` (through ${by.join(', ')})`}: ${may}`;
        }),
      ];
