import { isHostname } from '@postern/shared';

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);

/**
 * An address a gateway may be told to dial, in one spelling: an IPv4 address in four
 * decimals, an IPv6 address as RFC 5952 writes it, without zone or brackets, or a host
 * name. A name whose last label is a number is refused: resolvers read `127.1` as an address.
 */
export function isAccessAddress(text: string): boolean {
  if (IPV4.test(text)) return true;
  if (text.includes(':')) return isIpv6(text);
  return isHostname(text) && !/(^|\.)(\d+|0x[0-9a-f]*)$/.test(text);
}

function isIpv6(text: string): boolean {
  if (!/^[0-9a-f:.]+$/.test(text) || !URL.canParse(`http://[${text}]/`)) return false;
  return new URL(`http://[${text}]/`).hostname === `[${text}]`;
}
