import type { Group, Role } from '@postern/shared';
import { command } from '../command.ts';
import { isInteractive } from '../context.ts';
import { Failure, usage } from '../failure.ts';
import { lines } from '../render/view.ts';
import { groupNamed } from './groups.ts';
import { MAY_DO, ROLE_NAMES, rolesNamed } from './role-names.ts';

interface Changed {
  readonly group: Group;
  readonly changed: boolean;
}

export const rolesSet = command({
  summary: 'Say which roles everybody in a group has',
  help: [
    'Exactly those that are given: what is not named is taken, from all members at once.',
    `The roles: ${ROLE_NAMES.join(', ')}.`,
  ].join('\n'),
  args: {
    group: { summary: 'the name of the group' },
    roles: { rest: true, summary: 'the roles, with commas or spaces between' },
  },
  flags: {
    none: { summary: 'no role' },
    yes: { summary: 'change it without a question' },
  },
  async run({ api, world, args: { group: name, roles: words }, flags, say }): Promise<Changed> {
    const wanted = rolesNamed(words);
    if ((wanted.length === 0) !== flags.none)
      throw usage(
        'It takes the roles, or none of them.',
        `Pass some of ${ROLE_NAMES.join(', ')}, or --none.`,
      );
    if (!flags.yes && !isInteractive(world))
      throw usage('There is no terminal to ask whether that is meant.', 'Pass --yes to change it.');
    const service = await api();
    const group = await groupNamed(service, name);
    const changes = changesOf(group.roles, wanted);
    if (changes.length === 0) return { group, changed: false };
    if (!flags.yes) {
      const members = await service.list('listGroupMembers', { params: { id: group.id } });
      const people = new Set(members.map(({ user }) => user.id)).size;
      say(`Everybody in ${name} (${people} now):`);
      for (const line of changes) say(`  ${line}`);
      if (!(await world.prompt.confirm('Change these roles?')))
        throw new Failure(
          'stopped',
          'Nothing is changed.',
          `Who is in it: sft-admin groups members ${name}`,
        );
    }
    const params = { id: group.id };
    return {
      group: await service.call('setGroupRoles', { params, body: { roles: wanted } }),
      changed: true,
    };
  },
  view: lines<Changed>(({ group, changed }) => {
    const held = group.roles.length === 0 ? 'no role' : group.roles.join(', ');
    return [changed ? `${group.name} now holds ${held}.` : `${group.name} holds ${held} already.`];
  }),
});

const changesOf = (held: readonly Role[], wanted: readonly Role[]): string[] =>
  ROLE_NAMES.filter((role) => held.includes(role) !== wanted.includes(role)).map((role) =>
    wanted.includes(role) ? `gets ${role}: ${MAY_DO[role]}` : `loses ${role}: ${MAY_DO[role]}`,
  );
