export { changeOf, withMore } from './change.ts';
export { type DirectoryWorld, registerDirectoryRoutes } from './routes.ts';
export { bootstrapTeam, type Team, type TeamWish } from './service-bootstrap.ts';
export { groupOf } from './service-groups.ts';
export { refuseLockout } from './service-lockout.ts';
export { joinGroup, leaveGroup } from './service-memberships.ts';
export {
  refuseMemberByRequest,
  refuseRequestInto,
  refuseUnnamedSources,
} from './service-privileged.ts';
export { changeProvisioned, type Provisioned, provisionUser } from './service-provision.ts';
export { PUSH_PATIENCE, tellTargets } from './service-push.ts';
export { linkGroup, putGroup } from './service-put-group.ts';
export { linkUser, putUser } from './service-put-user.ts';
export { resolveLogins } from './service-refer.ts';
export { applyGroupRules, putGroupRule, refusePushOf } from './service-rules.ts';
export { changeStatus, type DirectoryHooks, recordUserChange } from './service-status.ts';
export { changeProfile } from './service-users.ts';
export {
  clashOfTemplate,
  findUser,
  findUserByLogin,
  idsOfLogins,
  isPersonsUnixName,
  lockAdministration,
} from './store.ts';
export {
  countAdmins,
  findGroup,
  findGroupByName,
  findLookalikeGroup,
  grantedMemberships,
  insertGroup,
  liveMemberships,
  lockGroup,
  membershipsOf,
  membersOf,
  ownersOfGroups,
  requestedMemberships,
  rolesOfGroups,
} from './store-groups.ts';
export { findTeam } from './store-team.ts';
