import type { Program } from './command.ts';

const tokens = () => import('./admin-commands/tokens.ts');
const servers = () => import('./admin-commands/servers.ts');
const users = () => import('./admin-commands/users.ts');
const groups = () => import('./admin-commands/groups.ts');
const sessions = () => import('./admin-commands/sessions.ts');
const gateways = () => import('./admin-commands/gateways.ts');
const requests = () => import('./admin-commands/requests.ts');

export const sftAdmin: Program = {
  name: 'sft-admin',
  summary: 'requests, policies, servers, users, sessions and the log',
  commands: {
    'requests list': async () => (await requests()).requestsList,
    'requests show': async () => (await import('./commands/request-show.ts')).requestShow,
    approve: async () => (await import('./admin-commands/decide.ts')).approve,
    deny: async () => (await import('./admin-commands/decide.ts')).deny,
    revoke: async () => (await requests()).revoke,
    apply: async () => (await import('./admin-commands/apply.ts')).apply,
    'servers list': async () => (await servers()).serversList,
    'servers trust': async () => (await import('./admin-commands/servers-trust.ts')).serversTrust,
    'accounts set': async () => (await import('./admin-commands/accounts-set.ts')).accountsSet,
    'users list': async () => (await users()).usersList,
    'users disable': async () => (await users()).usersDisable,
    'users enable': async () => (await users()).usersEnable,
    'groups list': async () => (await groups()).groupsList,
    'groups members': async () => (await groups()).groupsMembers,
    'groups add': async () => (await groups()).groupsAdd,
    'groups remove': async () => (await groups()).groupsRemove,
    'tokens create': async () => (await tokens()).tokensCreate,
    'tokens list': async () => (await tokens()).tokensList,
    'tokens revoke': async () => (await tokens()).tokensRevoke,
    'sessions list': async () => (await sessions()).sessionsList,
    'sessions terminate': async () => (await sessions()).sessionsTerminate,
    'sessions play': async () => (await import('./admin-commands/sessions-play.ts')).sessionsPlay,
    'log search': async () => (await import('./admin-commands/log-search.ts')).logSearch,
    'gateways list': async () => (await gateways()).gatewaysList,
    'gateways enroll-code': async () => (await gateways()).gatewaysEnrollCode,
    'gateways disable': async () => (await gateways()).gatewaysDisable,
    completion: async () => (await import('./commands/completion.ts')).completion,
  },
};
