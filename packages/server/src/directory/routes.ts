import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import {
  addGroupMember,
  listGroupMembers,
  listGroups,
  removeGroupMember,
  setGroupRoles,
} from './service-groups.ts';
import { type DirectoryHooks, listUsers, updateUser, whoami } from './service-users.ts';

export interface DirectoryWorld extends RouteWorld<Caller> {
  readonly hooks: DirectoryHooks;
}

/** Users, groups, memberships, roles, and who the caller is. */
export function registerDirectoryRoutes(app: FastifyInstance, world: DirectoryWorld): void {
  route(app, world, 'whoami', async ({ tx, caller }) => ({
    status: 200,
    body: await whoami(tx, caller, world.team),
  }));
  route(app, world, 'listUsers', async ({ tx, query }) => {
    const { list, ...next } = await listUsers(tx, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'updateUser', async ({ tx, caller, params, body }) => ({
    status: 200,
    body: await updateUser(tx, caller, world.hooks, params.id, body),
  }));
  route(app, world, 'listGroups', async ({ tx, query }) => {
    const { list, ...next } = await listGroups(tx, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'listGroupMembers', async ({ tx, params, query }) => {
    const { list, ...next } = await listGroupMembers(tx, params.id, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'addGroupMember', async ({ tx, caller, params }) => {
    await addGroupMember(tx, caller, params.id, params.user_id);
    return { status: 204, body: null };
  });
  route(app, world, 'removeGroupMember', async ({ tx, caller, params }) => {
    await removeGroupMember(tx, caller, params.id, params.user_id);
    return { status: 204, body: null };
  });
  route(app, world, 'setGroupRoles', async ({ tx, caller, params, body }) => ({
    status: 200,
    body: await setGroupRoles(tx, caller, params.id, body.roles),
  }));
}
