/**
 * Message sequence numbers of one selected mailbox: RFC 9051 §2.3.1.2. Pure; four octets a message, in one array that
 * ascends, so that the message with sequence number n is the nth. Which messages the client has been told of, and nothing else.
 */

import type { Range } from '../../protocols/imap/sequence-set.ts';
import { BLOCK_UIDS, type UidBlock } from '../../store/uid-bits.ts';
import { type UidRange, type UidRanges, united } from '../../store/uid-ranges.ts';

/** Sequence numbers from the first to the last of each pair, ascending; pairs neither overlap nor touch. */
export type NumberRanges = readonly (readonly [from: number, to: number])[];

/** Room for that many more when the array has to grow, and a sixteenth of what is there. */
const SPARE = 64;

export class Numbering {
  #uids: Uint32Array;
  #count: number;

  /** @param uids  ascending; belongs to the numbering from now on */
  constructor(uids: Uint32Array) {
    this.#uids = uids;
    this.#count = uids.length;
  }

  get count(): number {
    return this.#count;
  }

  /** The highest of all; 0: there is none. */
  get lastUid(): number {
    return this.#count === 0 ? 0 : this.#uids[this.#count - 1]!;
  }

  /** @param sequence  1 to `count` */
  uid(sequence: number): number {
    const uid = sequence <= this.#count ? this.#uids[sequence - 1] : undefined;
    if (uid === undefined) throw new Error(`there is no message ${sequence} of ${this.#count}`);
    return uid;
  }

  /** 0: the client knows of no such message. In logarithmic time. */
  sequence(uid: number): number {
    const below = this.countBelow(uid);
    return below < this.#count && this.#uids[below] === uid ? below + 1 : 0;
  }

