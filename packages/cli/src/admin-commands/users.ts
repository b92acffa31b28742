import type { Invitation, User } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import { Failure, usage } from '../failure.ts';
import { localTime } from '../render/duration.ts';
import { lines, table } from '../render/view.ts';

const LOGIN = { login: { summary: 'the login of the user' } };
const said = lines<User>((user) => [`${user.login} is ${user.status}.`]);

export const usersList = command({
  summary: 'Users',
  run: async ({ api }) => (await api()).list('listUsers', {}),
  view: table<User>(
    [
      { name: 'LOGIN', value: (u) => u.login },
      { name: 'NAME', value: (u) => u.name },
      { name: 'TYPE', value: (u) => u.type },
      { name: 'STATUS', value: (u) => u.status },
      { name: 'MANAGER', value: (u) => u.manager?.name ?? '-' },
      { name: 'UNIX_NAME', value: (u) => u.unix_name ?? '-' },
    ],
    'No users.',
  ),
});

export const usersDisable = command({
  summary: 'Disable a user: tokens, requests, approvals and sessions end at once',
  args: LOGIN,
  run: async ({ api, args }) => setStatus(await api(), args.login, 'DISABLED'),
  view: said,
});

export const usersEnable = command({
  summary: 'Enable a user again; nothing that ended comes back',
  args: LOGIN,
  run: async ({ api, args }) => setStatus(await api(), args.login, 'ACTIVE'),
  view: said,
});

export const usersInvite = command({
  summary: 'The link with which somebody sets his password; it is shown once',
  args: LOGIN,
  async run({ api, args, say }) {
    const service = await api();
    const user = await userNamed(service, args.login);
    const made = await service.call('createInvitation', { params: { id: user.id } });
    say(
      `Send this to ${user.name} alone. It opens once, until ${localTime(made.expires_at)}; links made before it open no more.`,
    );
    const url = made.url ?? new URL(`/invite/${made.code}`, service.settings.url).href;
    return { ...made, url };
  },
  view: lines<Invitation>((made) => [made.url ?? made.code]),
});

export const usersResetFactors = command({
  summary: 'Remove the authenticator app and passkeys of somebody who lost them',
  args: LOGIN,
  async run({ api, args: { login } }) {
    const service = await api();
    const user = await userNamed(service, login);
    await service.call('resetFactors', { params: { id: user.id } });
    return { id: user.id, login };
  },
  view: lines<{ readonly login: string }>(({ login }) => [
    `The second factors of ${login} are removed, and the logins ended.`,
  ]),
});

export const usersLink = command({
  summary: 'Say who somebody is at the OpenID provider',
  help: 'Never by name or address: the subject is what the provider calls him in its tokens (sub).',
  args: LOGIN,
  flags: {
    issuer: { value: 'URL', summary: 'the provider, as its tokens name it (iss)' },
    subject: { value: 'ID', summary: 'what it calls the person (sub)' },
  },
  async run({ api, args: { login }, flags: { issuer, subject } }) {
    if (issuer === undefined || subject === undefined)
      throw usage('Both are needed.', 'Pass --issuer URL and --subject ID.');
    const service = await api();
    const user = await userNamed(service, login);
    await service.call('linkIdentity', { params: { id: user.id }, body: { issuer, subject } });
    return { id: user.id, login, issuer, subject };
  },
  view: lines<{ readonly login: string; readonly subject: string; readonly issuer: string }>(
    ({ login, subject, issuer }) => [`${login} is ${subject} at ${issuer}.`],
  ),
});

export const usersUnlink = command({
  summary: 'Let somebody log in with the OpenID provider no more',
  args: LOGIN,
  async run({ api, args: { login } }) {
    const service = await api();
    const user = await userNamed(service, login);
    await service.call('unlinkIdentity', { params: { id: user.id } });
    return { id: user.id, login };
  },
  view: lines<{ readonly login: string }>(({ login }) => [
    `${login} is linked to no identity provider, and the logins are ended.`,
  ]),
});

async function setStatus(api: Api, login: string, status: 'ACTIVE' | 'DISABLED'): Promise<User> {
  const user = await userNamed(api, login);
  return await api.call('updateUser', { params: { id: user.id }, body: { status } });
}

/** The user with this login. @throws Failure 77 */
export async function userNamed(api: Api, login: string): Promise<User> {
  const found = await api.list('listUsers', { query: { login } });
  const user = found.find((u) => u.login === login);
  if (user !== undefined) return user;
  throw new Failure(
    'not_found',
    `There is no user ${login}.`,
    '`sft-admin users list` shows the users.',
  );
}
