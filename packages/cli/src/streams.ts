export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface InputStream extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
}

/** Gets each signal that would otherwise interrupt or end the process. */
export type SignalHandler = (name: NodeJS.Signals) => void;

/** The terminal, or what stands in its place, and what reaches the program beside it. */
export interface Console {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Aborts with the first Ctrl-C. */
  readonly interrupt: AbortSignal;
  /** Hands SIGINT, SIGTERM and SIGHUP to `handler` until the function it returns is called. */
  takeSignals(handler: SignalHandler): () => void;
}
