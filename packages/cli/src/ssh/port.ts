import type { Console } from '../streams.ts';

/** The gateway, as the service named it over TLS for one session. */
export interface GatewayTarget {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  /** Lines `ssh-ed25519 AAAA…`; nothing else is accepted. */
  readonly host_keys: readonly string[];
  /** OpenSSH PEM of the session's fresh key. */
  readonly private_key: string;
}

/** `-L` and `-R`: listen at `bind:port`, connect to `host:host_port`. */
export interface ForwardSpec {
  readonly bind: string;
  readonly port: number;
  readonly host: string;
  readonly host_port: number;
}

/** `-D`: SOCKS5 at `bind:port`. */
export interface DynamicSpec {
  readonly bind: string;
  readonly port: number;
}

export interface SshJob {
  /** Undefined: a shell. */
  readonly command: string | undefined;
  /** `-N`: nothing but the forwards. */
  readonly forwards_only: boolean;
  /** `auto`: a terminal here gives one there. */
  readonly tty: 'auto' | 'always' | 'never';
  readonly local: readonly ForwardSpec[];
  readonly remote: readonly ForwardSpec[];
  readonly dynamic: readonly DynamicSpec[];
}

export type SshEnd =
  /** The remote command's own status, or 128+n. */
  | { readonly kind: 'exited'; readonly exit: number }
  /** It ended first; `why` is what is known here, or the gateway's own words. */
  | {
      readonly kind: 'lost';
      readonly why: string | undefined;
      /** The gateway has written why to stderr already. */
      readonly is_told?: boolean;
    }
  | { readonly kind: 'host_key_mismatch'; readonly fingerprint: string };

export interface SshPort {
  /** Starts to load what `run` needs. */
  prepare(): void;
  /** @throws Failure 64 when a port to listen at is taken, 130 on Ctrl-C before it is connected. */
  run(target: GatewayTarget, job: SshJob, world: Console): Promise<SshEnd>;
  /** The host key that a server shows, as a line. @throws Failure 255 */
  scan(host: string, port: number, interrupt: AbortSignal): Promise<string>;
}
