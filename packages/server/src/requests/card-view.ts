import { type ApprovalCard, type Instant, neededText } from '@postern/shared';
import type { Card } from './card.ts';
import { type GroupFacts, groupRows } from './card-groups.ts';
import { jobRows } from './card-job.ts';
import { serverRows } from './card-server.ts';
import { answerInWords, itsLines, oneLine, type Row, row, timeInWords } from './card-words.ts';
import type { ApproverSet, Decision, Field, OnTimeout, RequestState } from './model.ts';
import type { StillNeeded } from './still-needed.ts';

/** A decision, with names. */
export interface VoteFact {
  readonly decision: Decision;
  readonly by: string;
  /** Whom he stood in for. */
  readonly for: string | null;
  readonly at: Instant;
  readonly step: string;
  readonly comment: string | null;
  readonly void: boolean;
}

/** Another request of the requester. */
export interface EarlierRequest {
  readonly raised_at: Instant;
  readonly identity: string;
  readonly state: RequestState;
  readonly end_reason: string | null;
  readonly votes: readonly VoteFact[];
}

/** What only those who decide or watch over decisions are told. */
export interface Background {
  /** Open on the same server now, whoever's. */
  readonly sessions: readonly {
    readonly user: string;
    readonly identity: string;
    readonly since: Instant;
  }[];
  /** Of a request for membership: what each of its groups opens today. */
  readonly groups: readonly GroupFacts[];
  /** On the same server or for the same groups, newest first. */
  readonly earlier: readonly EarlierRequest[];
  /** When exactly this access was last denied, if that is not long ago. */
  readonly denial: { readonly at: Instant; readonly votes: readonly VoteFact[] } | null;
}

export interface CardFacts {
  readonly request_id: string;
  readonly etag: string;
  readonly state: RequestState;
  readonly end_reason: string | null;
  readonly ends_at: Instant | null;
  /** As it was fixed when the request was raised: an approval is bound to it. */
  readonly card: Card;
  readonly fields: readonly Field[];
  /** Of a vaulted account. */
  readonly credential: 'password' | 'private_key' | 'certificate' | null;
  /** Until when the requester has this very access already: then it is an extension. */
  readonly running_until: Instant | null;
  readonly votes: readonly VoteFact[];
  /** The current step and those after it, while the request is pending. */
  readonly steps: readonly { readonly name: string; readonly needed: readonly StillNeeded[] }[];
  /** How long the current step waits, and what comes then. */
  readonly waits: { readonly until: Instant; readonly next: OnTimeout } | null;
  /** Null: not for the eyes of whoever reads this card. */
  readonly background: Background | null;
  readonly now: Instant;
}

/** The rows of a card, in the order in which they are read. One without lines is left out. */
const ROWS: readonly ((facts: CardFacts) => Row | readonly Row[])[] = [
  stateRow,
  denialRow,
  whoRow,
  jobRows,
  answerRows,
  targetRows,
  sessionsRow,
  earlierRow,
  votesRow,
  neededRow,
  waitsRow,
];

/**
 * What an approver reads before he decides. Every text in it is one printable line. Of
 * what the request asks for, it says what was fixed when the request was raised.
 */
export function composeCard(facts: CardFacts): ApprovalCard {
  const { requester, target } = facts.card;
  const asks = facts.running_until === null ? 'asks for' : 'asks to keep';
  return {
    request_id: facts.request_id,
    etag: facts.etag,
    title: oneLine(`${requester.name} ${asks} ${titleOf(target)}`),
    rows: ROWS.flatMap((row) => row(facts)).filter(({ lines }) => lines.length > 0),
  };
}

const titleOf = (target: Card['target']): string =>
  target.type === 'server_access'
    ? `${target.identity} on ${target.server.name}`
    : `membership in ${target.memberships.map(({ group }) => group.name).join(', ')}`;

/** What is asked for, and for how long. */
function targetRows({
  card: { target },
  credential,
  running_until,
  background,
  now,
}: CardFacts): Row[] {
  if (target.type === 'group_membership')
    return groupRows(target, background?.groups ?? null, running_until, now);
  return serverRows(target, credential, running_until, now);
}

function stateRow({ state, end_reason, ends_at, now }: CardFacts): Row {
  if (state === 'pending') return row('State', []);
  const why = end_reason === null || end_reason === state ? '' : ` (${end_reason})`;
  const until =
    (state === 'approved' || state === 'active') && ends_at !== null
      ? ` until ${timeInWords(ends_at, now)}`
      : '';
  return row('State', [`${state}${why}${until}: there is nothing to decide any more`]);
}

function denialRow({ background, now }: CardFacts): Row {
  const denial = background?.denial ?? null;
  if (denial === null) return row('Denied before', []);
  const denier = denial.votes.findLast((v) => v.decision === 'deny');
  const who = denier === undefined ? 'nobody decided in time' : `by ${signed(denier)}`;
  return row('Denied before', [`this very access, ${timeInWords(denial.at, now)}, ${who}`]);
}

