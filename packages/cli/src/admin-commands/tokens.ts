import type { Token } from '@postern/shared';
import { command } from '../command.ts';
import { Failure, usage } from '../failure.ts';
import { localTime, parseDuration } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';

export const tokensCreate = command({
  summary: 'Make a token for yourself, or for somebody else; it is shown once',
  flags: {
    user: { value: 'LOGIN', summary: 'whose it is; needs pam_admin' },
    name: { value: 'TEXT', summary: 'what it is for' },
    expires: { value: 'TIME', summary: 'how long it lives, at most 24h; default 8h' },
    out: { value: 'FILE', summary: 'write it to a new private file, not to stdout' },
  },
  async run({ api, world, flags: { user, name, expires = '8h', out } }) {
    if (name === undefined) throw usage('A token needs a name.', 'Pass --name TEXT.');
    const ms = parseDuration(expires);
    if (ms === undefined)
      throw usage(`--expires ${expires} is no length of time.`, 'Pass e.g. --expires 30m or 8h.');
    const body = {
      name,
      expires_in_seconds: ms / 1000,
      ...(user !== undefined && { login: user }),
    };
    const made = await (await api()).call('createToken', { body });
    if (out === undefined) return made;
    try {
      await world.files.writePrivate(out, `${made.token}\n`);
    } catch (error) {
      throw new Failure(
        'configuration',
        `${out} cannot be written (${String((error as { code?: unknown }).code)}); the token is lost.`,
        `Run \`sft-admin tokens revoke ${made.id}\`, then make another one.`,
      );
    }
    return { id: made.id, expires_at: made.expires_at, file: out };
  },
  view: lines<{ readonly token?: string; readonly file?: string; readonly expires_at: string }>(
    (made) => [made.token ?? `Written to ${made.file}; it ends at ${localTime(made.expires_at)}.`],
  ),
});

export const tokensList = command({
  summary: 'Live tokens: your own, or all',
  run: async ({ api }) => (await api()).list('listTokens', {}),
  view: table<Token>(
    [
      { name: 'ID', value: (t) => t.id },
      { name: 'NAME', value: (t) => t.name },
      { name: 'USER', value: (t) => t.user.name },
      { name: 'ISSUED_BY', value: (t) => t.issued_by?.name ?? '-' },
      { name: 'EXPIRES', value: (t) => localTime(t.expires_at) },
    ],
    'No tokens.',
  ),
});

export const tokensRevoke = command({
  summary: 'End a token',
  args: { id: { summary: 'the id of the token' } },
  async run({ api, args: { id } }) {
    await (await api()).call('revokeToken', { params: { id } });
    return { id };
  },
  view: lines<{ readonly id: string }>(({ id }) => [`Token ${id} is revoked.`]),
});
