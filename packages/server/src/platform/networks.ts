import { BlockList, isIP } from 'node:net';

const LOOPBACK = matcher(['127.0.0.0/8', '::1']);

export function isLoopback(host: string): boolean {
  return host === 'localhost' || LOOPBACK(host);
}

/** An address, or a network no wider than /8 (IPv4) or /16 (IPv6): "everybody" is no proxy. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined) return false;
  if (bits === undefined) return true;
  const [least, most] = family === 4 ? [8, 32] : [16, 128];
  return /^\d{1,3}$/.test(bits) && Number(bits) >= least && Number(bits) <= most;
}

/** Whether an address is one of, or in one of, `networks`; IPv4 written as IPv6 counts as IPv4. */
export function matcher(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (text) => {
    const address = text.replace(/^::ffff:(?=\d+\.)/i, '');
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  };
}

/** What the IANA registries of special addresses keep from the public network. */
const SPECIAL_V4 = matcher([
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
]);
const GLOBAL_V6 = matcher(['2000::/3']);
/** Within it: protocol assignments, documentation, and what carries an IPv4 address along. */
const SPECIAL_V6 = matcher(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);

/** Whether an address is reached over the public network; what is no address is not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !SPECIAL_V4(address);
  return family === 6 && GLOBAL_V6(address) && !SPECIAL_V6(address);
}

/** An IPv6 address counts as its /64: one customer has as many as he likes in it. */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [before = '', after] = address.split('%')[0]?.split('::') ?? [];
  const left = before === '' ? [] : before.split(':');
  const right = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? 0 : Math.max(8 - left.length - right.length, 0);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
