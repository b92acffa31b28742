import type { Instant } from '@postern/shared';
import { durationInWords, type Row, row, timeInWords } from './card-words.ts';
import type { AskedMembership, GroupTarget } from './membership.ts';

/** What a group opens today. */
export interface GroupFacts {
  readonly id: string;
  readonly roles: readonly string[];
  /** Active policies that have it among their principals, by name. */
  readonly policies: readonly string[];
}

/** Which groups, what being in them opens, and until when. */
export const groupRows = (
  { memberships }: GroupTarget,
  groups: readonly GroupFacts[] | null,
  running_until: Instant | null,
  now: Instant,
): Row[] => [
  row(
    memberships.length === 1 ? 'Group' : 'Groups',
    memberships.map(({ group }) => group.name),
  ),
  row(
    'Opens',
    groups === null
      ? []
      : memberships.flatMap((asked) => opens(asked, groups, memberships.length > 1)),
  ),
  row('Until', [
    ...memberships.map((asked) => endInWords(asked, now, memberships.length > 1)),
    ...(running_until === null
      ? []
      : [`an extension: without it, membership ends ${timeInWords(running_until, now)}`]),
  ]),
];

function opens(
  { group }: AskedMembership,
  groups: readonly GroupFacts[],
  several: boolean,
): readonly string[] {
  const { roles = [], policies = [] } = groups.find(({ id }) => id === group.id) ?? {};
  const lines = [
    ...(roles.length > 0 ? [`the role ${roles.join(', ')}`] : []),
    ...(policies.length > 0 ? [`what these policies give: ${policies.join(', ')}`] : []),
  ];
  const known = lines.length > 0 ? lines : ['nothing by itself today'];
  return several ? known.map((line) => `${group.name}: ${line}`) : known;
}

function endInWords({ group, until }: AskedMembership, now: Instant, several: boolean): string {
  const end =
    until.kind === 'date'
      ? `the end of ${until.date} (${until.zone}): ${timeInWords(until.ends_at, now)}`
      : `${durationInWords(until.seconds)} from the moment of the last approval`;
  return several ? `${group.name}: ${end}` : end;
}
