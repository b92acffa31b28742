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
  getAccessRequestCard: 'GET /v1/teams/{team}/access_requests/{id}/card',
  decideAccessRequest: 'POST /v1/teams/{team}/access_requests/{id}/decisions',
  cancelAccessRequest: 'POST /v1/teams/{team}/access_requests/{id}/cancel',
  revokeAccessRequest: 'POST /v1/teams/{team}/access_requests/{id}/revoke',
  dropAccessRequest: 'POST /v1/teams/{team}/access_requests/{id}/drop',
  escalateAccessRequest: 'POST /v1/teams/{team}/access_requests/{id}/escalate',
  accessRequestEvents: 'GET /v1/teams/{team}/access_requests/{id}/events',
  listCatalog: 'GET /v1/teams/{team}/catalog',
  listRequestTypes: 'GET /v1/teams/{team}/request_types',
  lintRequestTypes: 'GET /v1/teams/{team}/request_types/lint',
  publishRequestType: 'POST /v1/teams/{team}/request_types/{id}/publish',
  retireRequestType: 'DELETE /v1/teams/{team}/request_types/{id}',
  listDelegations: 'GET /v1/teams/{team}/delegations',
  createDelegation: 'POST /v1/teams/{team}/delegations',
  endDelegation: 'DELETE /v1/teams/{team}/delegations/{id}',
  getRequestType: 'GET /v1/teams/{team}/request_types/{id}',
  apply: 'POST /v1/teams/{team}/apply',
  listUsers: 'GET /v1/teams/{team}/users',
  updateUser: 'PATCH /v1/teams/{team}/users/{id}',
  createInvitation: 'POST /v1/teams/{team}/users/{id}/invitation',
  resetFactors: 'DELETE /v1/teams/{team}/users/{id}/factors',
  linkIdentity: 'PUT /v1/teams/{team}/users/{id}/identity',
  unlinkIdentity: 'DELETE /v1/teams/{team}/users/{id}/identity',
  listGroups: 'GET /v1/teams/{team}/groups',
  listGroupMembers: 'GET /v1/teams/{team}/groups/{id}/users',
  addGroupMember: 'PUT /v1/teams/{team}/groups/{id}/users/{user_id}',
  removeGroupMember: 'DELETE /v1/teams/{team}/groups/{id}/users/{user_id}',
  listGroupRules: 'GET /v1/teams/{team}/group_rules',
  createGroupRule: 'POST /v1/teams/{team}/group_rules',
  getGroupRule: 'GET /v1/teams/{team}/group_rules/{id}',
  updateGroupRule: 'PATCH /v1/teams/{team}/group_rules/{id}',
  deleteGroupRule: 'DELETE /v1/teams/{team}/group_rules/{id}',
  listReviewedGroups: 'GET /v1/teams/{team}/reviewed_groups',
  setReviewTerms: 'PUT /v1/teams/{team}/groups/{id}/review',
  removeReviewTerms: 'DELETE /v1/teams/{team}/groups/{id}/review',
  listReviews: 'GET /v1/teams/{team}/reviews',
  getReview: 'GET /v1/teams/{team}/reviews/{id}',
  listReviewMembers: 'GET /v1/teams/{team}/reviews/{id}/users',
  answerReview: 'PUT /v1/teams/{team}/reviews/{id}/users/{user_id}',
  setGroupRoles: 'PUT /v1/teams/{team}/groups/{id}/roles',
  setGroupOwners: 'PUT /v1/teams/{team}/groups/{id}/owners',
  setGroupSources: 'PUT /v1/teams/{team}/groups/{id}/sources',
  createToken: 'POST /v1/teams/{team}/tokens',
  listTokens: 'GET /v1/teams/{team}/tokens',
  endLogins: 'DELETE /v1/teams/{team}/logins',
  revokeToken: 'DELETE /v1/teams/{team}/tokens/{id}',
  createSessionNonce: 'POST /v1/teams/{team}/sessions/nonce',
  openSession: 'POST /v1/teams/{team}/sessions',
  listSessions: 'GET /v1/teams/{team}/sessions',
  getSession: 'GET /v1/teams/{team}/sessions/{id}',
  terminateSession: 'POST /v1/teams/{team}/sessions/{id}/terminate',
  getRecording: 'GET /v1/teams/{team}/sessions/{id}/recording',
  createMfaApproval: 'POST /v1/teams/{team}/mfa_approvals',
  getMfaApprovalState: 'GET /v1/teams/{team}/mfa_approvals/{id}/state',
  answerMfaApproval: 'POST /v1/teams/{team}/mfa_approvals/{id}/totp',
  listGateways: 'GET /v1/teams/{team}/gateways',
  createGatewayCode: 'POST /v1/teams/{team}/gateways',
  disableGateway: 'POST /v1/teams/{team}/gateways/{id}/disable',
  listAuditEvents: 'GET /v1/teams/{team}/audit/events',
  listMessages: 'GET /v1/teams/{team}/messages',
  retryMessage: 'POST /v1/teams/{team}/messages/{id}/retry',
  createChatLink: 'POST /v1/teams/{team}/chat_links',
  listChatLinks: 'GET /v1/teams/{team}/chat_links',
  deleteChatLink: 'DELETE /v1/teams/{team}/chat_links/{id}',
  createPushTarget: 'POST /v1/teams/{team}/push_targets',
  listPushTargets: 'GET /v1/teams/{team}/push_targets',
  setPushGroups: 'PUT /v1/teams/{team}/push_targets/{id}/groups',
  removePushTarget: 'DELETE /v1/teams/{team}/push_targets/{id}',
  listPushes: 'GET /v1/teams/{team}/pushes',
  retryPush: 'POST /v1/teams/{team}/pushes/{id}/retry',
  createScimConnection: 'POST /v1/teams/{team}/scim_connections',
  listScimConnections: 'GET /v1/teams/{team}/scim_connections',
  updateScimConnection: 'PATCH /v1/teams/{team}/scim_connections/{id}',
  rotateScimToken: 'POST /v1/teams/{team}/scim_connections/{id}/token',
  revokeScimConnection: 'DELETE /v1/teams/{team}/scim_connections/{id}',
  linkScimGroup: 'POST /v1/teams/{team}/scim_connections/{id}/groups',
  createWorkloadConnection: 'POST /v1/teams/{team}/workload_connections',
  listWorkloadConnections: 'GET /v1/teams/{team}/workload_connections',
  replaceWorkloadConnection: 'PUT /v1/teams/{team}/workload_connections/{id}',
  removeWorkloadConnection: 'DELETE /v1/teams/{team}/workload_connections/{id}',
  issueWorkloadToken: 'POST /v1/teams/{team}/workloads/{connection}/issue_token',
  linkWorkloadPerson: 'POST /v1/teams/{team}/workload_people',
  listWorkloadPeople: 'GET /v1/teams/{team}/workload_people',
  unlinkWorkloadPerson: 'DELETE /v1/teams/{team}/workload_people/{id}',
  addServiceUserKey: 'POST /v1/teams/{team}/users/{id}/keys',
  listServiceUserKeys: 'GET /v1/teams/{team}/users/{id}/keys',
  removeServiceUserKey: 'DELETE /v1/teams/{team}/users/{id}/keys/{key_id}',
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
