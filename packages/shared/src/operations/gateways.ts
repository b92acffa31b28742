import { Type } from 'typebox';
import { Page, Strict, Text, Uuid } from '../schemas/common.ts';
import {
  Admission,
  Admitted,
  Gateway,
  Lease,
  LeaseRequest,
  SessionReport,
} from '../schemas/gateway.ts';
import { SshPublicKey } from '../schemas/session.ts';
import { operation, TEAM } from './operation.ts';

const tag = 'gateways';
const one = Strict({ team: Type.String(), id: Uuid });

export const gatewayOperations = {
  listGateways: operation({
    id: 'listGateways',
    method: 'GET',
    path: `${TEAM}/gateways`,
    tag,
    summary: 'Gateways and when each last renewed its lease',
    access: [
      ['pam_admin', 'any'],
      ['auditor', 'any'],
    ],
    ok: { 200: Page(Gateway) },
  }),
  createGatewayCode: operation({
    id: 'createGatewayCode',
    method: 'POST',
    path: `${TEAM}/gateways`,
    tag,
    summary: 'A one-time code with which a gateway enrols; 15 min',
    access: [['pam_admin', 'any']],
    secret: true,
    body: Strict({ name: Text(100) }),
    ok: { 201: Strict({ code: Type.String(), expires_in_seconds: Type.Integer() }) },
  }),
  disableGateway: operation({
    id: 'disableGateway',
    method: 'POST',
    path: `${TEAM}/gateways/{id}/disable`,
    tag,
    summary: 'Refuse a gateway from now on; its sessions are cut',
    access: [['pam_admin', 'any']],
    params: one,
    ok: { 200: Gateway },
  }),
  enrollGateway: operation({
    id: 'enrollGateway',
    method: 'POST',
    path: `${TEAM}/gateway/enroll`,
    tag,
    summary: 'Enrol with a one-time code and a public key',
    access: 'public',
    secret: true,
    body: Strict({
      code: Text(200),
      public_key: SshPublicKey,
      host_keys: Type.Array(SshPublicKey, { minItems: 1, maxItems: 4 }),
      host: Text(253),
      port: Type.Integer({ minimum: 1, maximum: 65535 }),
    }),
    ok: { 201: Strict({ gateway_id: Uuid }) },
  }),
  admitSession: operation({
    id: 'admitSession',
    method: 'POST',
    path: `${TEAM}/gateway/admissions`,
    tag,
    summary: "Forward a client's authentication; once per session, answers the target's credential",
    access: 'gateway',
    secret: true,
    body: Admission,
    ok: { 200: Admitted },
  }),
  renewLease: operation({
    id: 'renewLease',
    method: 'POST',
    path: `${TEAM}/gateway/lease`,
    tag,
    summary: 'Renew the lease of all sessions; every 5 s',
    access: 'gateway',
    secret: true,
    body: LeaseRequest,
    ok: { 200: Lease },
  }),
  gatewayStream: operation({
    id: 'gatewayStream',
    method: 'GET',
    path: `${TEAM}/gateway/stream`,
    tag,
    summary: 'Opened sessions, cuts and moved deadlines as server-sent events `signal`',
    access: 'gateway',
    sse: true,
    ok: { 200: Type.String() },
  }),
  reportSession: operation({
    id: 'reportSession',
    method: 'POST',
    path: `${TEAM}/gateway/sessions/{id}/events`,
    tag,
    summary: 'A session logged in at its target, or ended',
    access: 'gateway',
    secret: true,
    params: one,
    body: SessionReport,
    ok: { 204: Type.Null() },
  }),
} as const;
