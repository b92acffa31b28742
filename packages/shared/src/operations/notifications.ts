import { Type } from 'typebox';
import { Page, PageQuery, Strict, Uuid } from '../schemas/common.ts';
import { Message, MessageState } from '../schemas/notifications.ts';
import { operation, TEAM } from './operation.ts';

const tag = 'messages';

export const messageOperations = {
  listMessages: operation({
    id: 'listMessages',
    method: 'GET',
    path: `${TEAM}/messages`,
    tag,
    summary: 'Messages and what became of them, newest first; not what they say',
    access: [
      ['pam_admin', 'any'],
      ['auditor', 'any'],
    ],
    query: Strict({ ...PageQuery, state: Type.Optional(MessageState) }),
    ok: { 200: Page(Message) },
  }),
  retryMessage: operation({
    id: 'retryMessage',
    method: 'POST',
    path: `${TEAM}/messages/{id}/retry`,
    tag,
    summary: 'Send a dead message again',
    access: [['pam_admin', 'any']],
    params: Strict({ team: Type.String(), id: Uuid }),
    ok: { 200: Message },
  }),
} as const;
