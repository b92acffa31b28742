/** One answer of the service. */
export interface Reply<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What the text says, when it is JSON. */
  readonly body: T;
}

export interface RestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls the service as curl would: a method, a path below the team, a token, a body. */
export type Rest = <T = unknown>(
  method: string,
  path: string,
  options?: RestOptions,
) => Promise<Reply<T>>;

/** Every answer that this process got, for a test that looks through them. */
export const answersSeen: { readonly call: string; readonly text: string }[] = [];

export function restOf(
  { url, team }: { readonly url: string; readonly team: string },
  token: string,
): Rest {
  return async <T>(method: string, path: string, { body, headers }: RestOptions = {}) => {
    const response = await fetch(`${url}/v1/teams/${team}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const headersSeen = [...response.headers].join('\n');
    answersSeen.push({ call: `${method} ${path}`, text: `${headersSeen}\n${text}` });
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : undefined) as T,
    };
  };
}
