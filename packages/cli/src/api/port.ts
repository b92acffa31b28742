export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM of a further certificate authority. */
  readonly ca?: string;
  /** Until the whole answer is there; for a stream, until its head is. */
  readonly timeout_ms: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpStream {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as it arrives; ends when the service ends it, throws when the connection breaks. */
  readonly chunks: AsyncIterable<string>;
  close(): void;
}

/** @throws HttpFault from both when no answer came. Redirects are never followed. */
export interface HttpPort {
  send(request: HttpRequest): Promise<HttpAnswer>;
  stream(request: HttpRequest): Promise<HttpStream>;
}

/** No answer: a code of Node's (`ECONNREFUSED`, `CERT_…`), `TIMEOUT`, `TOO_LARGE` or `ABORTED`. */
export class HttpFault extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.name = 'HttpFault';
    this.code = code;
  }
}
