import { type ChatLink, printable } from '@postern/shared';
import { command } from '../command.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';

export const chatLink = command({
  summary: 'Link your account in Slack to you',
  help: [
    'Prints what to type in Slack, within 10 minutes. It serves once, and whoever types it',
    'speaks for you from then on: keep it to yourself.',
  ].join('\n'),
  run: async ({ api }) => (await api()).call('createChatLink', {}),
  view: lines<{ readonly code: string; readonly expires_at: string }>(({ code, expires_at }) => [
    `Type this in Slack, before ${localTime(expires_at)}:`,
    `  /postern link ${printable(code)}`,
  ]),
});

export const chatList = command({
  summary: 'Who is linked in the chat: you, or everybody for a pam_admin',
  run: async ({ api }) => (await api()).list('listChatLinks', {}),
  view: table<ChatLink>(
    [
      { name: 'ID', value: (l) => l.id },
      { name: 'USER', value: (l) => l.user.name },
      { name: 'CHAT', value: (l) => l.chat },
      { name: 'WORKSPACE', value: (l) => l.workspace_id },
      { name: 'ACCOUNT', value: (l) => l.chat_user_id },
      { name: 'TOKEN_BY', value: (l) => l.issued_by?.name ?? '-' },
      { name: 'SINCE', value: (l) => localTime(l.created_at) },
    ],
    'Nobody is linked. Link yourself: sft-admin chat link',
  ),
});

export const chatUnlink = command({
  summary: 'End a link at once',
  args: { id: { summary: 'the id of the link' } },
  async run({ api, args: { id } }) {
    await (await api()).call('deleteChatLink', { params: { id } });
    return { id };
  },
  view: lines<{ readonly id: string }>(({ id }) => [`The link ${id} has ended.`]),
});
