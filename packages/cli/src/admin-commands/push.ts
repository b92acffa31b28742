import { PUSH_STATES, type Push, type PushTarget, printable } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { readSecret } from '../apply/secrets.ts';
import { command } from '../command.ts';
import { Failure, usage } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';

const DEFAULT_LIMIT = '100';
const TARGET = { target: { summary: 'the name of the target, or its id' } };

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

export const scimTargets = command({
  summary: 'Systems that are told when a membership changes by request',
  run: async ({ api }) => (await api()).list('listPushTargets', {}),
  view: table<PushTarget>(
    [
      { name: 'NAME', value: (t) => t.name },
      { name: 'URL', value: (t) => t.url },
      { name: 'GROUPS', value: (t) => t.groups.map((group) => group.name).join(', ') || '-' },
      { name: 'BY', value: (t) => t.created_by.name },
      { name: 'ID', value: (t) => t.id },
    ],
    'No targets. Add one: sft-admin scim add-target NAME URL',
  ),
});

export const scimAddTarget = command({
  summary: 'Tell a system, by SCIM, when a membership changes by request',
  help: 'Its token comes from a variable or a file: it never stands among the arguments.',
  args: {
    name: { summary: 'the name of the target' },
    url: { summary: 'the base of its SCIM 2.0 endpoint' },
  },
  flags: {
    'token-from-env': { value: 'VAR', summary: 'the variable that holds its bearer token' },
    'token-from-file': { value: 'FILE', summary: 'the file that holds it; - is standard input' },
    groups: { value: 'LIST', summary: 'the groups it is told of' },
  },
  async run({ api, world, args: { name, url }, flags }) {
    const { 'token-from-env': env, 'token-from-file': file, groups } = flags;
    if ((env === undefined) === (file === undefined))
      throw usage('One token is needed.', 'Pass --token-from-env VAR or --token-from-file FILE.');
    const secret = await readSecret(world, env === undefined ? { file: file ?? '' } : { env });
    const token = secret.replace(/\r?\n$/, '');
    const body = { name, url, token, ...(groups === undefined ? {} : { groups: listOf(groups) }) };
    return await (await api()).call('createPushTarget', { body });
  },
  view: lines<PushTarget>(told),
});

export const scimPushGroups = command({
  summary: 'Say of which groups a target is told',
  args: { ...TARGET, groups: { summary: 'their names, with commas between; none for no group' } },
  async run({ api, args: { target, groups } }) {
    const service = await api();
    const { id } = await targetNamed(service, target);
    const names = groups === 'none' ? [] : listOf(groups);
    return await service.call('setPushGroups', { params: { id }, body: { groups: names } });
  },
  view: lines<PushTarget>(told),
});

function told({ name, groups }: PushTarget): string[] {
  return [`${name} is told of: ${groups.map((group) => group.name).join(', ') || 'no group'}.`];
}

export const scimRemoveTarget = command({
  summary: 'Tell a target nothing any more',
  args: TARGET,
  async run({ api, args }) {
    const service = await api();
    const { id, name } = await targetNamed(service, args.target);
    await service.call('removePushTarget', { params: { id } });
    return { id, name };
  },
  view: lines<{ readonly name: string }>(({ name }) => [`${name} is told nothing any more.`]),
});

export const scimPushes = command({
  summary: 'What targets were told, and what they could not be, newest first',
  flags: {
    state: {
      value: 'STATE',
      choices: PUSH_STATES,
      summary: 'only those: waiting, done, dead',
    },
    limit: { value: 'N', summary: `how many at most; default ${DEFAULT_LIMIT}` },
  },
  async run({ api, flags: { state, limit = DEFAULT_LIMIT } }) {
    if (!/^[1-9][0-9]{0,5}$/.test(limit))
      throw usage(`--limit ${limit} is no number of pushes.`, 'Pass e.g. --limit 1000.');
    const query = state === undefined ? {} : { state: state as Push['state'] };
    return (await api()).list('listPushes', { query }, Number(limit));
  },
  view: table<Push>(
    [
      { name: 'ID', value: (p) => p.id },
      { name: 'STATE', value: (p) => p.state },
      { name: 'TARGET', value: (p) => p.target.name },
      { name: 'GROUP', value: (p) => p.group.name },
      { name: 'USER', value: (p) => p.user.name },
      { name: 'TOLD', value: (p) => p.told ?? '-' },
      { name: 'REQUEST', value: (p) => p.request_id ?? '-' },
      { name: 'ATTEMPTS', value: (p) => String(p.attempts) },
      { name: 'NEXT', value: (p) => localTime(p.next_at) },
      { name: 'WHY', value: (p) => p.last_error ?? '-' },
    ],
    'Nothing was pushed.',
  ),
});

export const scimRetry = command({
  summary: 'Tell a target again what is true',
  args: { id: { summary: 'the id of the push' } },
  run: async ({ api, args: { id } }) => (await api()).call('retryPush', { params: { id } }),
  view: lines<Push>(({ id, state, target }) => [`Push ${id} to ${target.name} is ${state}.`]),
});

async function targetNamed(api: Api, name: string): Promise<PushTarget> {
  const all = await api.list('listPushTargets', {});
  const found = all.find((target) => target.name === name || target.id === name);
  if (found !== undefined) return found;
  throw new Failure(
    'not_found',
    `There is no target ${printable(name)}.`,
    'See what there is: sft-admin scim targets',
  );
}
