export { changeOf, withMore } from './change.ts';
export { type DirectoryWorld, registerDirectoryRoutes } from './routes.ts';
export { bootstrapTeam, type Team, type TeamWish } from './service-bootstrap.ts';
export { refuseLockout } from './service-lockout.ts';
export { linkGroup, putGroup } from './service-put-group.ts';
export { linkUser, putUser } from './service-put-user.ts';
export { resolveLogins } from './service-refer.ts';
export type { DirectoryHooks } from './service-users.ts';
export {
  clashOfTemplate,
  idsOfLogins,
  isPersonsUnixName,
  lockAdministration,
} from './store.ts';
export { countAdmins, membershipsOf, membersOf } from './store-groups.ts';
export { findTeam } from './store-team.ts';
