export { type InventoryWorld, registerInventoryRoutes } from './routes.ts';
export { type InventoryTools, putResourceGroup, putServer } from './service-apply.ts';
export type { InventoryHooks } from './service-hooks.ts';
export { type OpenedCredential, openCredential } from './service-open.ts';
export {
  type AccountRecord,
  allServers,
  findServerByName,
  idsOfHostnames,
  type ServerRecord,
  serverFactsOf,
} from './store.ts';
