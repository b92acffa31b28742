import type { Answer, RequestTypeFinding } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import { Failure } from '../failure.ts';
import { fields, lines, table } from '../render/view.ts';

type RequestType = Answer<'getRequestType'>;
type Definition = RequestType['definition'];

const NAME = { name: { summary: 'the name of the request type' } };

export const requestTypesList = command({
  summary: 'Request types, and which version runs',
  run: async ({ api }) => (await api()).list('listRequestTypes', {}),
  view: table<RequestType>(
    [
      { name: 'NAME', value: (t) => t.name },
      { name: 'STATE', value: (t) => t.state },
      { name: 'VERSION', value: (t) => String(t.published_version ?? '-') },
      { name: 'PURPOSE', value: (t) => t.definition.purpose },
      { name: 'STEPS', value: (t) => t.definition.steps.map((s) => s.name).join(' → ') },
      { name: 'DRAFT', value: (t) => (t.draft === null ? '-' : 'changed') },
    ],
    'No request types.',
  ),
});

export const requestTypesShow = command({
  summary: 'One request type: what it asks, who decides, what comes of it',
  args: NAME,
  run: async ({ api, args }) => typeNamed(await api(), args.name),
  view: fields<RequestType>((t) => [
    ['Name', t.name],
    [
      'State',
      t.published_version === null ? t.state : `${t.state}, version ${t.published_version}`,
    ],
    ['Digest', t.digest ?? '-'],
    ...definitionFields(t.definition),
    ...(t.draft === null || t.published_version === null
      ? []
      : [['Draft', 'differs; `sft-admin request-types publish` makes it run'] as const]),
  ]),
});

const definitionFields = (d: Definition): (readonly [string, string])[] => [
  ['Description', d.description ?? '-'],
  ['Purpose', d.purpose],
  ['Audience', d.audience === 'everyone' ? 'everyone' : `groups ${d.audience.groups.join(', ')}`],
  ['Asks', d.fields.map((f) => `${f.key} (${f.type}): ${f.prompt}`).join('\n') || '-'],
  ['Steps', d.steps.map(stepLine).join('\n')],
  ['Chat decides', d.chat === true ? 'yes' : 'no'],
];

function stepLine(step: Definition['steps'][number]): string {
  const late =
    typeof step.on_timeout === 'object'
      ? `escalates to ${step.on_timeout.escalate_to.join(', ')}`
      : (step.on_timeout ?? 'expire');
  return `${step.name}: ${needText(step.needs)}; after ${step.timeout ?? '7d'} ${late}`;
}

type Need = Definition['steps'][number]['needs'];

function needText(need: Need): string {
  if ('any' in need) return `${need.any} of ${need.of.join(', ')}`;
  if ('all' in need) return `(${need.all.map((n) => needText(n as Need)).join(' and ')})`;
  return `(${need.either.map((n) => needText(n as Need)).join(' or ')})`;
}

export const requestTypesPublish = command({
  summary: 'Make the draft run, as a new version that never changes',
  help: '`sft-admin apply -f FILE` writes a request type and publishes it in one go.',
  args: NAME,
  async run({ api, args }) {
    const service = await api();
    const { id } = await typeNamed(service, args.name);
    return await service.call('publishRequestType', { params: { id } });
  },
  view: lines<RequestType>((t) => [`${t.name}: version ${t.published_version} runs.`]),
});

export const requestTypesRetire = command({
  summary: 'Take a request type out of use; what runs keeps its version',
  args: NAME,
  async run({ api, args }) {
    const service = await api();
    const { id, name } = await typeNamed(service, args.name);
    await service.call('retireRequestType', { params: { id } });
    return { name };
  },
  view: lines<{ name: string }>(({ name }) => [`${name} is out of use.`]),
});

export const requestTypesLint = command({
  summary: 'Whom the published request types could not serve, by policy',
  help: [
    'A request of theirs would be refused (no_eligible_approver). To check files before they',
    'are published: sft-admin apply -f FILE --dry-run',
  ].join('\n'),
  run: async ({ api }) => (await (await api()).call('lintRequestTypes', {})).list,
  view: table<RequestTypeFinding>(
    [
      { name: 'REQUEST_TYPE', value: (f) => f.request_type.name },
      { name: 'POLICY', value: (f) => f.policy.name },
      { name: 'STEP', value: (f) => f.step ?? '-' },
      { name: 'WHY', value: (f) => whyOf(f) },
      { name: 'WHOM', value: (f) => f.people.map((p) => p.name).join(', ') },
    ],
    'Everybody could be served.',
  ),
});

const whyOf = ({ reason, missing }: RequestTypeFinding): string =>
  reason === 'not_in_audience' ? 'not in its audience' : `needs ${missing ?? 'somebody'}`;

async function typeNamed(api: Api, name: string): Promise<RequestType> {
  const found = await api.list('listRequestTypes', { query: { name } });
  const type = found.find((t) => t.name === name);
  if (type !== undefined) return type;
  throw new Failure(
    'not_found',
    `There is no request type ${name}.`,
    '`sft-admin request-types list` shows them.',
  );
}
