/**
 * Which UIDs of a mailbox are there, and which have a flag, as bitmaps of 4,096 UIDs each: so that no message is read for
 * a SELECT, for a count of flags or for a search by them. Kept by apply.ts; written nowhere else.
 */
import type { KeyValue, View } from './key-value.ts';
import { uidBits } from './tables.ts';
import type { UidRange, UidRanges } from './uid-ranges.ts';

/** A block's UIDs are block * BLOCK_UIDS + 1 and up; bit n (of octet n >> 3, 1 << (n & 7)) stands for the nth from 0. */
export const BLOCK_UIDS = 4096;
const BLOCK_OCTETS = BLOCK_UIDS / 8;

/** The kind of the bitmaps of all that is there; the others are the flags of flags.ts. */
export const PRESENT = 0;

export type UidBlock = { readonly block: number; readonly bits: Uint8Array };

/** UIDs may be given that are in no mailbox: above 2^32, as JavaScript's shifts are not. */
export const blockOf = (uid: number): number => Math.floor((uid - 1) / BLOCK_UIDS);

/** Bits of `set` all set, bits of `unset` all unset (flags.ts). */
export type Wanted = { readonly set?: number; readonly unset?: number };

/**
 * Blocks with at least one such UID, ascending, each a copy of its own of at most 512 octets.
 * @param afterBlock  only those above it
 */
export function* blocksWith(
  view: View,
  account: string,
  mailbox: number,
  { set = 0, unset = 0 }: Wanted = {},
  afterBlock = -1,
): Iterable<UidBlock> {
  if ((set & unset) !== 0) return;
  const options =
    afterBlock < 0 ? {} : { after: [account, mailbox, PRESENT, afterBlock] as [string, number, number, number] };
  for (const { key, row } of uidBits.range(view, [account, mailbox, PRESENT], options)) {
    const block = key[3];
    const bits = Uint8Array.from(row);
    for (let flag = 1; flag <= (set | unset); flag <<= 1) {
      if (((set | unset) & flag) === 0) continue;
      const having = uidBits.get(view, account, mailbox, flag, block);
      for (let at = 0; at < bits.length; at++) {
        const octet = having?.[at] ?? 0;
        bits[at]! &= (set & flag) !== 0 ? octet : ~octet;
      }
    }
    if (bits.some((octet) => octet !== 0)) yield { block, bits };
  }
}

/** Such UIDs, ascending. */
export function* uidsWith(
  view: View,
  account: string,
  mailbox: number,
  wanted: Wanted = {},
): Generator<number, undefined> {
  for (const { block, bits } of blocksWith(view, account, mailbox, wanted)) {
    for (const bit of bitsIn(bits)) yield block * BLOCK_UIDS + bit + 1;
  }
  return undefined;
}

/** The first so many of such UIDs. */
export function firstWith(view: View, account: string, mailbox: number, most: number, wanted: Wanted = {}): number[] {
  const uids: number[] = [];
  if (most === 0) return uids;
  for (const uid of uidsWith(view, account, mailbox, wanted)) if (uids.push(uid) === most) break;
  return uids;
}

/** Such UIDs as ranges; only those of `within`, if that is given. */
export function rangesWith(
  view: View,
  account: string,
  mailbox: number,
  wanted: Wanted = {},
  within?: UidRanges,
): UidRanges {
  const ranges: [number, number][] = [];
  let next = 0;
  for (const { block, bits } of blocksWith(view, account, mailbox, wanted)) {
    const base = block * BLOCK_UIDS + 1;
    for (const [from, to] of rangesIn(bits, base)) {
      if (!within) {
        extend(ranges, from, to);
        continue;
      }
      while (next < within.length && within[next]![1] < from) next++;
      for (let at = next; at < within.length && within[at]![0] <= to; at++) {
        extend(ranges, Math.max(from, within[at]![0]), Math.min(to, within[at]![1]));
      }
    }
    if (within && next >= within.length) break;
  }
  return ranges;
}

function extend(ranges: [number, number][], from: number, to: number): void {
  const last = ranges.at(-1);
  if (last && last[1] + 1 === from) last[1] = to;
  else ranges.push([from, to]);
}

/** Places of the bits that are set, ascending. */
export function* bitsIn(bits: Uint8Array): Iterable<number> {
  for (let at = 0; at < bits.length; at++) {
    for (let octet = bits[at]!; octet !== 0; octet &= octet - 1) yield at * 8 + 31 - Math.clz32(octet & -octet);
  }
}

function* rangesIn(bits: Uint8Array, base: number): Iterable<UidRange> {
  let from = -1;
  for (let bit = 0; bit <= bits.length * 8; bit++) {
    if (from < 0 && (bit & 7) === 0 && bits[bit >> 3] === 0) {
      bit += 7;
      continue;
    }
    const isSet = bit < bits.length * 8 && (bits[bit >> 3]! & (1 << (bit & 7))) !== 0;
    if (isSet && from < 0) from = bit;
    if (isSet || from < 0) continue;
    yield [base + from, base + bit - 1];
    from = -1;
  }
}

export function countBits(bits: Uint8Array): number {
  let count = 0;
  for (const octet of bits) for (let left = octet; left !== 0; left &= left - 1) count++;
  return count;
}

/** Is there a message with this UID, or one that has this flag? */
export function hasBit(view: View, account: string, mailbox: number, uid: number, kind: number = PRESENT): boolean {
  const block = blockOf(uid);
  const bit = uid - 1 - block * BLOCK_UIDS;
  const bits = uidBits.get(view, account, mailbox, kind, block);
  return bits !== undefined && ((bits[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

/** Bits of one mailbox to be changed, together: each block is read and written once. */
export type UidBitsEdit = {
  set(kind: number, uid: number): void;
  clear(kind: number, uid: number): void;
  write(): void;
};

export function editUidBits(to: KeyValue, account: string, mailbox: number): UidBitsEdit {
  const opened = new Map<number, Map<number, Uint8Array>>();
  const open = (kind: number, block: number): Uint8Array => {
    const ofKind = opened.get(kind) ?? new Map<number, Uint8Array>();
    opened.set(kind, ofKind);
    let bits = ofKind.get(block);
    if (!bits) {
      bits = new Uint8Array(BLOCK_OCTETS);
      bits.set(uidBits.get(to, account, mailbox, kind, block) ?? []);
      ofKind.set(block, bits);
    }
    return bits;
  };
  return {
    set(kind, uid) {
      const block = blockOf(uid);
      const bit = uid - 1 - block * BLOCK_UIDS;
      open(kind, block)[bit >> 3]! |= 1 << (bit & 7);
    },
    clear(kind, uid) {
      const block = blockOf(uid);
      const bit = uid - 1 - block * BLOCK_UIDS;
      open(kind, block)[bit >> 3]! &= ~(1 << (bit & 7));
    },
    write() {
      for (const [kind, blocks] of opened) {
        for (const [block, bits] of blocks) {
          let length = bits.length;
          while (length > 0 && bits[length - 1] === 0) length--;
          if (length === 0) uidBits.remove(to, account, mailbox, kind, block);
          else uidBits.put(to, [account, mailbox, kind, block], Buffer.from(bits.buffer, bits.byteOffset, length));
        }
      }
    },
  };
}
