/**
 * Lists of IP addresses as an operator writes them, a line each: `192.0.2.1`, `192.0.2.1-192.0.2.9`, `192.0.2.0/24`,
 * `2001:db8::/32`; a leading `!` takes off the list, `;` begins a comment. Pure.
 *
 * The order of lines says nothing: what is taken off stays off. A list that only takes off holds all others.
 */
import { type IpAddress, ipAddress, isIpv4 } from './ip-address.ts';
import { accept, type Result, refuse } from './result.ts';

export type AddressList = {
  has(address: IpAddress): boolean;
};

/** From the first to the last, both inside. */
type Range = { readonly first: IpAddress; readonly last: IpAddress };

/** One line: undefined when there is nothing on it. */
export type AddressLine = { readonly isExcluded: boolean; readonly range: Range } | undefined;

export type AddressFault =
  | 'no-address'
  /** Too many bits for the address, or a dotted mask with holes. */
  | 'wrong-mask'
  /** The first after the last, or one IPv4 and the other IPv6. */
  | 'wrong-range';

export function addressLine(line: string): Result<AddressLine, AddressFault> {
  const text = line.split(';', 1)[0]!.trim();
  if (text === '') return accept(undefined);
  const isExcluded = text.startsWith('!');
  const range = rangeOf((isExcluded ? text.slice(1) : text).trim());
  return range.ok ? accept({ isExcluded, range: range.value }) : range;
}

/** @returns the list, or what is wrong with which lines, counted from 1 */
export function addressList(
  lines: readonly string[],
): Result<AddressList, readonly { readonly line: number; readonly fault: AddressFault }[]> {
  const read = lines.map(addressLine);
  const wrong = read.flatMap((each, index) => (each.ok ? [] : [{ line: index + 1, fault: each.refusal }]));
  if (wrong.length > 0) return refuse(wrong);
  const found = read.flatMap((each) => (each.ok && each.value !== undefined ? [each.value] : []));
  const included = joined(found.filter(({ isExcluded }) => !isExcluded));
  const excluded = joined(found.filter(({ isExcluded }) => isExcluded));
  return accept({
    has: (address) =>
      (included.length === 0 ? excluded.length > 0 : isIn(included, address)) && !isIn(excluded, address),
  });
}

/** Does any line of it say something? */
export const saysSomething = (lines: readonly string[]): boolean =>
  lines.some((line) => {
    const read = addressLine(line);
    return !read.ok || read.value !== undefined;
  });

function rangeOf(text: string): Result<Range, AddressFault> {
  const [one, bits, ...rest] = text.split('/');
  if (bits !== undefined) return rest.length === 0 ? network(one!.trim(), bits.trim()) : refuse('no-address');
  const [from, to, ...more] = text.split('-');
  const first = ipAddress(from!.trim());
  const last = to === undefined ? first : ipAddress(to.trim());
  if (first === undefined || last === undefined || more.length > 0) return refuse('no-address');
  return first <= last && isIpv4(first) === isIpv4(last) ? accept({ first, last }) : refuse('wrong-range');
}

/** Bits to the right of the mask may stand in the address: `192.0.2.7/24` is `192.0.2.0/24`. */
function network(text: string, mask: string): Result<Range, AddressFault> {
  const address = ipAddress(text);
  if (address === undefined) return refuse('no-address');
  const width = text.includes(':') ? 128 : 32;
  const length = prefixLength(mask, width);
  if (length === undefined) return refuse('wrong-mask');
  // An IPv4 address in IPv6's letters: what is left of ::ffff:0:0/96 is not IPv4's, and nobody means that.
  if (width === 128 && isIpv4(address) && length < MAPPED_BITS) return refuse('wrong-mask');
  const free = (1n << BigInt(width - length)) - 1n;
  return accept({ first: address & ~free, last: address | free });
}

/** Of `::ffff:0:0/96`, before an IPv4 address (RFC 4291 §2.5.5.2). */
const MAPPED_BITS = 96;

/** Bits, or for IPv4 `255.255.255.0`. */
function prefixLength(mask: string, width: 32 | 128): number | undefined {
  if (/^[0-9]{1,3}$/.test(mask)) return Number(mask) <= width ? Number(mask) : undefined;
  const dotted = width === 32 && !mask.includes(':') ? ipAddress(mask) : undefined;
  if (dotted === undefined) return undefined;
  const bits = (dotted & 0xffff_ffffn).toString(2).padStart(32, '0');
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined;
}

/** In order, none touching the next. */
function joined(lines: readonly { readonly range: Range }[]): readonly Range[] {
  const sorted = lines.map(({ range }) => range).sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const ranges: Range[] = [];
  for (const range of sorted) {
    const before = ranges.at(-1);
    if (before === undefined || range.first > before.last + 1n) ranges.push(range);
    else if (range.last > before.last) ranges[ranges.length - 1] = { first: before.first, last: range.last };
  }
  return ranges;
}

/** By halves: a list may be long, and every connection asks. */
function isIn(ranges: readonly Range[], address: IpAddress): boolean {
  let [low, high] = [0, ranges.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { first, last } = ranges[middle]!;
    if (address < first) high = middle - 1;
    else if (address > last) low = middle + 1;
    else return true;
  }
  return false;
}
