import type { User } from '@postern/shared';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import { Failure } from '../failure.ts';
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
