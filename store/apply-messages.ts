/**
 * The part of apply.ts about messages in mailboxes: rows, and what is kept of them beside: counts, bitmaps, the index by
 * mod-sequence, what vanished. Its rules are those of apply.ts: pure, total, and the same in parts as in one (inParts).
 */
import { chunkCount } from './blob.ts';
import { type Appended, type Copied, type Expunged, type FlagsChanged, keywordsIn } from './change.ts';
import { ALL_FLAGS, FLAG, keptKeywords, SYSTEM_FLAGS, spelt } from './flags.ts';
import type { KeyValue } from './key-value.ts';
import * as t from './tables.ts';
import { editUidBits, PRESENT, type UidBitsEdit } from './uid-bits.ts';
import { rangesOf, uidsIn } from './uid-ranges.ts';
import { rememberVanished } from './vanished.ts';

const NO_ACCOUNT: t.AccountRow = {
  octets: 0,
  messages: 0,
  lastUidValidity: 0,
  lastSequence: 0,
  lastLock: 0,
  lastMailbox: 0,
};

export function editAccount(to: KeyValue, account: string, edit: (row: t.AccountRow) => t.AccountRow): void {
  t.accounts.put(to, [account], edit(t.accounts.get(to, account) ?? NO_ACCOUNT));
}

export function editMailbox(
  to: KeyValue,
  account: string,
  mailbox: number,
  edit: (row: t.MailboxRow) => t.MailboxRow,
): void {
  const row = t.mailboxes.get(to, account, mailbox);
  if (row) t.mailboxes.put(to, [account, mailbox], edit(row));
}

/** What a mailbox counts of its messages. */
type Sums = Pick<t.MailboxRow, 'messages' | 'octets' | 'unseen' | 'deleted' | 'deletedOctets'>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const noSums = (): Mutable<Sums> => ({ messages: 0, octets: 0, unseen: 0, deleted: 0, deletedOctets: 0 });

/** @param sign  1 for a message that comes, -1 for one that goes */
function count(sums: Mutable<Sums>, { flags, sizeOctets }: t.MessageRow, sign: 1 | -1): void {
  sums.messages += sign;
  sums.octets += sign * sizeOctets;
  if ((flags & FLAG.seen) === 0) sums.unseen += sign;
  if ((flags & FLAG.deleted) === 0) return;
  sums.deleted += sign;
  sums.deletedOctets += sign * sizeOctets;
}

const withSums = (row: t.MailboxRow, sums: Sums): t.MailboxRow => ({
  ...row,
  messages: row.messages + sums.messages,
  octets: row.octets + sums.octets,
  unseen: row.unseen + sums.unseen,
  deleted: row.deleted + sums.deleted,
  deletedOctets: row.deletedOctets + sums.deletedOctets,
});

function setFlagBits(bits: UidBitsEdit, uid: number, before: number, after: number): void {
  for (const flag of SYSTEM_FLAGS) {
    if ((before & flag) === (after & flag)) continue;
    if ((after & flag) !== 0) bits.set(flag, uid);
    else bits.clear(flag, uid);
  }
}

/** The mailbox knows them from now on. */
function noteKeywords(to: KeyValue, account: string, mailbox: number, keywords: readonly string[]): void {
  const known = t.keywords.get(to, account, mailbox) ?? [];
  const { added } = spelt(known, keywords);
  if (added.length > 0) t.keywords.put(to, [account, mailbox], [...known, ...added]);
}

export function appended(to: KeyValue, change: Appended): void {
  const { account, mailbox, uid, modSeq, sequence, internalDate, trace, sha256, flags = 0, keywords } = change;
  const blob = t.blobs.get(to, sha256);
  if (!blob) return;
  t.blobs.put(to, [sha256], { ...blob, references: blob.references + 1 });
  const row: t.MessageRow = {
    modSeq,
    sequence,
    internalDate,
    sizeOctets: trace.length + blob.sizeOctets,
    trace,
    blob: sha256,
    flags: flags & ALL_FLAGS,
    saveDate: change.saveDate ?? internalDate,
    emailId: sequence,
    ...(keywords && { keywords }),
  };
  if (keywords) noteKeywords(to, account, mailbox, keywords);
  const bits = editUidBits(to, account, mailbox);
  const sums = noSums();
  put(to, account, mailbox, uid, row, bits, sums);
  bits.write();
  received(to, account, mailbox, { uid, modSeq, sequence }, sums);
}

function put(
  to: KeyValue,
  account: string,
  mailbox: number,
  uid: number,
  row: t.MessageRow,
  bits: UidBitsEdit,
  sums: Mutable<Sums>,
): void {
  t.messages.put(to, [account, mailbox, uid], row);
  bits.set(PRESENT, uid);
  setFlagBits(bits, uid, 0, row.flags);
  count(sums, row, 1);
}

/** @param last  the largest of each number that was given */
function received(
  to: KeyValue,
  account: string,
  mailbox: number,
  last: { readonly uid: number; readonly modSeq: number; readonly sequence: number },
  sums: Sums,
): void {
  editMailbox(to, account, mailbox, (row) => ({ ...withSums(row, sums), uidNext: last.uid + 1, modSeq: last.modSeq }));
  editAccount(to, account, (row) => ({
    ...row,
    octets: row.octets + sums.octets,
    messages: row.messages + sums.messages,
    lastSequence: last.sequence,
  }));
}

