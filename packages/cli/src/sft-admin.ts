import type { Program } from './command.ts';

const tokens = () => import('./admin-commands/tokens.ts');
const servers = () => import('./admin-commands/servers.ts');
const users = () => import('./admin-commands/users.ts');
const groupRules = () => import('./admin-commands/group-rules.ts');
const reviews = () => import('./admin-commands/reviews.ts');
const roles = () => import('./admin-commands/roles.ts');
const groups = () => import('./admin-commands/groups.ts');
const sessions = () => import('./admin-commands/sessions.ts');
const gateways = () => import('./admin-commands/gateways.ts');
const delegations = () => import('./admin-commands/delegations.ts');
const requestTypes = () => import('./admin-commands/request-types.ts');
const messages = () => import('./admin-commands/messages.ts');
const chat = () => import('./admin-commands/chat.ts');
const scim = () => import('./admin-commands/scim.ts');
const push = () => import('./admin-commands/push.ts');
const workload = () => import('./admin-commands/workload.ts');
const serviceKeys = () => import('./admin-commands/service-keys.ts');
const requests = () => import('./admin-commands/requests.ts');

export const sftAdmin: Program = {
  name: 'sft-admin',
  summary: 'requests, policies, servers, users, sessions and the log',
  commands: {
    'requests list': async () => (await requests()).requestsList,
    'requests show': async () => (await requests()).requestsShow,
    approve: async () => (await import('./admin-commands/decide.ts')).approve,
    deny: async () => (await import('./admin-commands/decide.ts')).deny,
    revoke: async () => (await requests()).revoke,
    delegate: async () => (await delegations()).delegate,
    'delegations list': async () => (await delegations()).delegationsList,
    'delegations end': async () => (await delegations()).delegationsEnd,
    'request-types list': async () => (await requestTypes()).requestTypesList,
    'request-types show': async () => (await requestTypes()).requestTypesShow,
    'request-types lint': async () => (await requestTypes()).requestTypesLint,
    'request-types publish': async () => (await requestTypes()).requestTypesPublish,
    'request-types retire': async () => (await requestTypes()).requestTypesRetire,
    apply: async () => (await import('./admin-commands/apply.ts')).apply,
    'servers list': async () => (await servers()).serversList,
    'servers trust': async () => (await import('./admin-commands/servers-trust.ts')).serversTrust,
    'accounts set': async () => (await import('./admin-commands/accounts-set.ts')).accountsSet,
    'users list': async () => (await users()).usersList,
    'users disable': async () => (await users()).usersDisable,
    'users enable': async () => (await users()).usersEnable,
    'users invite': async () => (await users()).usersInvite,
    'users reset-factors': async () => (await users()).usersResetFactors,
    'users link': async () => (await users()).usersLink,
    'users unlink': async () => (await users()).usersUnlink,
    'group-rules list': async () => (await groupRules()).groupRulesList,
    'group-rules show': async () => (await groupRules()).groupRulesShow,
    'group-rules create': async () => (await groupRules()).groupRulesCreate,
    'group-rules update': async () => (await groupRules()).groupRulesUpdate,
    'group-rules delete': async () => (await groupRules()).groupRulesDelete,
    'groups list': async () => (await groups()).groupsList,
    'groups members': async () => (await groups()).groupsMembers,
    'groups owners': async () => (await groups()).groupsOwners,
    'groups sources': async () => (await groups()).groupsSources,
    'groups add': async () => (await groups()).groupsAdd,
    'groups remove': async () => (await groups()).groupsRemove,
    'roles list': async () => (await roles()).rolesList,
    'roles show': async () => (await roles()).rolesShow,
    'roles set': async () => (await import('./admin-commands/roles-set.ts')).rolesSet,
    'reviews list': async () => (await reviews()).reviewsList,
    'reviews show': async () => (await reviews()).reviewsShow,
    'reviews keep': async () => (await reviews()).reviewsKeep,
    'reviews remove': async () => (await reviews()).reviewsRemove,
    'reviews groups': async () => (await reviews()).reviewsGroups,
    'reviews set': async () => (await reviews()).reviewsSet,
    'reviews stop': async () => (await reviews()).reviewsStop,
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
    'messages list': async () => (await messages()).messagesList,
    'messages retry': async () => (await messages()).messagesRetry,
    'chat link': async () => (await chat()).chatLink,
    'chat list': async () => (await chat()).chatList,
    'chat unlink': async () => (await chat()).chatUnlink,
    'scim create': async () => (await scim()).scimCreate,
    'scim list': async () => (await scim()).scimList,
    'scim update': async () => (await scim()).scimUpdate,
    'scim rotate': async () => (await scim()).scimRotate,
    'scim revoke': async () => (await scim()).scimRevoke,
    'scim link-group': async () => (await scim()).scimLinkGroup,
    'scim targets': async () => (await push()).scimTargets,
    'scim add-target': async () => (await push()).scimAddTarget,
    'scim push-groups': async () => (await push()).scimPushGroups,
    'scim remove-target': async () => (await push()).scimRemoveTarget,
    'scim pushes': async () => (await push()).scimPushes,
    'scim retry': async () => (await push()).scimRetry,
    'workload list': async () => (await workload()).workloadList,
    'workload show': async () => (await workload()).workloadShow,
    'workload set': async () => (await workload()).workloadSet,
    'workload remove': async () => (await workload()).workloadRemove,
    'workload people': async () => (await workload()).workloadPeople,
    'workload link-person': async () => (await workload()).workloadLinkPerson,
    'workload unlink-person': async () => (await workload()).workloadUnlinkPerson,
    'service-keys list': async () => (await serviceKeys()).serviceKeysList,
    'service-keys add': async () => (await serviceKeys()).serviceKeysAdd,
    'service-keys remove': async () => (await serviceKeys()).serviceKeysRemove,
    completion: async () => (await import('./commands/completion.ts')).completion,
  },
};