function whoRow({ card: { requester, request_type } }: CardFacts): Row {
  return row('Who asks', [
    `${requester.name} (${requester.login})`,
    `through ${request_type.name}, version ${request_type.version}`,
  ]);
}

/** Each answer under what was asked, in the order of the questions; none is left out. */
function answerRows({ card: { answers }, fields }: CardFacts): readonly Row[] {
  const asked = fields.map((field) => {
    const answer = Object.hasOwn(answers, field.key) ? (answers[field.key] ?? '') : '';
    return { label: oneLine(field.prompt), lines: [...answerInWords(field, answer)] };
  });
  const known = new Set(fields.map((field) => field.key));
  const others = Object.entries(answers).filter(([key]) => !known.has(key));
  return [
    ...asked,
    ...others.map(([key, answer]) => ({ label: oneLine(key), lines: [...itsLines(answer)] })),
  ];
}

const MOST_SESSIONS = 10;

function sessionsRow({ card, background, now }: CardFacts): Row {
  const label = 'Sessions there now';
  if (background === null || card.target.type !== 'server_access') return row(label, []);
  const { sessions } = background;
  if (sessions.length === 0) return row(label, ['none']);
  const more = sessions.length - MOST_SESSIONS;
  return row(label, [
    ...sessions
      .slice(0, MOST_SESSIONS)
      .map((s) => `${s.user} as ${s.identity}, since ${timeInWords(s.since, now)}`),
    ...(more > 0 ? [`and ${more} more`] : []),
  ]);
}

const WHERE = { server_access: 'this server', group_membership: 'these groups' };

function earlierRow({ card, background, now }: CardFacts): Row {
  if (background === null) return row('Asked before', []);
  const lines = background.earlier.map((e) =>
    [e.identity, `${timeInWords(e.raised_at, now)}: ${outcomeOf(e)}`].filter(Boolean).join(', '),
  );
  return row('Asked before', lines.length > 0 ? lines : [`never, for ${WHERE[card.target.type]}`]);
}

/** How a request went, and by whom. */
function outcomeOf({ state, end_reason, votes }: EarlierRequest): string {
  const standing = votes.filter((v) => !v.void);
  const yes = standing.filter((v) => v.decision === 'approve').map(nameOf);
  const no = standing.findLast((v) => v.decision === 'deny');
  const approved = `approved by ${yes.join(' and ') || 'nobody'}`;
  switch (state) {
    case 'pending':
      return yes.length > 0 ? `pending, ${approved} so far` : 'pending';
    case 'approved':
    case 'active':
      return approved;
    case 'denied':
      return no === undefined ? 'denied: nobody decided in time' : `denied by ${signed(no)}`;
    case 'canceled':
      return end_reason === null || end_reason === 'canceled'
        ? 'withdrawn'
        : `canceled (${end_reason})`;
    case 'expired':
      return 'expired: nobody decided in time';
    default:
      return `${approved}, then ${state}${end_reason === null || end_reason === state ? '' : ` (${end_reason})`}`;
  }
}

function votesRow({ votes, now }: CardFacts): Row {
  return row(
    'Decided so far',
    votes.map((vote) => {
      const word = vote.decision === 'approve' ? 'approved' : 'denied';
      const counts = vote.void ? ' (void, does not count)' : '';
      const what = `${word} by ${nameOf(vote)}${counts}, step ${vote.step}`;
      return `${what}, ${timeInWords(vote.at, now)}${remark(vote)}`;
    }),
  );
}

/** `Ana Ito for Dana Reyes`. */
const nameOf = (vote: VoteFact): string =>
  vote.for === null ? vote.by : `${vote.by} for ${vote.for}`;

/** Stands last in its line, so that nothing it says can be taken for what follows it. */
const remark = ({ comment }: VoteFact): string =>
  comment === null || comment.trim() === '' ? '' : `: ${comment}`;

const signed = (vote: VoteFact): string => `${nameOf(vote)}${remark(vote)}`;

function neededRow({ steps }: CardFacts): Row {
  const texts = steps.map(({ name, needed }) => ({
    name,
    text: neededText(needed) || 'nobody is left who could',
  }));
  const [first, ...later] = texts;
  if (first === undefined) return row('Still needed', []);
  return row('Still needed', [
    later.length === 0 ? first.text : `${first.name}: ${first.text}`,
    ...later.map(({ name, text }) => `then ${name}: ${text}`),
  ]);
}

function waitsRow({ waits, now }: CardFacts): Row {
  if (waits === null) return row('Waits until', []);
  return row('Waits until', [`${timeInWords(waits.until, now)}; ${nextInWords(waits.next)}`]);
}

function nextInWords(next: OnTimeout): string {
  if (next === 'expire') return 'then it expires';
  if (next === 'deny') return 'then it is denied';
  return `then it asks ${next.escalate_to.map(setInWords).join(' and ')} as well`;
}

function setInWords(set: ApproverSet): string {
  switch (set.kind) {
    case 'manager':
      return 'the manager';
    case 'resource_owner':
      return 'the owners of the server';
    case 'group_owner':
      return 'the owners of the group';
    case 'group':
    case 'user':
      return set.name;
  }
}
