import type {
  AccessMethod,
  AccessRequest,
  AccessRequestDetail,
  ApprovalCard,
  ReachableServer,
  Session,
  WhoAmI,
} from '@postern/shared';

/** Ids that can be told apart at a glance: `id(7)` ends in 7. */
export const id = (n: number): string => `01990000-0000-7000-8000-${String(n).padStart(12, '0')}`;

export const NOW = Date.parse('2026-11-24T12:00:00Z');
export const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString();

export const SERVER: ReachableServer = {
  id: id(1),
  name: 'opa-demo-linux',
  os_type: 'linux',
  project_name: 'demo',
  access_address: '127.0.0.1',
  access_port: 2222,
  via: 'gateway',
  labels: { env: 'demo' },
};

export const ANA: WhoAmI = {
  user: {
    id: id(10),
    login: 'ana@example.com',
    name: 'Ana',
    email: null,
    type: 'human',
    status: 'ACTIVE',
    manager: { id: id(11), name: 'Dana Reyes' },
    unix_name: 'ana',
    attributes: {},
    created_at: at(-1000),
  },
  team: 'demo',
  roles: ['end_user'],
  groups: [
    { id: id(12), name: 'engineers', until: null },
    { id: id(13), name: 'linux-admins', until: at(60) },
  ],
  token: { id: id(14), expires_at: at(600), issued_by: null },
};

type RequestCondition = Extract<AccessMethod['conditionals'][number], { type: 'access_request' }>;

export function condition(more: Partial<RequestCondition> = {}): RequestCondition {
  return {
    type: 'access_request',
    condition_is_met: false,
    description: 'Server access approval, then 30 min',
    expires_at: null,
    request_type: { id: id(20), name: 'Server access approval' },
    expires_after_seconds: 1800,
    approval_id: null,
    request_id: null,
    pending_request_id: null,
    ...more,
  };
}

export function method(identity: string, more: Partial<AccessMethod> = {}): AccessMethod {
  return {
    server_id: SERVER.id,
    identity,
    access_credential: { type: 'vaulted_account', account_id: id(30) },
    privilege: 'vaulted_account_ssh',
    channels: ['shell', 'exec', 'sftp'],
    allowed: false,
    expires_at: null,
    resource_status: 'available',
    rule_ids: [id(40)],
    conditionals: [condition()],
    ...more,
  };
}

/** A method whose approval by Dana Reyes (request 50) holds for `minutes` more. */
export const approved = (identity: string, minutes: number): AccessMethod =>
  method(identity, {
    allowed: true,
    expires_at: at(minutes),
    conditionals: [
      condition({
        condition_is_met: true,
        expires_at: at(minutes),
        approval_id: id(51),
        request_id: id(50),
      }),
    ],
  });

export function accessRequest(more: Partial<AccessRequest> = {}): AccessRequest {
  return {
    id: id(50),
    state: 'pending',
    etag: '3',
    request_type: { id: id(20), name: 'Server access approval', version: 2 },
    requester: { id: id(10), name: 'Ana' },
    target: {
      type: 'server_access',
      server: {
        id: SERVER.id,
        name: SERVER.name,
        os_type: 'linux',
        project_name: 'demo',
        labels: {},
      },
      identity: 'pamadmin1',
      access_credential: { type: 'vaulted_account', account_id: id(30) },
      privilege: 'vaulted_account_ssh',
      channels: ['shell', 'exec', 'sftp'],
      period_seconds: 1800,
    },
    answers: { justification: 'rotate the logs' },
    steps: [
      {
        index: 0,
        name: 'Server manager',
        state: 'current',
        still_needed: [
          {
            either: [
              { any: 1, of: ['Dana Reyes'] },
              { any: 2, of: ['group:linux-approvers'] },
            ],
          },
        ],
        expires_at: at(1440),
      },
    ],
    decisions: [],
    comments: [],
    approval: null,
    created_at: at(0),
    resolved_at: null,
    ends_at: null,
    end_reason: null,
    ...more,
  };
}

export function decided(
  decision: 'approve' | 'deny',
  comment: string | null = null,
): AccessRequest {
  return accessRequest({
    state: decision === 'approve' ? 'approved' : 'denied',
    etag: '4',
    steps: accessRequest().steps.map((s) => ({
      ...s,
      state: decision === 'approve' ? 'met' : 'current',
      still_needed: [],
    })),
    decisions: [
      {
        id: id(52),
        step: 0,
        decision,
        by: { id: id(11), name: 'Dana Reyes' },
        for: null,
        comment,
        decided_at: at(1),
        voided_at: null,
      },
    ],
    approval:
      decision === 'approve'
        ? { id: id(51), approved_at: at(1), revoked_at: null, ended_at: null }
        : null,
    resolved_at: at(1),
    ends_at: decision === 'approve' ? at(31) : null,
  });
}

/** What `getAccessRequest` answers for that request. */
export const detail = (
  request: AccessRequest,
  more: Partial<AccessRequestDetail> = {},
): AccessRequestDetail => ({ ...request, history: [], sessions: [], memberships: [], ...more });

/** What `getAccessRequestCard` answers for `accessRequest()`. */
export const card = (more: Partial<ApprovalCard> = {}): ApprovalCard => ({
  request_id: id(50),
  etag: '3',
  title: 'Ana asks for pamadmin1 on opa-demo-linux',
  rows: [
    { label: 'Who asks', lines: ['Ana (ana)', 'through Server access approval, version 2'] },
    { label: 'Why do you need it?', lines: ['rotate the logs', '', 'all of them'] },
    { label: 'Still needed', lines: ['Dana Reyes or 2 people in linux-approvers'] },
  ],
  ...more,
});

export function session(more: Partial<Session> = {}): Session {
  return {
    id: id(60),
    state: 'opening',
    user: { id: id(10), name: 'Ana' },
    server: { id: SERVER.id, name: SERVER.name },
    server_id: SERVER.id,
    identity: 'pamadmin1',
    request_id: id(50),
    rule_ids: [id(40)],
    recorded: true,
    channels: ['shell', 'exec', 'sftp'],
    opened_at: at(0),
    admitted_at: null,
    expires_at: at(30),
    admit_before: at(1),
    ended_at: null,
    end_reason: null,
    exit_status: null,
    ...more,
  };
}

/** What `getRequestType` answers for the type of `condition()`. */
export const REQUEST_TYPE = {
  id: id(20),
  name: 'Server access approval',
  state: 'published',
  etag: '1',
  published_version: 2,
  digest: 'd1',
  draft: null,
  definition: {
    name: 'Server access approval',
    purpose: 'server_access' as const,
    audience: 'everyone' as const,
    fields: [
      {
        key: 'justification',
        prompt: 'Why do you need it?',
        type: 'text' as const,
        required: true,
        max_length: 2000,
      },
    ],
    steps: [{ name: 'Server manager', needs: { any: 1, of: ['manager'] } }],
    on_approved: ['grant_access' as const],
  },
};
