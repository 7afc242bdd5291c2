/**
 * The part of check.ts about what is kept beside messages to find them by: bitmaps, counts of flags, the index by
 * mod-sequence, keywords, what vanished; and what is noted of mailboxes and accounts.
 */
import type { Say, Steps } from './check.ts';
import { ALL_FLAGS, FLAG, folded, keptKeywords, MOST_KEYWORDS, SYSTEM_FLAGS } from './flags.ts';
import type { View } from './key-value.ts';
import * as t from './tables.ts';
import { BLOCK_UIDS, bitsIn, hasBit, PRESENT } from './uid-bits.ts';
import { rangesIn } from './vanished.ts';

export function* checkIndexes(view: View, say: Say): Steps<void> {
  const counted = yield* checkFlags(view, say);
  yield* checkBits(view, say);
  yield* checkByModSeq(view, say);
  yield* checkVanished(view, say);
  yield* checkNotes(view, say);
  for (const { key, row } of t.mailboxes.range(view, [])) {
    yield;
    const name = `mailbox ${key.join(' ')}`;
    const { unseen, deleted, deletedOctets } = counted.get(key.join(' ')) ?? NONE;
    if (row.unseen !== unseen || row.deleted !== deleted || row.deletedOctets !== deletedOctets) {
      say(`${name}: wrong counts of flags`);
    }
    if (row.recentFrom > row.uidNext) say(`${name}: recent from above uidNext`);
    if (row.vanishedFrom > row.modSeq) say(`${name}: forgot what vanished above its modseq`);
    if (row.lost && row.lost.below > row.modSeq) say(`${name}: lost mod-sequences above its own`);
  }
}

type Counts = { readonly unseen: number; readonly deleted: number; readonly deletedOctets: number };
const NONE: Counts = { unseen: 0, deleted: 0, deletedOctets: 0 };

function* checkFlags(view: View, say: Say): Steps<Map<string, Counts>> {
  const counted = new Map<string, Counts>();
  const latest = new Map<string, number>();
  for (const { key, row } of t.messages.range(view, [])) {
    yield;
    const [account, mailbox, uid] = key;
    const name = `message ${key.join(' ')}`;
    const home = `${account} ${mailbox}`;
    const before = counted.get(home) ?? NONE;
    const isDeleted = (row.flags & FLAG.deleted) !== 0;
    counted.set(home, {
      unseen: before.unseen + ((row.flags & FLAG.seen) === 0 ? 1 : 0),
      deleted: before.deleted + (isDeleted ? 1 : 0),
      deletedOctets: before.deletedOctets + (isDeleted ? row.sizeOctets : 0),
    });
    if (typeof row.flags !== 'number' || (row.flags & ~ALL_FLAGS) !== 0) say(`${name}: flags that are none`);
    if (!hasBit(view, account, mailbox, uid)) say(`${name}: its UID is not marked as there`);
    for (const flag of SYSTEM_FLAGS) {
      const isMarked = hasBit(view, account, mailbox, uid, flag);
      if (isMarked !== ((row.flags & flag) !== 0)) say(`${name}: flag ${flag} ${isMarked ? 'is' : 'is not'} marked`);
    }
    const cameAt = row.cameAt ?? row.modSeq;
    if (cameAt > row.modSeq || cameAt < (latest.get(home) ?? 0)) say(`${name}: came at modseq ${cameAt}, out of order`);
    latest.set(home, cameAt);
    const isFound = t.byModSeq.get(view, account, mailbox, row.modSeq, uid) !== undefined;
    if (isFound !== (row.cameAt !== undefined)) say(`${name}: ${isFound ? 'is' : 'is not'} found by its modseq`);
    if (row.keywords === undefined) continue;
    const known = t.keywords.get(view, account, mailbox) ?? [];
    if (row.keywords.some((each) => !known.includes(each))) say(`${name}: keywords that its mailbox does not know`);
    if (keptKeywords(row.keywords)?.join(' ') !== row.keywords.join(' ')) say(`${name}: keywords out of order`);
  }
  return counted;
}

