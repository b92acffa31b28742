import { type Static, Type } from 'typebox';
import { DateTime, Nullable, Page, PageQuery, Strict, Text, Uuid } from '../schemas/common.ts';
import { operation, TEAM } from './operation.ts';

const Reference = Strict({
  type: Type.String(),
  id: Nullable(Type.String()),
  name: Nullable(Type.String()),
});

export const AuditEvent = Strict({
  id: Uuid,
  /** Place in the log; null until the appender has numbered it. */
  seq: Nullable(Type.Integer()),
  at: DateTime,
  type: Type.String(),
  actor: Reference,
  targets: Type.Array(Reference),
  outcome: Strict({
    result: Type.Union([Type.Literal('success'), Type.Literal('failure')]),
    reason: Nullable(Type.String()),
  }),
  request_id: Nullable(Uuid),
  rule_ids: Type.Array(Type.String()),
  session_id: Nullable(Uuid),
  client_address: Nullable(Type.String()),
  details: Type.Record(Type.String(), Type.Unknown()),
});
export type AuditEvent = Static<typeof AuditEvent>;

export const auditOperations = {
  listAuditEvents: operation({
    id: 'listAuditEvents',
    method: 'GET',
    path: `${TEAM}/audit/events`,
    tag: 'log',
    summary: 'Audit events, newest first',
    access: [['auditor', 'any']],
    query: Strict({
      ...PageQuery,
      type: Type.Optional(Text(100)),
      request_id: Type.Optional(Uuid),
      session_id: Type.Optional(Uuid),
      target: Type.Optional(Text(200)),
      /** A group among the targets, by id or name. */
      group: Type.Optional(Text(200)),
    }),
    ok: { 200: Page(AuditEvent) },
  }),
} as const;
