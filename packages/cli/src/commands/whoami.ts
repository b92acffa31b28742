import type { WhoAmI } from '@postern/shared';
import { command } from '../command.ts';
import { keptIn } from '../credentials.ts';
import { localTime } from '../render/duration.ts';
import { fields } from '../render/view.ts';

export const whoami = command({
  summary: 'Who you are to the service, with roles and groups',
  async run({ api, world }) {
    const who = await (await api()).call('whoami', {});
    return { ...who, kept_in: await keptIn(world) };
  },
  view: fields<WhoAmI & { readonly kept_in: string }>((who) => [
    ['User', `${who.user.name} (${who.user.login})`],
    ['Team', who.team],
    ['Roles', who.roles.join(', ') || 'none'],
    [
      'Groups',
      who.groups
        .map((g) => (g.until === null ? g.name : `${g.name} (until ${localTime(g.until)})`))
        .join(', ') || 'none',
    ],
    ['Token ends', localTime(who.token.expires_at)],
    ['Kept in', who.kept_in],
    ...(who.token.issued_by === null
      ? []
      : [['Token issued by', who.token.issued_by.name] as const]),
  ]),
});
