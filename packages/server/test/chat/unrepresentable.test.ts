import { describe, expect, it } from 'vitest';
import { createChatLink } from '../../src/chat/service-links.ts';
import type { ChatCaller } from '../../src/identity/index.ts';
import { createToken, revokeToken } from '../../src/identity/service-tokens.ts';
import type { Tx } from '../../src/platform/tx.ts';
import { openSession } from '../../src/sessions/service-open.ts';

/** What is wrong with these the compiler says; they are never called. */
const neverCalled = (tx: Tx, chat: ChatCaller, rest: never) => [
  // @ts-expect-error a token is made with a token
  () => createToken(tx, chat, new Set(), rest, rest),
  // @ts-expect-error and ended with one
  () => revokeToken(tx, chat, new Set(), ''),
  // @ts-expect-error an account is not linked from a chat
  () => createChatLink(tx, chat),
  // @ts-expect-error a session is opened with a token
  () => openSession(tx, rest, chat, rest, ''),
];

describe('who came through a chat', () => {
  it('cannot make or end tokens, link another account, or open a session: the compiler refuses', () => {
    expect(neverCalled).toBeTypeOf('function');
  });
});
