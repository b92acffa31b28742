import { BlockList, isIP } from 'node:net';

const LOCAL = new BlockList();
LOCAL.addSubnet('127.0.0.0', 8, 'ipv4');
LOCAL.addSubnet('0.0.0.0', 8, 'ipv4');
LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LOCAL.addAddress('::', 'ipv6');
LOCAL.addAddress('::1', 'ipv6');
LOCAL.addSubnet('fe80::', 10, 'ipv6');

/**
 * Whether an IP address means this machine or its link: loopback, "this host", link-local
 * (cloud metadata services live there). IPv4 addresses written as IPv6 count as IPv4.
 * What is not an IP address is local: the caller has not resolved it.
 */
export function isLocalAddress(address: string): boolean {
  const bare = plainAddress(address);
  const family = isIP(bare);
  if (family === 0) return true;
  return LOCAL.check(bare, family === 4 ? 'ipv4' : 'ipv6');
}

/** Without a zone, and IPv4-mapped IPv6 (RFC 4291 §2.5.5.2) as IPv4 in dots. */
export function plainAddress(address: string): string {
  const [bare = ''] = address.split('%');
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  if (dotted?.[1] !== undefined) return dotted[1];
  const hex = /^(?:::|(?:0{1,4}:){5})ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(bare);
  if (hex?.[1] === undefined || hex[2] === undefined) return bare;
  const high = Number.parseInt(hex[1], 16);
  const low = Number.parseInt(hex[2], 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

export interface Listener {
  /** As bound: an address, or a wildcard. */
  readonly address: string;
  readonly port: number;
}

/**
 * Whether connecting to (`address`, `port`) would reach `listener`, as far as addresses can
 * tell. What they cannot tell (a port forwarded back), the gateway's own host key does.
 * @param interfaces every address of this machine.
 */
export function isOwnListener(
  address: string,
  port: number,
  listener: Listener,
  interfaces: readonly string[],
): boolean {
  if (port !== listener.port) return false;
  const bare = plainAddress(address);
  const bound = plainAddress(listener.address);
  if (bare === bound) return true;
  const wildcard = bound === '0.0.0.0' || bound === '::';
  const here = isLoopback(bare) || interfaces.some((i) => plainAddress(i) === bare);
  return here && (wildcard || isLoopback(bound) === isLoopback(bare));
}

function isLoopback(bare: string): boolean {
  return bare === '::1' || bare === '::' || /^(127|0)\./.test(bare);
}
