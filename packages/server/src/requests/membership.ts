import { type Instant, instant, parseDuration, plus, type Seconds } from '@postern/shared';
import { type Answers, untilOf } from './answers.ts';
import type { Action, Definition, GroupRef } from './model.ts';

/** What the approver of a request for membership is shown, and what his approval is bound to. */
export interface GroupTarget {
  readonly type: 'group_membership';
  readonly memberships: readonly AskedMembership[];
}

export interface AskedMembership {
  readonly group: { readonly id: string; readonly name: string };
  readonly until: Until;
}

/** To the end of a date, whenever it is approved; or so long from the approval. */
export type Until =
  | {
      readonly kind: 'date';
      readonly date: string;
      readonly zone: string;
      readonly ends_at: Instant;
    }
  | { readonly kind: 'duration'; readonly seconds: Seconds };

type AddToGroup = Extract<Action, { kind: 'add_to_group' }>;

/**
 * What a request with these answers asks for.
 *
 * @param answers such as `checkAnswers` passes
 * @returns undefined when two of its actions lead into the same group: which end would hold?
 */
export function membershipsFor(
  { fields, on_approved }: Pick<Definition, 'fields' | 'on_approved'>,
  answers: Answers,
): readonly AskedMembership[] | undefined {
  const asked = on_approved
    .filter((action): action is AddToGroup => action.kind === 'add_to_group')
    .map(({ group, until }) => ({
      group: groupFor(group, answers),
      until: untilFor(fields, until.field, answers),
    }));
  return new Set(asked.map(({ group }) => group.id)).size === asked.length ? asked : undefined;
}

function groupFor(ref: GroupRef, answers: Answers): AskedMembership['group'] {
  if ('id' in ref) return { id: ref.id, name: ref.name };
  const chosen = ref.groups.find(({ value }) => value === answers[ref.field]);
  if (chosen === undefined) throw new Error('the answer to a choice is one of its groups');
  return { id: chosen.id, name: chosen.name };
}

function untilFor(fields: Definition['fields'], key: string, answers: Answers): Until {
  const field = fields.find((f) => f.key === key);
  const answer = String(answers[key]);
  if (field?.type === 'duration') {
    const seconds = parseDuration(answer);
    if (seconds !== undefined) return { kind: 'duration', seconds };
  }
  if (field?.type === 'date') {
    // A date ends when it ends, whenever it is counted from.
    const ends_at = untilOf(field, answer, instant(0));
    if (ends_at !== undefined) return { kind: 'date', date: answer, zone: field.zone, ends_at };
  }
  throw new Error('the end of a membership is an answer that was checked');
}

/** When a membership ends that is approved at `from`. */
export const endOf = ({ until }: AskedMembership, from: Instant): Instant =>
  until.kind === 'date' ? until.ends_at : plus(from, until.seconds);

/** From then on nothing is left to approve; null: that never comes. */
export function latestApproval({ memberships }: GroupTarget): Instant | null {
  const ends = memberships.flatMap(({ until }) => (until.kind === 'date' ? [until.ends_at] : []));
  return ends.length === 0 ? null : instant(Math.min(...ends));
}

/** The groups a type can put its requester into, each once. */
export function groupsOf({
  on_approved,
}: Pick<Definition, 'on_approved'>): readonly AskedMembership['group'][] {
  const found = new Map<string, AskedMembership['group']>();
  for (const action of on_approved)
    if (action.kind === 'add_to_group')
      for (const { id, name } of 'id' in action.group ? [action.group] : action.group.groups)
        found.set(id, { id, name });
  return [...found.values()];
}

/** Tells two requests of one person through one type apart. */
export const groupKey = ({ memberships }: GroupTarget): string =>
  memberships
    .map(({ group }) => group.id)
    .sort()
    .join(',');
