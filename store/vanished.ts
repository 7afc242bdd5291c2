/**
 * Which UIDs vanished from a mailbox, and what happened to it after a mod-sequence (RFC 7162 §3.2.5.1, §3.2.10): what lets a
 * client catch up without a look at every message. Vanished UIDs are remembered in rows of some hundred ranges; of a mailbox
 * that lost very many the oldest are forgotten, and a client older than those compares all UIDs instead.
 */
import type { KeyValue, View } from './key-value.ts';
import { byModSeq, type MailboxRow, messages, type VanishedKey, type VanishedRow, vanished } from './tables.ts';
import { BLOCK_UIDS, bitsIn, blocksWith, type UidBlock } from './uid-bits.ts';
import { type UidRange, type UidRanges, united } from './uid-ranges.ts';

/** Of one mailbox: some 200 kB at most. */
export const MOST_VANISHED_RANGES = 20_000;
/** Rows of a page at most, most often: each expunge writes the last one anew. */
const RANGES_A_ROW = 100;

/** Up to which mod-sequence a mailbox knows what became of it: not one that a restore did not bring back. */
const isKnown = ({ lost }: MailboxRow, since: number): boolean => !lost || since <= lost.above || since >= lost.below;

/**
 * UIDs that vanished after that mod-sequence.
 * @returns null when that is not remembered: whoever asks compares with what is there
 */
export function vanishedSince(
  view: View,
  account: string,
  mailbox: number,
  row: MailboxRow,
  since: number,
): UidRanges | null {
  if (since < row.vanishedFrom || !isKnown(row, since)) return null;
  if (since >= row.modSeq || row.vanishedLast === null) return [];
  const ranges: UidRange[] = [];
  const first = lastRowUpTo(view, account, mailbox, row.vanishedLast, since);
  // That row itself may hold later ones; those before it hold none.
  const options = first && {
    after: [account, mailbox, first.modSeq, first.uid - 1] as [string, number, number, number],
  };
  for (const { row: entries } of vanished.range(view, [account, mailbox], options)) {
    for (const [modSeq, ...uids] of entries) {
      if (modSeq > since) for (let at = 0; at < uids.length; at += 2) ranges.push([uids[at]!, uids[at + 1]!]);
    }
  }
  return united(ranges);
}

/**
 * The last row that begins at that mod-sequence or before. Keys are only walked upwards, so it is sought by halves: in some
 * tens of looks, however many rows there are.
 */
function lastRowUpTo(
  view: View,
  account: string,
  mailbox: number,
  newest: VanishedKey,
  since: number,
): VanishedKey | undefined {
  if (newest.modSeq <= since) return newest;
  const firstFrom = (modSeq: number, uid: number): VanishedKey | undefined => {
    const after = [account, mailbox, modSeq, uid - 1] as [string, number, number, number];
    for (const { key } of vanished.range(view, [account, mailbox], { after, limit: 1 }))
      return { modSeq: key[2], uid: key[3] };
    return undefined;
  };
  const first = firstFrom(0, 1);
  if (!first || first.modSeq > since) return undefined;
  let last = first;
  for (let high = since; last.modSeq < high; ) {
    const middle = last.modSeq + Math.ceil((high - last.modSeq) / 2);
    const found = firstFrom(middle, 1);
    if (found && found.modSeq <= since) last = found;
    else high = middle - 1;
  }
  // One expunge of very many UIDs has several rows.
  for (let high = ABOVE_ALL; last.uid < high; ) {
    const middle = last.uid + Math.ceil((high - last.uid) / 2);
    const found = firstFrom(last.modSeq, middle);
    if (found?.modSeq === last.modSeq) last = found;
    else high = middle - 1;
  }
  return last;
}

export type ChangedAt = { readonly modSeq: number; readonly uid: number };
/** One place of the walk; `isPassed`: a message stood there that has changed since, and comes later or is told already. */
export type Walked = ChangedAt & { readonly isPassed: boolean };

/**
 * Messages that came or changed after that mod-sequence, ascending by when they did so last; all of them, if what a client
 * knows as of it is not known here. Each place that was looked at is yielded, those too at which there is nothing to tell:
 * who walks counts them, and may go on behind any.
 * @param after  go on behind this place
 */
export function* changedSince(
  view: View,
  account: string,
  mailbox: number,
  row: MailboxRow,
  since: number,
  after?: ChangedAt,
): Iterable<Walked> {
  const from = after ?? { modSeq: isKnown(row, since) ? since : 0, uid: ABOVE_ALL };
  if (from.modSeq > row.modSeq) return;
  const changed = iterate(changedFrom(view, account, mailbox, from));
  const came = iterate(cameAfter(view, account, mailbox, from));
  let left = changed.next();
  let right = came.next();
  while (!left.done || !right.done) {
    if (right.done || (!left.done && isBefore(left.value, right.value))) {
      yield left.value as Walked;
      left = changed.next();
    } else {
      yield right.value;
      right = came.next();
    }
  }
}

/** More than any UID, which has 32 bits (RFC 9051 §2.3.1.1). */
const ABOVE_ALL = 2 ** 32;

