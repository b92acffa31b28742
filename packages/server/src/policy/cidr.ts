/** A block of addresses. IPv4 has 2 groups of 16 bits, IPv6 has 8. */
export interface Cidr {
  readonly groups: readonly number[];
  readonly prefix: number;
}

/**
 * An IPv4 address (four decimal numbers, no leading zeros) or an IPv6 address (RFC 4291,
 * without a zone) as groups of 16 bits; undefined for anything else. An IPv4-mapped
 * IPv6 address is the IPv4 address it carries, however a socket reports it.
 */
export function parseAddress(text: string): readonly number[] | undefined {
  if (!text.includes(':')) return parseIPv4(text);
  const groups = parseIPv6(text);
  if (groups === undefined) return undefined;
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((g) => g === 0);
  return mapped ? groups.slice(6) : groups;
}

/**
 * `address/prefix`; undefined when it is anything else, a bare address included, or when
 * bits behind the prefix are set: `10.0.0.1/8` is somebody's mistake.
 */
export function parseCidr(text: string): Cidr | undefined {
  const [address, bits, ...more] = text.split('/');
  if (address === undefined || bits === undefined || more.length > 0) return undefined;
  if (!/^(0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  const groups = address.includes(':') ? parseIPv6(address) : parseIPv4(address);
  const prefix = Number(bits);
  if (groups === undefined || prefix > groups.length * 16) return undefined;
  const isMapped = groups.length === 8 && parseAddress(address)?.length === 2;
  const isClean = groups.every((g, i) => (g & ~maskOf(prefix, i) & 0xffff) === 0);
  return isMapped || !isClean ? undefined : { groups, prefix };
}

/** IPv4 blocks hold IPv4 addresses only, IPv6 blocks IPv6 addresses only: `::/0` is not everything. */
export function contains(block: Cidr, address: readonly number[]): boolean {
  if (address.length !== block.groups.length) return false;
  return block.groups.every((g, i) => ((address[i] ?? -1) & maskOf(block.prefix, i)) === g);
}

/** Which of the 16 bits of group `i` a prefix covers. */
function maskOf(prefix: number, i: number): number {
  const bits = Math.min(16, Math.max(0, prefix - i * 16));
  return (0xffff << (16 - bits)) & 0xffff;
}

function parseIPv4(text: string): readonly number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  if (!parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p) && Number(p) <= 255)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
  return [a * 256 + b, c * 256 + d];
}

function parseIPv6(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  if (halves.length === 1) return head?.length === 8 ? head : undefined;
  const tail = parseGroups(halves[1] ?? '', true);
  if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** Colon-separated groups; the last may be an IPv4 address when `endsAddress`. */
function parseGroups(text: string, endsAddress: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    const isLast = endsAddress && i === parts.length - 1;
    const four = isLast && part.includes('.') ? parseIPv4(part) : undefined;
    if (four !== undefined) groups.push(...four);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
