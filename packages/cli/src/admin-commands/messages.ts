import { MESSAGE_STATES, type Message } from '@postern/shared';
import { command } from '../command.ts';
import { usage } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';

const DEFAULT_LIMIT = '100';

/** Where it goes: whose mailbox, or which webhook. */
const destination = ({ destination: { type, name }, to }: Message): string =>
  type === 'mail' ? `mail to ${to?.name ?? '-'}` : `webhook ${name}`;

export const messagesList = command({
  summary: 'Messages and what became of them, newest first',
  flags: {
    state: {
      value: 'STATE',
      choices: MESSAGE_STATES,
      summary: 'only those: waiting, delivered, dead',
    },
    limit: { value: 'N', summary: `how many at most; default ${DEFAULT_LIMIT}` },
  },
  async run({ api, flags: { state, limit = DEFAULT_LIMIT } }) {
    if (!/^[1-9][0-9]{0,5}$/.test(limit))
      throw usage(`--limit ${limit} is no number of messages.`, 'Pass e.g. --limit 1000.');
    const query = state === undefined ? {} : { state: state as Message['state'] };
    return (await api()).list('listMessages', { query }, Number(limit));
  },
  view: table<Message>(
    [
      { name: 'ID', value: (m) => m.id },
      { name: 'STATE', value: (m) => m.state },
      { name: 'KIND', value: (m) => m.kind },
      { name: 'DESTINATION', value: destination },
      { name: 'MADE', value: (m) => localTime(m.created_at) },
      { name: 'ATTEMPTS', value: (m) => String(m.attempts) },
      { name: 'NEXT', value: (m) => localTime(m.next_at) },
      { name: 'WHY', value: (m) => m.last_error ?? '-' },
    ],
    'No messages.',
  ),
});

export const messagesRetry = command({
  summary: 'Send a dead message again',
  args: { id: { summary: 'the id of the message' } },
  run: async ({ api, args: { id } }) => (await api()).call('retryMessage', { params: { id } }),
  view: lines<Message>((message) => [
    `Message ${message.id} is ${message.state}: ${destination(message)}.`,
  ]),
});
