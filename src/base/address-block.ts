/** A range of IP addresses: those whose first `prefix` bits are those of `value`. */
export interface AddressBlock {
  readonly bits: 32 | 128;
  readonly value: bigint;
  readonly prefix: number;
}

/** The range that CIDR text means (`10.0.0.0/8`, `fd00::/8`); bits behind the prefix are ignored. Undefined for other text. */
export function parseAddressBlock(text: string): AddressBlock | undefined {
  const [address = '', length, ...more] = text.split('/');
  const whole = parseAddress(address);
  if (whole === undefined || length === undefined || more.length > 0) return undefined;
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > whole.bits) return undefined;
  return { ...whole, prefix: Number(length) };
}

/** The range of one address alone. Undefined for text that is no IPv4 or IPv6 address. */
export function parseAddress(text: string): AddressBlock | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** True when the whole of `inner` is in `outer`. IPv4 and IPv6 have nothing in common. */
export function containsBlock(outer: AddressBlock, inner: AddressBlock): boolean {
  if (outer.bits !== inner.bits || outer.prefix > inner.prefix) return false;
  const shift = BigInt(outer.bits - outer.prefix);
  return outer.value >> shift === inner.value >> shift;
}

function parseIpv4(text: string): AddressBlock | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || parts.some((part) => !/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255)) {
    return undefined;
  }
  return { bits: 32, value: joined(parts.map(Number), 8n), prefix: 32 };
}

/** RFC 4291 section 2.2: eight groups, one run of zeros as `::`, the last two groups perhaps as IPv4. */
function parseIpv6(text: string): AddressBlock | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])];
  return { bits: 128, value: joined(groups, 16n), prefix: 128 };
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups = parts.map((part, index) => {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) return [Number.parseInt(part, 16)];
    const embedded = index === parts.length - 1 ? parseIpv4(part) : undefined;
    return embedded && [Number(embedded.value >> 16n), Number(embedded.value & 0xffffn)];
  });
  return groups.some((group) => group === undefined) ? undefined : groups.flatMap((group) => group ?? []);
}

function joined(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((value, part) => (value << width) | BigInt(part), 0n);
}
