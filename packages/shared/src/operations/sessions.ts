import { Type } from 'typebox';
import { Page, PageQuery, Strict, Text, Uuid } from '../schemas/common.ts';
import { OpenedSession, OpenSession, Session } from '../schemas/session.ts';
import { operation, TEAM } from './operation.ts';

const tag = 'sessions';
const one = Strict({ team: Type.String(), id: Uuid });
const PATH = `${TEAM}/sessions` as const;

export const sessionOperations = {
  createSessionNonce: operation({
    id: 'createSessionNonce',
    method: 'POST',
    path: `${PATH}/nonce`,
    tag,
    summary: 'A nonce for the proof of openSession, and who signs it; single use, 60 s',
    access: [['end_user', 'self']],
    secret: true,
    ok: {
      201: Strict({ nonce: Type.String(), user_id: Uuid, expires_in_seconds: Type.Integer() }),
    },
  }),
  openSession: operation({
    id: 'openSession',
    method: 'POST',
    path: PATH,
    tag,
    summary: 'Open a session with a fresh key and its proof; evaluated again at admission',
    access: [['end_user', 'self']],
    secret: true,
    body: OpenSession,
    ok: { 201: OpenedSession },
  }),
  listSessions: operation({
    id: 'listSessions',
    method: 'GET',
    path: PATH,
    tag,
    summary: 'Sessions: your own, or all (auditor, security_admin)',
    access: [
      ['end_user', 'self'],
      ['security_admin', 'any'],
      ['auditor', 'any'],
    ],
    query: Strict({
      ...PageQuery,
      state: Type.Optional(Text(20)),
      view: Type.Optional(Type.Union([Type.Literal('mine'), Type.Literal('all')])),
      request_id: Type.Optional(Uuid),
    }),
    ok: { 200: Page(Session) },
  }),
  getSession: operation({
    id: 'getSession',
    method: 'GET',
    path: `${PATH}/{id}`,
    tag,
    summary: 'One session',
    access: [
      ['end_user', 'self'],
      ['security_admin', 'any'],
      ['auditor', 'any'],
    ],
    params: one,
    ok: { 200: Session },
  }),
  terminateSession: operation({
    id: 'terminateSession',
    method: 'POST',
    path: `${PATH}/{id}/terminate`,
    tag,
    summary: 'Cut a session now; its approval stays',
    access: [
      ['end_user', 'self'],
      ['security_admin', 'any'],
    ],
    params: one,
    ok: { 200: Session },
  }),
  getRecording: operation({
    id: 'getRecording',
    method: 'GET',
    path: `${PATH}/{id}/recording`,
    tag,
    summary: 'The recording, asciicast v3 (application/x-asciicast)',
    access: [
      ['end_user', 'self'],
      ['security_admin', 'any'],
      ['auditor', 'any'],
    ],
    params: one,
    ok: { 200: Type.String() },
  }),
} as const;
