import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import {
  addGroupMember,
  describeGroup,
  listGroupMembers,
  listGroups,
  removeGroupMember,
  setGroupRoles,
  setGroupSources,
} from './service-groups.ts';
import { setGroupOwners } from './service-owners.ts';
import {
  createGroupRule,
  deleteGroupRule,
  getGroupRule,
  listGroupRules,
  updateGroupRule,
} from './service-rules.ts';
import type { DirectoryHooks } from './service-status.ts';
import { listUsers, updateUser, whoami } from './service-users.ts';

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
  route(app, world, 'listGroups', async ({ tx, caller, relations, query }) => {
    const { list, ...next } = await listGroups(tx, caller, relations, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'listGroupMembers', async ({ tx, caller, relations, params, query }) => {
    const { list, ...next } = await listGroupMembers(tx, caller, relations, params.id, query);
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
  route(app, world, 'setGroupOwners', async ({ tx, caller, params, body }) => {
    await setGroupOwners(tx, caller, params.id, body.owners);
    return { status: 200, body: await describeGroup(tx, params.id) };
  });
  route(app, world, 'listGroupRules', async ({ tx, query }) => {
    const { list, ...next } = await listGroupRules(tx, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'createGroupRule', async ({ tx, caller, body }) => ({
    status: 201,
    body: await createGroupRule(tx, caller, body),
  }));
  route(app, world, 'getGroupRule', async ({ tx, params }) => ({
    status: 200,
    body: await getGroupRule(tx, params.id),
  }));
  route(app, world, 'updateGroupRule', async ({ tx, caller, params, body }) => ({
    status: 200,
    body: await updateGroupRule(tx, caller, params.id, body.when),
  }));
  route(app, world, 'deleteGroupRule', async ({ tx, caller, params }) => {
    await deleteGroupRule(tx, caller, params.id);
    return { status: 204, body: null };
  });
  route(app, world, 'setGroupSources', async ({ tx, caller, params, body }) => ({
    status: 200,
    body: await setGroupSources(tx, caller, params.id, body.sources),
  }));
}
