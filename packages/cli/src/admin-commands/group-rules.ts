import type { GroupRule } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import { Failure, usage } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';
import { groupNamed } from './groups.ts';

const RULE = { rule: { summary: 'the name of the rule' } };
const WHEN = { value: 'FILTER', summary: `e.g. 'department eq "Platform"'` };
const FILTER_HELP = [
  'The filter is one of SCIM (RFC 7644) over login, name, email, type, unix_name and the',
  'attributes of the profile, with eq, ne, co, sw, ew, gt, ge, lt, le, pr, and, or, not ( ).',
  'Where a profile lacks what it asks for, it does not hold.',
].join('\n');

export const groupRulesList = command({
  summary: 'Rules that put people into groups by their profile',
  run: async ({ api }) => (await api()).list('listGroupRules', {}),
  view: table<GroupRule>(
    [
      { name: 'NAME', value: (r) => r.name },
      { name: 'GROUP', value: (r) => r.group.name },
      { name: 'WHEN', value: (r) => r.when },
    ],
    'No group rules.',
  ),
});

const shown = lines<GroupRule>((r) => [
  `Rule:     ${r.name}`,
  `Group:    ${r.group.name}`,
  `When:     ${r.when}`,
  `Changed:  ${localTime(r.updated_at)}`,
]);

export const groupRulesShow = command({
  summary: 'One group rule',
  args: RULE,
  async run({ api, args }) {
    const service = await api();
    const { id } = await ruleNamed(service, args.rule);
    return await service.call('getGroupRule', { params: { id } });
  },
  view: shown,
});

export const groupRulesCreate = command({
  summary: 'Put everybody into a group, now and later, whose profile meets a filter',
  help: FILTER_HELP,
  args: RULE,
  flags: { group: { value: 'GROUP', summary: 'the group' }, when: WHEN },
  async run({ api, args, flags: { group, when } }) {
    if (group === undefined || when === undefined)
      throw usage('It takes the group, and the filter.', 'Pass --group GROUP --when FILTER.');
    const service = await api();
    const { id } = await groupNamed(service, group);
    return await service.call('createGroupRule', {
      body: { name: args.rule, group_id: id, when },
    });
  },
  view: shown,
});

export const groupRulesUpdate = command({
  summary: 'Change the filter of a rule; who is in the group by it changes with it',
  help: FILTER_HELP,
  args: RULE,
  flags: { when: WHEN },
  async run({ api, args, flags: { when } }) {
    if (when === undefined) throw usage('It takes the filter.', 'Pass --when FILTER.');
    const service = await api();
    const { id } = await ruleNamed(service, args.rule);
    return await service.call('updateGroupRule', { params: { id }, body: { when } });
  },
  view: shown,
});

export const groupRulesDelete = command({
  summary: 'Remove a rule; whoever was in the group by it alone leaves it',
  args: RULE,
  async run({ api, args }) {
    const service = await api();
    const { id, name, group } = await ruleNamed(service, args.rule);
    await service.call('deleteGroupRule', { params: { id } });
    return { name, group: group.name };
  },
  view: lines<{ name: string; group: string }>(({ name, group }) => [
    `${name} is gone; nobody is in ${group} by it.`,
  ]),
});

async function ruleNamed(api: Api, name: string): Promise<GroupRule> {
  const [rule] = await api.list('listGroupRules', { query: { name } });
  if (rule !== undefined) return rule;
  throw new Failure(
    'not_found',
    `There is no group rule ${name}.`,
    '`sft-admin group-rules list` shows the rules.',
  );
}