export function copied(to: KeyValue, change: Copied): void {
  const { account, mailbox, modSeq, saveDate, from } = change;
  const asked = [...uidsIn(change.uids)];
  const sources = [...t.messagesAmong(to, from.account, from.mailbox, asked)].map(({ packed }) =>
    t.unpackMessage(packed),
  );
  const bits = editUidBits(to, account, mailbox);
  const sums = noSums();
  let { uid, sequence } = change;
  for (const source of sources) {
    const blob = t.blobs.get(to, source.blob);
    if (!blob) continue;
    t.blobs.put(to, [source.blob], { ...blob, references: blob.references + 1 });
    const keywords =
      change.withKeywords && source.keywords ? keywordsHere(to, account, mailbox, source.keywords) : undefined;
    const home = source.emailOf ?? from.account;
    const row: t.MessageRow = {
      modSeq,
      sequence,
      internalDate: source.internalDate,
      sizeOctets: source.sizeOctets,
      trace: source.trace,
      blob: source.blob,
      flags: source.flags & change.flags,
      saveDate,
      emailId: source.emailId,
      ...(home !== account && { emailOf: home }),
      ...(keywords && { keywords }),
    };
    put(to, account, mailbox, uid++, row, bits, sums);
    sequence++;
  }
  bits.write();
  if (sums.messages > 0) received(to, account, mailbox, { uid: uid - 1, modSeq, sequence: sequence - 1 }, sums);
}

/** As the mailbox spells them; those for which it has no room are left out. */
function keywordsHere(to: KeyValue, account: string, mailbox: number, keywords: readonly string[]) {
  const known = t.keywords.get(to, account, mailbox) ?? [];
  const { keywords: here, added } = spelt(known, keywords);
  if (added.length > 0) t.keywords.put(to, [account, mailbox], [...known, ...added]);
  return here && keptKeywords(here);
}

export function expunged(to: KeyValue, { account, mailbox, uids, modSeq }: Expunged): void {
  const bits = editUidBits(to, account, mailbox);
  const sums = noSums();
  const gone: number[] = [];
  // Read whole before the first is removed: what is walked must not change. In the record they are ascending.
  for (const { uid, packed } of [...t.messagesAmong(to, account, mailbox, uids)]) {
    const message = t.unpackMessage(packed);
    t.messages.remove(to, account, mailbox, uid);
    if (message.cameAt !== undefined) t.byModSeq.remove(to, account, mailbox, message.modSeq, uid);
    bits.clear(PRESENT, uid);
    setFlagBits(bits, uid, message.flags, 0);
    release(to, message.blob);
    count(sums, message, -1);
    gone.push(uid);
  }
  bits.write();
  const isGoing = t.goingMailboxes.get(to, account, mailbox) !== undefined; // nobody will ask what was in it
  editMailbox(to, account, mailbox, (row) => {
    const after = { ...withSums(row, sums), modSeq };
    return isGoing ? after : rememberVanished(to, account, mailbox, after, modSeq, rangesOf(gone));
  });
  editAccount(to, account, (row) => ({
    ...row,
    octets: row.octets + sums.octets,
    messages: row.messages + sums.messages,
  }));
}

export function flagsChanged(to: KeyValue, change: FlagsChanged): void {
  const { account, mailbox, modSeq } = change;
  const bits = editUidBits(to, account, mailbox);
  const sums = noSums();
  for (const group of change.groups) {
    const { uids, flags } = group;
    const keywords = keywordsIn(change, group);
    if (keywords) noteKeywords(to, account, mailbox, keywords);
    for (const { uid, packed } of [...t.messagesAmong(to, account, mailbox, [...uidsIn(uids)])]) {
      const { keywords: _, ...before } = t.unpackMessage(packed);
      const after: t.MessageRow = {
        ...before,
        modSeq,
        flags: flags & ALL_FLAGS,
        cameAt: before.cameAt ?? before.modSeq,
        ...(keywords && { keywords }),
      };
      t.messages.put(to, [account, mailbox, uid], after);
      if (before.cameAt !== undefined) t.byModSeq.remove(to, account, mailbox, before.modSeq, uid);
      t.byModSeq.put(to, [account, mailbox, modSeq, uid], null);
      setFlagBits(bits, uid, before.flags, after.flags);
      count(sums, before, -1);
      count(sums, after, 1);
    }
  }
  bits.write();
  editMailbox(to, account, mailbox, (row) => ({ ...withSums(row, sums), modSeq: Math.max(row.modSeq, modSeq) }));
}

/** One reference less; at zero the blob is absent at once, and the same content will be stored as a new body. */
function release(to: KeyValue, sha256: string): void {
  const blob = t.blobs.get(to, sha256);
  if (!blob) return;
  if (blob.references > 1) {
    t.blobs.put(to, [sha256], { ...blob, references: blob.references - 1 });
  } else {
    t.blobs.remove(to, sha256);
    t.structures.remove(to, sha256);
    discard(to, blob.body, chunkCount(blob.sizeOctets));
  }
}

/** Nothing names the body from now on; its chunks go in batches, later. An empty body has none. */
export function discard(to: KeyValue, body: number, parts: number): void {
  if (parts > 0) t.garbage.put(to, [body], { from: 0, parts });
}
