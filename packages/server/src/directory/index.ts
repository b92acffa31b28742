export { changeOf, withMore } from './change.ts';
export { type DirectoryWorld, registerDirectoryRoutes } from './routes.ts';
export {
  EVERYONE,
  linkGroup,
  linkUser,
  putGroup,
  putUser,
  resolveLogins,
} from './service-apply.ts';
export { bootstrapTeam, type Team, type TeamWish } from './service-bootstrap.ts';
export { refuseLockout } from './service-lockout.ts';
export type { DirectoryHooks } from './service-users.ts';
export {
  clashOfTemplate,
  idsOfLogins,
  isPersonsUnixName,
  lockAdministration,
} from './store.ts';
export { countAdmins, membershipsOf, membersOf } from './store-groups.ts';
export { findTeam } from './store-team.ts';
