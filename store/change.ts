/**
 * Changes: all that can happen to a mailHost, in the past tense. A closed union of plain data.
 *
 * Whoever decides has looked at the state and the clock; a change says only what came of it, so that applying the same
 * changes gives the same state everywhere and for ever. FORMAT_VERSION (tables.ts) covers them: a change's meaning is
 * never altered, a new meaning is a new change.
 */
import type { Front, SessionMaildrop } from './tables.ts';

/** A new owner began: nothing of an older epoch is applied after it. The record carries the epoch. */
export type EpochBegan = { readonly type: 'EpochBegan' };

export type MailboxCreated = {
  readonly type: 'MailboxCreated';
  readonly account: string;
  readonly mailbox: number;
  readonly name: string;
  readonly uidValidity: number;
};

/** Nobody finds the mailbox any more: its name and its rights are gone. What is in it goes in steps; it goes with the last. */
export type MailboxUnnamed = { readonly type: 'MailboxUnnamed'; readonly account: string; readonly mailbox: number };
/** A mailbox is gone, with whatever is left in it. Its number is never given out again. */
export type MailboxDeleted = { readonly type: 'MailboxDeleted'; readonly account: string; readonly mailbox: number };
/** Mailboxes have other names, all at once: one may have the name that another had. */
export type MailboxesRenamed = {
  readonly type: 'MailboxesRenamed';
  readonly account: string;
  readonly mailboxes: readonly { readonly mailbox: number; readonly name: string }[];
};
/** An identifier has these rights on a mailbox, in the order of store/rights.ts; none: it is not on the list any more. */
export type RightsSet = {
  readonly type: 'RightsSet';
  readonly account: string;
  readonly mailbox: number;
  readonly identifier: string;
  readonly rights: string;
};

/** A body came whole, and is named by its content from now on. */
export type BlobStored = {
  readonly type: 'BlobStored';
  readonly sha256: string;
  readonly body: number;
  readonly sizeOctets: number;
  readonly chunks: readonly Uint8Array[];
};
/** The next chunk of a body that a session puts aside; index 0 begins it. */
export type ChunkStored = {
  readonly type: 'ChunkStored';
  readonly session: string;
  readonly stage: string;
  readonly body: number;
  readonly index: number;
  readonly bytes: Uint8Array;
};
/** A staged body was whole, and is named by its content from now on. */
export type StageKept = {
  readonly type: 'StageKept';
  readonly session: string;
  readonly stage: string;
  readonly sha256: string;
};
export type StageDropped = { readonly type: 'StageDropped'; readonly session: string; readonly stage: string };
/** Chunks `from` up to (not with) `to` of a body that nothing names were removed. */
export type BodyCollected = {
  readonly type: 'BodyCollected';
  readonly body: number;
  readonly from: number;
  readonly to: number;
};

export type Appended = {
  readonly type: 'Appended';
  readonly account: string;
  readonly mailbox: number;
  readonly uid: number;
  readonly modSeq: number;
  readonly sequence: number;
  readonly internalDate: number;
  readonly trace: Uint8Array;
  /** The body, stored before or in the same record. */
  readonly sha256: string;
};
export type Expunged = {
  readonly type: 'Expunged';
  readonly account: string;
  readonly mailbox: number;
  readonly uids: readonly number[];
  readonly modSeq: number;
};
/** All that is left of an account was removed, but for the numbers that must not be given out again. */
export type AccountDropped = { readonly type: 'AccountDropped'; readonly account: string };

/**
 * The store was restored from a copy: what it gave out after the copy was made is not known to it. The numbers that clients
 * remember (UIDs, mod-sequences, receipts) go on from so far above that none of them is given out again.
 */
export type NumbersRaised = { readonly type: 'NumbersRaised'; readonly by: number };

export type SessionOpened = {
  readonly type: 'SessionOpened';
  readonly session: string;
  readonly purpose: 'maildrop' | 'delivery';
  readonly account: string | null;
  readonly front: Front;
  readonly expiresAt: number;
  readonly maildrop: SessionMaildrop | null;
};
/** Stored with the effect that it answers for: the same counter again gets this answer. */
export type SessionAnswered = {
  readonly type: 'SessionAnswered';
  readonly session: string;
  readonly counter: number;
  readonly answer: unknown;
};
/** The session, its stages and its handles are gone; what it was answered last is remembered until `until`. */
export type SessionEnded = { readonly type: 'SessionEnded'; readonly session: string; readonly until: number };
export type EndedSessionsForgotten = {
  readonly type: 'EndedSessionsForgotten';
  readonly sessions: readonly { readonly session: string; readonly until: number }[];
};
export type MaildropLocked = {
  readonly type: 'MaildropLocked';
  readonly account: string;
  readonly lock: number;
  readonly session: string;
  readonly front: Front;
};
export type MaildropUnlocked = { readonly type: 'MaildropUnlocked'; readonly account: string; readonly lock: number };

export type Change =
  | EpochBegan
  | MailboxCreated
  | MailboxUnnamed
  | MailboxDeleted
  | MailboxesRenamed
  | RightsSet
  | BlobStored
  | ChunkStored
  | StageKept
  | StageDropped
  | BodyCollected
  | Appended
  | Expunged
  | AccountDropped
  | NumbersRaised
  | SessionOpened
  | SessionAnswered
  | SessionEnded
  | EndedSessionsForgotten
  | MaildropLocked
  | MaildropUnlocked;

/**
 * About how much room a change takes, in octets: what bounds a batch. A mailbox or an account that goes counts as an empty one:
 * whoever decides empties it first, by changes that are counted.
 */
export function changeOctets(change: Change): number {
  switch (change.type) {
    case 'BlobStored':
      return 200 + change.sizeOctets;
    case 'ChunkStored':
      return 200 + change.bytes.length;
    case 'Appended':
      return 300 + change.trace.length;
    case 'Expunged':
      return 100 + 70 * change.uids.length; // 5 in the record; the rest stands for the rows that go
    case 'MailboxesRenamed':
      return change.mailboxes.reduce((sum, { name }) => sum + 200 + 3 * Buffer.byteLength(name), 100); // a name is kept twice
    case 'MailboxUnnamed':
    case 'MailboxDeleted':
      return 10_000; // with a full list of rights
    case 'EndedSessionsForgotten':
      return 100 + 150 * change.sessions.length;
    default:
      return 200;
  }
}
