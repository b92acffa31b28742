/** Who asks for a token, for whom, and who stands behind the token that he asks with. */
export interface TokenWish {
  readonly caller: string;
  readonly subject: string;
  /** Who issued the caller's own token, when it was somebody else. */
  readonly caller_token_issued_by: string | null;
  /** Nobody stands behind the caller: the bootstrap account. */
  readonly caller_is_nobodys: boolean;
}

export type Issuer =
  | { readonly ok: true; readonly issued_by: string | null }
  | { readonly ok: false; readonly reason: 'token_from_somebody_else' };

/**
 * Whom a new token counts as issued by. Whoever issued a token could have kept it, so a
 * token made with it is his as well: for the same subject he stays the issuer. For a third
 * person two people would stand behind it and one would be forgotten, so that is refused:
 * else an admin could wash his own vote through two accounts. The bootstrap account is no
 * person that could be counted twice, so what it issues is its subject's own.
 */
export function issuerOf(wish: TokenWish): Issuer {
  const { caller, subject, caller_token_issued_by, caller_is_nobodys } = wish;
  if (subject === caller) return { ok: true, issued_by: caller_token_issued_by };
  if (caller_token_issued_by !== null) return { ok: false, reason: 'token_from_somebody_else' };
  return { ok: true, issued_by: caller_is_nobodys ? null : caller };
}
