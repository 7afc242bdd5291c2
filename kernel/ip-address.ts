/**
 * IP addresses as numbers, so that they can be compared and counted: RFC 4291 §2.2 for how IPv6 is written. Pure.
 *
 * An IPv4 address is the same as its IPv4-mapped IPv6 one (RFC 4291 §2.5.5.2), as a socket that listens for both shows it.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** Of 128 bits; that of an IPv4 address is its IPv4-mapped one. */
export type IpAddress = bigint;

const MAPPED = 0xffff_0000_0000n;
const IPV4_BITS = 32n;
/** An IPv6 subscriber has at least 64 bits for his own (RFC 4291 §2.5.4): an address of 128 tells nobody apart. */
const SUBSCRIBER_BITS = 64n;

/** @returns undefined for what is no IP address. A zone (`fe80::1%eth0`, RFC 4007 §11) is left out. */
export function ipAddress(text: string): IpAddress | undefined {
  const bare = text.split('%', 1)[0]!;
  if (isIPv4(bare)) return MAPPED | ipv4Bits(bare);
  return isIPv6(bare) ? ipv6Bits(bare) : undefined;
}

/** The address of 4 or 16 octets. */
export function ipAddressOf(octets: Uint8Array): IpAddress {
  const bits = octets.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
  return octets.length === 4 ? MAPPED | bits : bits;
}

/** `192.0.2.1`, or IPv6 as RFC 5952 §4 wants it: the longest run of zeros shortened, the first of equal ones. */
export function printIpAddress(address: IpAddress): string {
  if (isIpv4(address)) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.');
  const groups = [7n, 6n, 5n, 4n, 3n, 2n, 1n, 0n].map((at) => ((address >> (16n * at)) & 0xffffn).toString(16));
  let [begin, length] = [0, 1]; // a single 0 is not shortened
  for (let at = 0; at < groups.length; at += 1) {
    let end = at;
    while (groups[end] === '0') end += 1;
    if (end - at > length) [begin, length] = [at, end - at];
  }
  if (length === 1) return groups.join(':');
  return `${groups.slice(0, begin).join(':')}::${groups.slice(begin + length).join(':')}`;
}

export const isIpv4 = (address: IpAddress): boolean => address >> IPV4_BITS === MAPPED >> IPV4_BITS;

export const isLoopback = (address: IpAddress): boolean =>
  address === 1n || (isIpv4(address) && (address & 0xff00_0000n) === 0x7f00_0000n);

/** As text: `192.0.2.1` also where the socket said `::ffff:192.0.2.1`; other text stays as it is. */
export function plainAddress(text: string): string {
  const dotted = /^::ffff:([0-9.]+)$/i.exec(text)?.[1];
  return dotted !== undefined && isIPv4(dotted) ? dotted : text;
}

/** The same for all addresses of one subscriber: an IPv4 address, or the first 64 bits of an IPv6 one. */
export const subscriberOf = (address: IpAddress): IpAddress =>
  isIpv4(address) ? address : (address >> SUBSCRIBER_BITS) << SUBSCRIBER_BITS;

const ipv4Bits = (text: string): bigint =>
  text.split('.').reduce((bits, octet) => (bits << 8n) | BigInt(Number.parseInt(octet, 10)), 0n);

/** `text` is known to be right. */
function ipv6Bits(text: string): bigint {
  const [left = '', right] = text.split('::');
  const [before, after] = [groups(left), groups(right ?? '')];
  const zeros = right === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<bigint>(zeros).fill(0n), ...after].reduce((bits, group) => (bits << 16n) | group, 0n);
}

/** Two for a dotted end: `::ffff:192.0.2.1`. */
const groups = (text: string): readonly bigint[] =>
  text === ''
    ? []
    : text.split(':').flatMap((group) => {
        if (!group.includes('.')) return [BigInt(`0x${group}`)];
        const bits = ipv4Bits(group);
        return [bits >> 16n, bits & 0xffffn];
      });
