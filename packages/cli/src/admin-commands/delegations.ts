import { type Delegation, fromRfc3339, instant, toRfc3339 } from '@postern/shared';
import { command } from '../command.ts';
import type { World } from '../context.ts';
import { usage } from '../failure.ts';
import { localTime, parseDuration } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';

export const delegate = command({
  summary: 'Let somebody decide in your place for a while',
  help: [
    'Both of you are told, and the record of a decision shows both. The stand-in decides with',
    '--for and your login. A security_admin names a stand-in for somebody else with --from.',
    'A TIME is a length such as 8h or 7d from now, or 2026-12-01T18:00:00+01:00.',
  ].join('\n'),
  flags: {
    to: { value: 'LOGIN', summary: 'who decides in your place' },
    until: { value: 'TIME', summary: 'when it ends; at most 90 days' },
    starts: { value: 'TIME', summary: 'when it begins; now, if left out' },
    from: { value: 'LOGIN', summary: 'in whose place; yours, if left out' },
    reason: { value: 'TEXT', summary: 'why, for the record' },
  },
  async run({ api, flags: { to, until, starts, from, reason }, world }) {
    if (to === undefined || until === undefined)
      throw usage('It takes who stands in, and until when.', 'Pass --to LOGIN --until TIME.');
    const body = {
      to,
      ends_at: timeOf('--until', until, world),
      ...(starts === undefined ? {} : { starts_at: timeOf('--starts', starts, world) }),
      ...(from === undefined ? {} : { from }),
      ...(reason === undefined ? {} : { reason }),
    };
    return (await api()).call('createDelegation', { body });
  },
  view: lines<Delegation>((d) => [
    `${d.to.name} stands in for ${d.from.name} from ${localTime(d.starts_at)} until ${localTime(d.ends_at)}.`,
    `To end it before: sft-admin delegations end ${d.id}`,
  ]),
});

export const delegationsList = command({
  summary: 'Who stands in for whom: yours, or all for security_admin and auditor',
  run: async ({ api }) => (await api()).list('listDelegations', {}),
  view: table<Delegation>(
    [
      { name: 'ID', value: (d) => d.id },
      { name: 'FOR', value: (d) => d.from.name },
      { name: 'STAND_IN', value: (d) => d.to.name },
      { name: 'FROM', value: (d) => localTime(d.starts_at) },
      { name: 'UNTIL', value: (d) => localTime(d.ends_at) },
      { name: 'REASON', value: (d) => d.reason ?? '-' },
    ],
    'Nobody stands in for anybody.',
  ),
});

export const delegationsEnd = command({
  summary: 'End a stand-in at once',
  args: { id: { summary: 'the id of the stand-in' } },
  async run({ api, args: { id } }) {
    await (await api()).call('endDelegation', { params: { id } });
    return { id };
  },
  view: lines<{ id: string }>(({ id }) => [`The stand-in ${id} has ended.`]),
});

/** A length of time from now, or a time with its offset. @throws Failure 64 */
function timeOf(flag: string, text: string, { clock }: World): string {
  const length = parseDuration(text);
  if (length !== undefined) return toRfc3339(instant(clock.now() + length));
  const at = fromRfc3339(text);
  if (at !== undefined) return toRfc3339(at);
  throw usage(`${flag} ${text} is no time.`, `Pass e.g. ${flag} 7d or 2026-12-01T18:00:00+01:00.`);
}
