import { Type } from 'typebox';
import { ChatLink, ChatLinkCode } from '../schemas/chat.ts';
import { Page, PageQuery, Strict, Uuid } from '../schemas/common.ts';
import { operation, TEAM } from './operation.ts';

const tag = 'chat';
const PATH = `${TEAM}/chat_links` as const;

export const chatOperations = {
  createChatLink: operation({
    id: 'createChatLink',
    method: 'POST',
    path: PATH,
    tag,
    summary: 'Make the code that links your account in the chat, typed there within 10 minutes',
    access: [['end_user', 'self']],
    ok: { 201: ChatLinkCode },
    secret: true,
  }),
  listChatLinks: operation({
    id: 'listChatLinks',
    method: 'GET',
    path: PATH,
    tag,
    summary: 'Your account in the chat, or everybody’s (pam_admin)',
    access: [
      ['end_user', 'self'],
      ['pam_admin', 'any'],
    ],
    query: Strict({ ...PageQuery }),
    ok: { 200: Page(ChatLink) },
  }),
  deleteChatLink: operation({
    id: 'deleteChatLink',
    method: 'DELETE',
    path: `${PATH}/{id}`,
    tag,
    summary: 'End a link at once; your own, or anybody’s (pam_admin)',
    access: [
      ['end_user', 'self'],
      ['pam_admin', 'any'],
    ],
    params: Strict({ team: Type.String(), id: Uuid }),
    ok: { 204: Type.Null() },
  }),
} as const;
