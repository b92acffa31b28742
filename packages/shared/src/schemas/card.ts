import { type Static, Type } from 'typebox';
import { Strict, Uuid } from './common.ts';

/**
 * What an approver reads before he decides: the same for terminal, mail, chat and page.
 * Each line is one line of text for people, with names instead of ids; whoever shows it
 * makes it `printable` and escapes what his medium would take for markup.
 */
export const ApprovalCard = Strict({
  request_id: Uuid,
  /** What a decision about this card sends as If-Match. */
  etag: Type.String(),
  title: Type.String(),
  rows: Type.Array(Strict({ label: Type.String(), lines: Type.Array(Type.String()) })),
});
export type ApprovalCard = Static<typeof ApprovalCard>;