function* checkBits(view: View, say: Say): Steps<void> {
  for (const { key, row } of t.uidBits.range(view, [])) {
    yield;
    const [account, mailbox, kind, block] = key;
    const name = `bitmap ${key.join(' ')}`;
    if (kind !== PRESENT && !SYSTEM_FLAGS.includes(kind)) say(`${name}: of no flag`);
    if (row.length > BLOCK_UIDS / 8 || row.at(-1) === undefined || row.at(-1) === 0) say(`${name}: of a wrong length`);
    for (const bit of bitsIn(row)) {
      // That the flag itself is the message's was seen from the message's side.
      const uid = block * BLOCK_UIDS + bit + 1;
      if (view.get(['message', account, mailbox, uid]) === undefined) say(`${name}: ${uid} is not there`);
    }
  }
}

function* checkByModSeq(view: View, say: Say): Steps<void> {
  for (const { key } of t.byModSeq.range(view, [])) {
    yield;
    const [account, mailbox, modSeq, uid] = key;
    if (t.messages.get(view, account, mailbox, uid)?.modSeq !== modSeq)
      say(`by modseq ${key.join(' ')}: no such message`);
  }
}

type Memory = { readonly ranges: number; readonly last: readonly [number, number]; readonly latest: number };

function* checkVanished(view: View, say: Say): Steps<void> {
  const memories = new Map<string, Memory>();
  for (const { key, row } of t.vanished.range(view, [])) {
    yield;
    const [account, mailbox, modSeq, uid] = key;
    const name = `vanished ${key.join(' ')}`;
    const home = t.mailboxes.get(view, account, mailbox);
    const before = memories.get(`${account} ${mailbox}`);
    let latest = before?.latest ?? 0;
    if (!home) say(`${name}: its mailbox is missing`);
    if (row[0]?.[0] !== modSeq || row[0]?.[1] !== uid) say(`${name}: not under its own key`);
    for (const [at, ...uids] of row) {
      if (at < latest || at > (home?.modSeq ?? at)) say(`${name}: modseq ${at} out of order`);
      latest = at;
      for (let each = 0; each < uids.length; each += 2) {
        const [from, to] = [uids[each]!, uids[each + 1] ?? 0];
        if (from > to || (each > 0 && from <= uids[each - 1]! + 1)) say(`${name}: ranges out of order`);
        if (to >= (home?.uidNext ?? 0)) say(`${name}: ${to} is not below uidNext`);
        for (const still of [from, to]) {
          if (hasBit(view, account, mailbox, still)) say(`${name}: ${still} is there`);
        }
      }
    }
    const ranges = (before?.ranges ?? 0) + rangesIn(row);
    memories.set(`${account} ${mailbox}`, { ranges, last: [modSeq, uid], latest });
  }
  for (const { key, row } of t.mailboxes.range(view, [])) {
    yield;
    const memory = memories.get(key.join(' '));
    const last = row.vanishedLast ? [row.vanishedLast.modSeq, row.vanishedLast.uid] : undefined;
    if (row.vanishedRanges !== (memory?.ranges ?? 0) || String(last) !== String(memory?.last)) {
      say(`mailbox ${key.join(' ')}: wrong memory of what vanished`);
    }
  }
}

function* checkNotes(view: View, say: Say): Steps<void> {
  for (const { key, row } of t.keywords.range(view, [])) {
    yield;
    if (!t.mailboxes.get(view, ...key)) say(`keywords ${key.join(' ')}: their mailbox is missing`);
    const isOnce = new Set(row.map(folded)).size === row.length;
    if (!isOnce || row.length > MOST_KEYWORDS) say(`keywords ${key.join(' ')}: one twice, or too many`);
  }
  for (const { key } of t.annotations.range(view, [])) {
    yield;
    const [account, mailbox] = key;
    if (mailbox !== 0 && !t.mailboxes.get(view, account, mailbox)) {
      say(`annotation ${key.join(' ')}: its mailbox is missing`);
    }
  }
  for (const { key } of t.subscriptions.range(view, [])) {
    yield;
    if (key[1] === '') say(`subscription ${key[0]}: of no name`);
  }
}
