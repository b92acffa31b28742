import type { OperationId, operations } from '@postern/shared';
import { usage } from '../failure.ts';

type Op<K extends OperationId> = (typeof operations)[K];

/**
 * Method and path of each operation that the tools call. The types hold every line to the
 * shared table; the table itself, with all its schemas, is not loaded at run time.
 */
export const ROUTES = {
  whoami: 'GET /v1/teams/{team}/whoami',
  listServers: 'GET /v1/teams/{team}/servers',
  resolve: 'POST /v1/teams/{team}/resolve',
  listInventory: 'GET /v1/teams/{team}/inventory/servers',
  updateServer: 'PATCH /v1/teams/{team}/inventory/servers/{id}',
  setCredential: 'PUT /v1/teams/{team}/inventory/servers/{id}/accounts/{username}',
  createAccessRequest: 'POST /v1/teams/{team}/access_requests',
  listAccessRequests: 'GET /v1/teams/{team}/access_requests',
  getAccessRequest: 'GET /v1/teams/{team}/access_requests/{id}',
  decideAccessRequest: 'POST /v1/teams/{team}/access_requests/{id}/decisions',
  cancelAccessRequest: 'POST /v1/teams/{team}/access_requests/{id}/cancel',
  revokeAccessRequest: 'POST /v1/teams/{team}/access_requests/{id}/revoke',
  dropAccessRequest: 'POST /v1/teams/{team}/access_requests/{id}/drop',
  accessRequestEvents: 'GET /v1/teams/{team}/access_requests/{id}/events',
  getRequestType: 'GET /v1/teams/{team}/request_types/{id}',
  apply: 'POST /v1/teams/{team}/apply',
  listUsers: 'GET /v1/teams/{team}/users',
  updateUser: 'PATCH /v1/teams/{team}/users/{id}',
  listGroups: 'GET /v1/teams/{team}/groups',
  listGroupMembers: 'GET /v1/teams/{team}/groups/{id}/users',
  addGroupMember: 'PUT /v1/teams/{team}/groups/{id}/users/{user_id}',
  removeGroupMember: 'DELETE /v1/teams/{team}/groups/{id}/users/{user_id}',
  createToken: 'POST /v1/teams/{team}/tokens',
  listTokens: 'GET /v1/teams/{team}/tokens',
  revokeToken: 'DELETE /v1/teams/{team}/tokens/{id}',
  createSessionNonce: 'POST /v1/teams/{team}/sessions/nonce',
  openSession: 'POST /v1/teams/{team}/sessions',
  listSessions: 'GET /v1/teams/{team}/sessions',
  getSession: 'GET /v1/teams/{team}/sessions/{id}',
  terminateSession: 'POST /v1/teams/{team}/sessions/{id}/terminate',
  getRecording: 'GET /v1/teams/{team}/sessions/{id}/recording',
  listGateways: 'GET /v1/teams/{team}/gateways',
  createGatewayCode: 'POST /v1/teams/{team}/gateways',
  disableGateway: 'POST /v1/teams/{team}/gateways/{id}/disable',
  listAuditEvents: 'GET /v1/teams/{team}/audit/events',
} as const satisfies { readonly [K in OperationId]?: `${Op<K>['method']} ${Op<K>['path']}` };

export type RouteId = keyof typeof ROUTES;

export const methodOf = (route: RouteId): string => ROUTES[route].split(' ')[0] as string;

/** @throws Failure 64 when a parameter would change which operation is called. */
export function pathOf(route: RouteId, params: Readonly<Record<string, string>>): string {
  const template = ROUTES[route].split(' ')[1] as string;
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name] ?? '';
    // URL parsing takes a lone `.` or `..` out of a path.
    if (/^\.{0,2}$/.test(value))
      throw usage(`"${value}" is no ${name}.`, 'Pass one as the lists of this tool show it.');
    return encodeURIComponent(value);
  });
}
