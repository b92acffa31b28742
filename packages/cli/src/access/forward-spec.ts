import { usage } from '../failure.ts';
import type { DynamicSpec, ForwardSpec } from '../ssh/port.ts';

/** Others on the network reach a forward only when its spec names an address for them. */
const LOOPBACK = '127.0.0.1';

/**
 * `[bind:]port:host:hostport`, as in ssh(1); an IPv6 address stands in square brackets.
 * @throws Failure 64
 */
export function forwardSpec(flag: '-L' | '-R', text: string): ForwardSpec {
  const parts = split(text);
  const [bind, port, host, hostPort] = parts?.length === 3 ? [LOOPBACK, ...parts] : (parts ?? []);
  const listen = portOf(port, flag === '-R' ? 0 : 1);
  const to = portOf(hostPort, 1);
  if (parts === undefined || parts.length > 4 || !bind || !host || !listen.ok || !to.ok)
    throw usage(`${flag} ${text} is no forward.`, `Pass ${flag} [BIND:]PORT:HOST:HOSTPORT.`);
  return { bind: bindOf(bind), port: listen.port, host, host_port: to.port };
}

/** `[bind:]port`. @throws Failure 64 */
export function dynamicSpec(text: string): DynamicSpec {
  const parts = split(text);
  const [bind, port] = parts?.length === 1 ? [LOOPBACK, ...parts] : (parts ?? []);
  const listen = portOf(port, 1);
  if (parts === undefined || parts.length > 2 || !bind || !listen.ok)
    throw usage(`-D ${text} is no address to listen at.`, 'Pass -D [BIND:]PORT.');
  return { bind: bindOf(bind), port: listen.port };
}

const bindOf = (bind: string): string => (bind === '*' ? '0.0.0.0' : bind);

function split(text: string): string[] | undefined {
  const parts = text.match(/\[[0-9a-fA-F:.%]+\]|[^:[\]]+/g) ?? [];
  if (parts.join(':') !== text) return undefined;
  return parts.map((part) => part.replace(/^\[(.*)\]$/, '$1'));
}

function portOf(
  text: string | undefined,
  least: number,
): { readonly ok: true; readonly port: number } | { readonly ok: false } {
  if (text === undefined || !/^[0-9]{1,5}$/.test(text)) return { ok: false };
  const port = Number(text);
  return port >= least && port <= 65_535 ? { ok: true, port } : { ok: false };
}
