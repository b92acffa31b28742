import { type Static, Type } from 'typebox';
import { DateTime, Named, Nullable, Strict, Uuid } from './common.ts';

/** A person's account in a chat: who speaks there, speaks for this person. */
export const ChatLink = Strict({
  id: Uuid,
  user: Named,
  chat: Type.Literal('slack'),
  /** The chat's own ids of its workspace and of the person in it. */
  workspace_id: Type.String(),
  chat_user_id: Type.String(),
  /** Who issued the token that its code was made with, when it was somebody else. */
  issued_by: Nullable(Named),
  created_at: DateTime,
});
export type ChatLink = Static<typeof ChatLink>;

/** Given in the chat once, it links the account it is given from. Shown this once. */
export const ChatLinkCode = Strict({ code: Type.String(), expires_at: DateTime });
export type ChatLinkCode = Static<typeof ChatLinkCode>;