const iterate = <T>(all: Iterable<T>): Iterator<T, undefined> => all[Symbol.iterator]() as Iterator<T, undefined>;
const isBefore = (a: ChangedAt, b: ChangedAt): boolean =>
  a.modSeq < b.modSeq || (a.modSeq === b.modSeq && a.uid < b.uid);

function* changedFrom(view: View, account: string, mailbox: number, from: ChangedAt): Iterable<Walked> {
  for (const { key } of byModSeq.range(view, [account, mailbox], {
    after: [account, mailbox, from.modSeq, from.uid],
  })) {
    yield { modSeq: key[2], uid: key[3], isPassed: false };
  }
}

/** Those that came after it, passed where they changed since: in the order of UIDs, and so of when they came. */
function* cameAfter(view: View, account: string, mailbox: number, from: ChangedAt): Iterable<Walked> {
  const first = firstAfter(view, account, mailbox, from);
  if (first === undefined) return;
  for (const { key, row } of messages.range(view, [account, mailbox], { after: [account, mailbox, first - 1] })) {
    yield { modSeq: row.cameAt ?? row.modSeq, uid: key[2], isPassed: row.cameAt !== undefined };
  }
}

/** The lowest UID that came after it: sought by halves, first among the bitmaps, then in one. */
function firstAfter(view: View, account: string, mailbox: number, from: ChangedAt): number | undefined {
  const cameLater = (uid: number): boolean => {
    const row = messages.get(view, account, mailbox, uid);
    return row !== undefined && isBefore(from, { modSeq: row.cameAt ?? row.modSeq, uid });
  };
  const blocks = [...blocksWith(view, account, mailbox)];
  const uidsOf = ({ block, bits }: UidBlock) => Array.from(bitsIn(bits), (bit) => block * BLOCK_UIDS + bit + 1);
  const firstOf = ({ block, bits }: UidBlock) => {
    for (const bit of bitsIn(bits)) return block * BLOCK_UIDS + bit + 1;
    return ABOVE_ALL;
  };
  const at = lowest(blocks.length, (each) => cameLater(firstOf(blocks[each]!)));
  const before = at === 0 ? [] : uidsOf(blocks[at - 1]!);
  const within = lowest(before.length, (each) => cameLater(before[each]!));
  return before[within] ?? (at < blocks.length ? firstOf(blocks[at]!) : undefined);
}

/** The lowest of 0, 1, ... for which it holds, given that it then holds for all above; `end` if for none. */
function lowest(end: number, holds: (at: number) => boolean): number {
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Remembers them. The same UIDs in parts, one after another, come to the same.
 * @param uids  ascending
 * @returns the mailbox's row as it is then, but for what else changes in it
 */
export function rememberVanished(
  to: KeyValue,
  account: string,
  mailbox: number,
  row: MailboxRow,
  modSeq: number,
  uids: UidRanges,
): MailboxRow {
  let last: VanishedKey | null = row.vanishedLast;
  let entries = last === null ? [] : opened(vanished.get(to, account, mailbox, last.modSeq, last.uid) ?? []);
  let inRow = rangesIn(entries);
  let ranges = row.vanishedRanges;
  const write = () => {
    if (last !== null) vanished.put(to, [account, mailbox, last.modSeq, last.uid], entries);
  };
  for (const [from, end] of uids) {
    const entry = entries.at(-1);
    const isSame = entry?.[0] === modSeq;
    if (isSame && entry.at(-1) === from - 1) {
      entry[entry.length - 1] = end;
      continue;
    }
    if (last === null || inRow >= RANGES_A_ROW) {
      write();
      last = { modSeq, uid: from };
      entries = [[modSeq, from, end]];
      inRow = 0;
    } else if (isSame) entry.push(from, end);
    else entries.push([modSeq, from, end]);
    inRow++;
    ranges++;
  }
  write();
  const after = { ...row, vanishedLast: last, vanishedRanges: ranges };
  return ranges > MOST_VANISHED_RANGES ? forgetOldest(to, account, mailbox, after) : after;
}

/** Forgets rows, the oldest first, until few enough ranges are left. */
function forgetOldest(to: KeyValue, account: string, mailbox: number, row: MailboxRow): MailboxRow {
  let { vanishedRanges, vanishedFrom } = row;
  const rows = [...vanished.range(to, [account, mailbox])];
  for (const { key, row: entries } of rows.slice(0, -1)) {
    if (vanishedRanges <= MOST_VANISHED_RANGES) break;
    vanished.remove(to, ...key);
    vanishedRanges -= rangesIn(entries);
    vanishedFrom = Math.max(vanishedFrom, entries.at(-1)?.[0] ?? 0);
  }
  return { ...row, vanishedRanges, vanishedFrom };
}

type Entry = [modSeq: number, ...ranges: number[]];
const opened = (row: VanishedRow): Entry[] => row.map((entry): Entry => [...entry]);

export const rangesIn = (row: VanishedRow): number => row.reduce((sum, entry) => sum + (entry.length - 1) / 2, 0);