  /** Messages with a lower UID. */
  countBelow(uid: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#uids[middle]! < uid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param uids  ascending, all above `lastUid` */
  append(uids: readonly number[]): void {
    const count = this.#count + uids.length;
    if (count > this.#uids.length) {
      const larger = new Uint32Array(count + SPARE + (count >>> 4));
      larger.set(this.#uids.subarray(0, this.#count));
      this.#uids = larger;
    }
    for (const uid of uids) {
      if (uid <= this.lastUid) throw new Error(`UID ${uid} comes after ${this.lastUid}`);
      this.#uids[this.#count++] = uid;
    }
  }

  /** In linear time, however many. @returns the sequence numbers that they had, of those that were there */
  remove(uids: UidRanges): NumberRanges {
    const removed = this.among(uids);
    if (removed.length === 0) return removed;
    let kept = removed[0]![0] - 1;
    for (const [at, [, to]] of removed.entries()) {
      const end = removed[at + 1]?.[0] ?? this.#count + 1;
      this.#uids.copyWithin(kept, to, end - 1);
      kept += end - 1 - to;
    }
    this.#count = kept;
    return removed;
  }

  /** The messages with these UIDs. */
  among(uids: Iterable<UidRange>): NumberRanges {
    const found: [number, number][] = [];
    for (const [from, to] of uids) {
      const first = this.countBelow(from) + 1;
      const last = this.countBelow(to + 1);
      const before = found.at(-1);
      if (last < first) continue;
      if (before && first === before[1] + 1) before[1] = last;
      else found.push([first, last]);
    }
    return found;
  }

  /** The same by UIDs one by one, ascending. */
  of(uids: Iterable<number>): NumberRanges {
    const each = function* (): Iterable<UidRange> {
      for (const uid of uids) yield [uid, uid];
    };
    return this.among(each());
  }

  /**
   * The messages that a set of sequence numbers means. undefined: it has a number that no message has, which is an error
   * (RFC 9051 §9 `seq-number`); `*` too where there are none.
   */
  bySequence(set: readonly Range[]): NumberRanges | undefined {
    const count = this.#count;
    const ranges = rangesOfSet(set, count);
    return ranges.every(([from, to]) => from >= 1 && to <= count) ? ranges : undefined;
  }

  /** The messages that a set of UIDs means; UIDs that there are not mean nothing (RFC 9051 §6.4.9). */
  byUid(set: readonly Range[]): NumberRanges {
    return this.#count === 0 ? [] : this.among(rangesOfSet(set, this.lastUid));
  }

  /**
   * Their UIDs, in as few ranges as may be: what lies within a range and has no number here is no message any more, since
   * new ones come above all others (RFC 9051 §2.3.1.1).
   */
  spans(numbers: NumberRanges): UidRanges {
    return numbers.map(([from, to]) => [this.uid(from), this.uid(to)]);
  }

  /** Their UIDs and no other number. */
  runs(numbers: NumberRanges): UidRanges {
    const runs: [number, number][] = [];
    let last: [number, number] | undefined;
    for (const [from, to] of numbers) {
      for (let at = from - 1; at < to; at++) {
        const uid = this.#uids[at]!;
        if (last && uid === last[1] + 1) last[1] = uid;
        else {
          last = [uid, uid];
          runs.push(last);
        }
      }
    }
    return runs;
  }

  /** What lies between, before and behind the UIDs that are there. */
  gaps(): UidRanges {
    const gaps: [number, number][] = [];
    let after = 0;
    for (let at = 0; at < this.#count; at++) {
      const uid = this.#uids[at]!;
      if (uid > after + 1) gaps.push([after + 1, uid - 1]);
      after = uid;
    }
    if (after < MAX_UID) gaps.push([after + 1, MAX_UID]);
    return gaps;
  }

  all(): NumberRanges {
    return this.#count === 0 ? [] : [[1, this.#count]];
  }

  *sequencesOf(numbers: NumberRanges): Iterable<number> {
    for (const [from, to] of numbers) for (let sequence = from; sequence <= to; sequence++) yield sequence;
  }

  *uidsOf(numbers: NumberRanges): Iterable<number> {
    for (const [from, to] of numbers) for (let at = from - 1; at < to; at++) yield this.#uids[at]!;
  }
}

/** RFC 9051 §9 `uniqueid`. */
export const MAX_UID = 2 ** 32 - 1;

/** `*` is the largest number in use; the ends of a range may stand in either order (RFC 9051 §9 `seq-range`). */
export function rangesOfSet(set: readonly Range[], largest: number): NumberRanges {
  return united(
    set.map(({ from, to }) => {
      const one = from === '*' ? largest : from;
      const other = to === '*' ? largest : to;
      return one <= other ? [one, other] : [other, one];
    }),
  );
}

export const countOf = (numbers: NumberRanges): number => numbers.reduce((sum, [from, to]) => sum + to - from + 1, 0);

/** Cut into pieces of at most so many messages each, in order. */
export function* slicesOf(numbers: NumberRanges, most: number): Iterable<NumberRanges> {
  let slice: [number, number][] = [];
  let room = most;
  for (const [from, to] of numbers) {
    for (let at = from; at <= to; ) {
      const end = Math.min(to, at + room - 1);
      slice.push([at, end]);
      room -= end - at + 1;
      at = end + 1;
      if (room > 0) continue;
      yield slice;
      slice = [];
      room = most;
    }
  }
  if (slice.length > 0) yield slice;
}

/** The UIDs of bitmaps, in an array of just that size. */
export function uidsOfBlocks(blocks: readonly UidBlock[]): Uint32Array {
  const uids = new Uint32Array(countInBlocks(blocks));
  let at = 0;
  for (const { block, bits } of blocks) {
    for (const [index, octet] of bits.entries()) {
      for (let rest = octet; rest !== 0; rest &= rest - 1) {
        uids[at++] = block * BLOCK_UIDS + index * 8 + (31 - Math.clz32(rest & -rest)) + 1;
      }
    }
  }
  return uids;
}

function countInBlocks(blocks: readonly UidBlock[]): number {
  let count = 0;
  for (const { bits } of blocks) for (const octet of bits) for (let rest = octet; rest !== 0; rest &= rest - 1) count++;
  return count;
}
