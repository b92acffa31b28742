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
