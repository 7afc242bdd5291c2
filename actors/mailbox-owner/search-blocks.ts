/**
 * A search program asked of 4,096 UIDs at once, by the bitmaps that the store keeps (store/uid-bits.ts): which of them match
 * whatever their messages say, and which may. What is in between has to be looked at, message by message.
 */
import type { View } from '../../store/key-value.ts';
import { mailboxes, uidBits } from '../../store/tables.ts';
import { BLOCK_UIDS, PRESENT } from '../../store/uid-bits.ts';
import { rangesOf, type UidRanges } from '../../store/uid-ranges.ts';
import { changedSince } from '../../store/vanished.ts';
import type { MailboxRef } from './mailbox-requests.ts';
import type { SearchProgram } from './search-requests.ts';

/** As `UidBlock` has its bits, in words of 32. */
export type Words = Uint32Array;
export type BlockAnswer = { readonly sure: Words; readonly maybe: Words };

const WORDS = BLOCK_UIDS / 32;
/** Messages that changed since a mod-sequence are listed if that takes at most so many looks, else asked one by one. */
const MOST_LISTED = 2_000;

export type BlockSearch = {
  /** @param present  octets as the store has them */
  of(block: number, present: Uint8Array): BlockAnswer;
};

/** @param lately  what `changedLately` gave for this program when the search began */
export function blockSearch(
  view: View,
  { account, mailbox }: MailboxRef,
  program: SearchProgram,
  lately: Lately | null,
): BlockSearch {
  return {
    of(block, octets) {
      const present = wordsOf(octets);
      const flags = new Map<number, Words>();
      const having = (flag: number): Words => {
        const known = flags.get(flag);
        if (known) return known;
        const words = wordsOf(uidBits.get(view, account, mailbox, flag, block));
        flags.set(flag, words);
        return words;
      };
      const answer = (key: SearchProgram): BlockAnswer => {
        switch (key.type) {
          case 'and':
            return key.keys.map(answer).reduce(both, { sure: present, maybe: present });
          case 'or':
            return key.keys.map(answer).reduce(either, { sure: NONE, maybe: NONE });
          case 'not': {
            const { sure, maybe } = answer(key.key);
            return { sure: without(present, maybe), maybe: without(present, sure) };
          }
          case 'uids':
            return exactly(and(present, wordsIn(key.uids, block)));
          case 'flag':
            return exactly(and(present, having(key.flag)));
          case 'mod-seq':
            return key === lately?.key
              ? exactly(and(present, wordsIn(lately.uids, block)))
              : { sure: NONE, maybe: present };
          default:
            return { sure: NONE, maybe: present };
        }
      };
      return answer(program);
    },
  };
}

const NONE = new Uint32Array(WORDS);
const exactly = (words: Words): BlockAnswer => ({ sure: words, maybe: words });

const and = (a: Words, b: Words): Words => a.map((word, at) => word & b[at]!);
const or = (a: Words, b: Words): Words => a.map((word, at) => word | b[at]!);
const without = (a: Words, b: Words): Words => a.map((word, at) => word & ~b[at]!);
const both = (a: BlockAnswer, b: BlockAnswer): BlockAnswer => ({
  sure: and(a.sure, b.sure),
  maybe: and(a.maybe, b.maybe),
});
const either = (a: BlockAnswer, b: BlockAnswer): BlockAnswer => ({
  sure: or(a.sure, b.sure),
  maybe: or(a.maybe, b.maybe),
});

/** Bit n of the words is bit n of the octets, whatever the machine's order of octets. */
function wordsOf(octets: Uint8Array | undefined): Words {
  const words = new Uint32Array(WORDS);
  for (let at = 0; at < (octets?.length ?? 0); at++) words[at >> 2]! |= octets![at]! << (8 * (at & 3));
  return words;
}

function wordsIn(uids: UidRanges, block: number): Words {
  const words = new Uint32Array(WORDS);
  const first = block * BLOCK_UIDS + 1;
  const last = first + BLOCK_UIDS - 1;
  for (let at = firstReaching(uids, first); at < uids.length && uids[at]![0] <= last; at++) {
    const [from, to] = uids[at]!;
    setBits(words, Math.max(from, first) - first, Math.min(to, last) - first);
  }
  return words;
}

function setBits(words: Words, from: number, to: number): void {
  for (let bit = from; bit <= to; ) {
    if ((bit & 31) === 0 && bit + 31 <= to) {
      words[bit >> 5] = 0xffffffff;
      bit += 32;
    } else {
      words[bit >> 5]! |= 1 << (bit & 31);
      bit++;
    }
  }
}

/** The first range that ends at that UID or above. */
function firstReaching(uids: UidRanges, uid: number): number {
  let low = 0;
  let high = uids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (uids[middle]![1] < uid) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Numbers of the bits that are set, ascending, above that one. */
export function* bitsAbove(words: Words, above: number): Iterable<number> {
  for (let at = (above + 1) >> 5; at < words.length; at++) {
    let word = words[at]!;
    if (at === (above + 1) >> 5) word &= -1 << ((above + 1) & 31);
    for (; word !== 0; word &= word - 1) yield at * 32 + 31 - Math.clz32(word & -word);
  }
}

export const hasBit = (words: Words, bit: number): boolean => (words[bit >> 5]! & (1 << (bit & 31))) !== 0;

export type Lately = { readonly key: SearchProgram; readonly uids: UidRanges };

/**
 * For the first key `mod-seq`, where few messages have changed since: a program has hardly ever two. Looked up once in a
 * search, not for each of its requests: what changes while it is under way is found or not.
 * @returns null where there is no such key, or too much changed
 */
export function changedLately(view: View, { account, mailbox }: MailboxRef, program: SearchProgram): Lately | null {
  const key = firstModSeq(program);
  if (key === undefined) return null;
  const row = mailboxes.get(view, account, mailbox);
  if (!row) return null;
  const uids: number[] = [];
  let looked = 0;
  for (const { modSeq, uid, isPassed } of changedSince(view, account, mailbox, row, Math.max(0, key.from - 1))) {
    if (++looked > MOST_LISTED) return null;
    if (!isPassed && modSeq >= key.from) uids.push(uid);
  }
  return { key, uids: rangesOf(uids.sort((a, b) => a - b)) };
}

function firstModSeq(key: SearchProgram): Extract<SearchProgram, { readonly type: 'mod-seq' }> | undefined {
  if (key.type === 'mod-seq') return key;
  if (key.type === 'not') return firstModSeq(key.key);
  if (key.type !== 'and' && key.type !== 'or') return undefined;
  for (const each of key.keys) {
    const found = firstModSeq(each);
    if (found) return found;
  }
  return undefined;
}

/** Blocks that have messages, from the one on in which that UID is. */
export function* presentFrom(view: View, { account, mailbox }: MailboxRef, uid: number) {
  const block = Math.floor((uid - 1) / BLOCK_UIDS);
  const options =
    block === 0 ? {} : { after: [account, mailbox, PRESENT, block - 1] as [string, number, number, number] };
  for (const { key, row } of uidBits.range(view, [account, mailbox, PRESENT], options))
    yield { block: key[3], bits: row };
}
