import type {
  Review,
  ReviewAnswer,
  ReviewedGroup,
  ReviewMember,
  ReviewTerms,
} from '@postern/shared';
import { command } from '../command.ts';
import { Failure, usage } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';
import { groupNamed } from './groups.ts';

const REVIEW = { review: { summary: 'the id of the review' } };

export const reviewsList = command({
  summary: 'Reviews of who is in a group: of groups you own, or all',
  flags: { all: { summary: 'also those that are over' } },
  run: async ({ api, flags }) =>
    (await api()).list('listReviews', flags.all ? {} : { query: { state: 'open' } }),
  view: table<Review>(
    [
      { name: 'ID', value: (r) => r.id },
      { name: 'GROUP', value: (r) => r.group.name },
      { name: 'STATE', value: (r) => r.state },
      { name: 'TO ANSWER', value: (r) => `${r.open_members} of ${r.members}` },
      { name: 'BY', value: (r) => localTime(r.due_at) },
      { name: 'ELSE', value: (r) => r.unanswered },
    ],
    'No reviews.',
  ),
});

interface Shown {
  readonly review: Review;
  readonly members: readonly ReviewMember[];
}

export const reviewsShow = command({
  summary: 'A review: whom it is about, and what was answered',
  args: REVIEW,
  async run({ api, args }): Promise<Shown> {
    const service = await api();
    const params = { id: args.review };
    const review = await service.call('getReview', { params });
    return { review, members: await service.list('listReviewMembers', { params }) };
  },
  view: lines<Shown>(({ review, members }) => [
    `Group:     ${review.group.name}`,
    `State:     ${review.state}`,
    `Opened:    ${localTime(review.opened_at)}`,
    `Answer by: ${localTime(review.due_at)}; who is left out then is ${review.unanswered === 'keep' ? 'kept' : 'removed'}`,
    ...members.map(
      (member) => `  ${member.user.name} (${member.login}): ${memberLine(review, member)}`,
    ),
  ]),
});

const memberLine = (review: Review, member: ReviewMember): string => {
  const { outcome, answered_by, comment, reason } = member;
  if (outcome === null)
    return review.state === 'open' ? `in by ${ways(member)}; not answered` : 'not answered';
  const by = answered_by === null ? 'nobody answered' : answered_by.name;
  return [`${outcome} (${by})`, comment, reason].filter((text) => text !== null).join(': ');
};

const ways = ({ memberships }: ReviewMember): string =>
  memberships
    .map(({ source, request_id, expires_at }) =>
      request_id === null
        ? source
        : `request ${request_id}${expires_at === null ? '' : ` until ${localTime(expires_at)}`}`,
    )
    .join(', ') || 'nothing any more';

const answering = (answer: ReviewAnswer, summary: string, help: string) =>
  command({
    summary,
    help,
    args: { ...REVIEW, logins: { rest: true, summary: 'the login of each member' } },
    flags: { comment: { value: 'TEXT', summary: 'why; it is kept with the answer' } },
    async run({ api, args, flags: { comment } }) {
      if (args.logins.length === 0)
        throw usage('It takes the members.', 'Pass their logins after the id of the review.');
      const service = await api();
      const params = { id: args.review };
      const members = await service.list('listReviewMembers', { params });
      // All of them are looked up before the first is answered: a typo changes nothing.
      const found = args.logins.map((login) => memberOf(members, login, args.review));
      const answered: ReviewMember[] = [];
      for (const { user } of found)
        answered.push(
          await service.call('answerReview', {
            params: { ...params, user_id: user.id },
            body: comment === undefined ? { answer } : { answer, comment },
          }),
        );
      return answered;
    },
    view: lines<readonly ReviewMember[]>((answered) =>
      answered.map(({ user, outcome }) => `${user.name}: ${outcome ?? 'not answered'}.`),
    ),
  });

export const reviewsKeep = answering(
  'keep',
  'Keep members of a group you own',
  'Nobody answers for himself.',
);
export const reviewsRemove = answering(
  'remove',
  'Remove members from a group you own',
  'What an admin or a request gave them ends at once; what a rule or SCIM gives stays.',
);

function memberOf(members: readonly ReviewMember[], login: string, review: string): ReviewMember {
  const found = members.find((member) => member.login === login);
  if (found !== undefined) return found;
  throw new Failure(
    'not_found',
    `The review is not about ${login}; nothing was answered.`,
    `\`sft-admin reviews show ${review}\` says whom it is about.`,
  );
}

export const reviewsGroups = command({
  summary: 'Groups whose members are reviewed, and how often',
  run: async ({ api }) => (await api()).list('listReviewedGroups', {}),
  view: table<ReviewedGroup>(
    [
      { name: 'GROUP', value: (g) => g.group.name },
      { name: 'EVERY', value: (g) => g.every },
      { name: 'ANSWER WITHIN', value: (g) => g.answer_within },
      { name: 'ELSE', value: (g) => g.unanswered },
      { name: 'NEXT', value: (g) => localTime(g.next_at) },
    ],
    'No group is reviewed.',
  ),
});

export const reviewsSet = command({
  summary: 'Have the owners of a group confirm or remove its members, again and again',
  help: 'Times are like 90d or 12h. A review that is open keeps the terms it was opened with.',
  args: { group: { summary: 'the name of the group' } },
  flags: {
    every: { value: 'TIME', summary: 'from one review to the next: 1d to 730d' },
    'answer-within': { value: 'TIME', summary: 'how long the owners have' },
    unanswered: {
      value: 'ANSWER',
      choices: ['keep', 'remove'],
      summary: 'what becomes of members whom nobody answers for',
    },
  },
  async run({ api, args, flags: { every, 'answer-within': answer_within, unanswered } }) {
    if (every === undefined || answer_within === undefined || unanswered === undefined)
      throw usage(
        'It takes how often, how long the owners have, and what becomes of the rest.',
        'Pass --every 90d --answer-within 14d --unanswered remove.',
      );
    const service = await api();
    const { id } = await groupNamed(service, args.group);
    const body = { every, answer_within, unanswered } as ReviewTerms;
    return await service.call('setReviewTerms', { params: { id }, body });
  },
  view: lines<ReviewedGroup>(({ group, every, next_at }) => [
    `${group.name} is reviewed every ${every}, next ${localTime(next_at)}.`,
  ]),
});

export const reviewsStop = command({
  summary: 'Review a group no more; a review that is open is canceled',
  args: { group: { summary: 'the name of the group' } },
  async run({ api, args }) {
    const service = await api();
    const { id } = await groupNamed(service, args.group);
    await service.call('removeReviewTerms', { params: { id } });
    return { group: args.group };
  },
  view: lines<{ group: string }>(({ group }) => [`${group} is reviewed no more.`]),
});
