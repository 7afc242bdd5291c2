/**
 * Sequence sets: RFC 9051 §9 `sequence-set`, with the saved result `$` of RFC 5182. Parses, prints, and resolves against numbers
 * that a mailbox has; knows nothing of any mailbox.
 */
import { accept, type Result, refuse } from '../../kernel/result.ts';

/** `*` is the largest number in use. The two ends may stand in either order (RFC 9051 §9 `seq-range`). */
export type Range = { readonly from: number | '*'; readonly to: number | '*' };

/** As sent: in any order, and overlapping. `$` is the result that a SEARCH saved (RFC 5182 §2). */
export type SequenceSet = readonly Range[] | '$';

/** A range resolved: `first` is not above `last`, both belong to it. */
export type Span = { readonly first: number; readonly last: number };

/** UIDs and sequence numbers: `nz-number`, 32 bits (RFC 9051 §9). */
const MAX_NUMBER = 4_294_967_295;
/** More than a command line can hold; for whoever parses a set out of something else. */
const MAX_RANGES = 100_000;

const COMMA = 0x2c;
const COLON = 0x3a;
const STAR = 0x2a;
const ZERO = 0x30;
const NINE = 0x39;

/** `sequence-set` (RFC 9051 §9). @returns undefined for what is none; in linear time */
export function parseSequenceSet(text: string): SequenceSet | undefined {
  if (text === '$') return '$';
  const ranges: Range[] = [];
  let at = 0;
  let value: number | '*' = 0;
  /** `seq-number = nz-number / "*"`. */
  const takesNumber = (): boolean => {
    if (text.charCodeAt(at) === STAR) {
      at += 1;
      value = '*';
      return true;
    }
    if (text.charCodeAt(at) === ZERO) return false;
    let number = 0;
    const start = at;
    for (let code = text.charCodeAt(at); code >= ZERO && code <= NINE; code = text.charCodeAt(at)) {
      number = number * 10 + code - ZERO;
      if (number > MAX_NUMBER) return false;
      at += 1;
    }
    value = number;
    return at > start;
  };
  for (;;) {
    if (ranges.length === MAX_RANGES || !takesNumber()) return undefined;
    const from = value;
    if (text.charCodeAt(at) === COLON) {
      at += 1;
      if (!takesNumber()) return undefined;
    }
    ranges.push({ from, to: value });
    if (at === text.length) return ranges;
    if (text.charCodeAt(at) !== COMMA) return undefined;
    at += 1;
  }
}

/** The set on the wire; '' for a set of nothing, which no command and no response may hold. */
export function printSequenceSet(set: SequenceSet): string {
  if (set === '$') return '$';
  return set.map(({ from, to }) => (from === to ? `${from}` : `${from}:${to}`)).join(',');
}

/** Numbers in the order given, each run of neighbours that rises as one range: what `uid-set` wants (RFC 9051 §7.1, COPYUID). */
export function rangesOf(numbers: Iterable<number>): Range[] {
  const ranges: { from: number; to: number }[] = [];
  let last: { from: number; to: number } | undefined;
  for (const number of numbers) {
    if (last !== undefined && number === last.to + 1) last.to = number;
    else {
      last = { from: number, to: number };
      ranges.push(last);
    }
  }
  return ranges;
}

/**
 * What a set means where `*` is `largest`: rising spans with a gap between any two. RFC 9051 §9 lets a server join overlaps and
 * go through them in its own order. With `largest` 0 nothing is in use, and `*` is nothing.
 */
export function spansOf(set: readonly Range[], largest: number): Span[] {
  const spans: { first: number; last: number }[] = [];
  let isSorted = true;
  let before = 0;
  for (const range of set) {
    const from = range.from === '*' ? largest : range.from;
    const to = range.to === '*' ? largest : range.to;
    if (from === 0 && to === 0) continue;
    const first = Math.max(1, Math.min(from, to));
    spans.push({ first, last: Math.max(from, to) });
    if (first < before) isSorted = false;
    before = first;
  }
  if (!isSorted) spans.sort((a, b) => a.first - b.first);
  const joined: { first: number; last: number }[] = [];
  let open: { first: number; last: number } | undefined;
  for (const span of spans) {
    if (open !== undefined && span.first <= open.last + 1) open.last = Math.max(open.last, span.last);
    else {
      open = span;
      joined.push(open);
    }
  }
  return joined;
}

/**
 * The sequence numbers that a set means in a mailbox of `count` messages.
 * @returns a refusal when it names a message that is not there, which RFC 9051 §9 `seq-number` wants answered with BAD; `*` is
 *   such a one in an empty mailbox
 */
export function sequenceSpans(set: readonly Range[], count: number): Result<Span[], 'no-such-message'> {
  const spans = spansOf(set, count);
  const isEmpty = count === 0 && set.length > 0;
  return isEmpty || (spans.at(-1)?.last ?? 0) > count ? refuse('no-such-message') : accept(spans);
}

/**
 * The sequence numbers (1 for `uids[0]`) of those messages whose UIDs a set names; UIDs that are not there are passed over
 * (RFC 9051 §6.4.9). In time linear in the set, and no more than logarithmic in the mailbox for each of its ranges.
 * @param uids  rising
 */
export function uidSpans(set: readonly Range[], uids: ArrayLike<number>): Span[] {
  const found: { first: number; last: number }[] = [];
  let open: { first: number; last: number } | undefined;
  let from = 0;
  for (const { first, last } of spansOf(set, uids.length === 0 ? 0 : uids[uids.length - 1]!)) {
    const start = firstAtLeast(uids, first, from);
    const end = firstAtLeast(uids, last + 1, start);
    from = end;
    if (start === end) continue;
    if (open !== undefined && open.last === start) open.last = end;
    else {
      open = { first: start + 1, last: end };
      found.push(open);
    }
  }
  return found;
}

/** How many numbers the spans hold. */
export function countIn(spans: readonly Span[]): number {
  let count = 0;
  for (const { first, last } of spans) count += last - first + 1;
  return count;
}

/** Is the number in one of the spans? They rise, as those above do. */
export function isIn(spans: readonly Span[], number: number): boolean {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (spans[middle]!.last < number) low = middle + 1;
    else high = middle;
  }
  return low < spans.length && spans[low]!.first <= number;
}

/** The place of the first of `uids`, from `from` on, that is not below `least`. */
function firstAtLeast(uids: ArrayLike<number>, least: number, from: number): number {
  let low = from;
  let high = uids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (uids[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
