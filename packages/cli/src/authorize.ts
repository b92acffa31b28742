/** What a request must carry so that the service knows who sends it. */
export type Authorize = (request: {
  readonly method: string;
  readonly url: URL;
}) => Promise<Readonly<Record<string, string>>>;

/** A token that whoever holds it may use (RFC 6750). */
export const bearer =
  (token: string): Authorize =>
  async () => ({ authorization: `Bearer ${token}` });

/** For what nobody has to be logged in for. */
export const nobody: Authorize = async () => ({});
