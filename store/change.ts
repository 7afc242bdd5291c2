/**
 * Changes: all that can happen to a mailHost, in the past tense. A closed union of plain data.
 *
 * Whoever decides has looked at the state and the clock; a change says only what came of it, so that applying the same
 * changes gives the same state everywhere and for ever. FORMAT_VERSION (tables.ts) covers them: a change's meaning is
 * never altered, a new meaning is a new change.
 */
import type { Front, SessionMaildrop, SessionPurpose } from './tables.ts';
import { countIn, type UidRanges } from './uid-ranges.ts';

/** A new owner began: nothing of an older epoch is applied after it. The record carries the epoch. */
export type EpochBegan = { readonly type: 'EpochBegan' };

export type MailboxCreated = {
  readonly type: 'MailboxCreated';
  readonly account: string;
  readonly mailbox: number;
  readonly name: string;
  readonly uidValidity: number;
  /**
   * To its clients it is the one that had this name and UIDVALIDITY before, from which all messages vanished: it goes on with
   * these numbers. Absent: it is new.
   */
  readonly continues?: { readonly uidNext: number; readonly modSeq: number };
};

/** Nobody finds the mailbox any more: its name and its rights are gone. What is in it goes in steps; it goes with the last. */
export type MailboxUnnamed = { readonly type: 'MailboxUnnamed'; readonly account: string; readonly mailbox: number };
/** A mailbox is gone, with whatever is left in it. Its number is never given out again. */
export type MailboxDeleted = { readonly type: 'MailboxDeleted'; readonly account: string; readonly mailbox: number };
/**
 * Mailboxes have other names, all at once: one may have the name that another had. With another UIDVALIDITY, where one is
 * given, it is another mailbox to its clients.
 */
export type MailboxesRenamed = {
  readonly type: 'MailboxesRenamed';
  readonly account: string;
  readonly mailboxes: readonly { readonly mailbox: number; readonly name: string; readonly uidValidity?: number }[];
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
  /** What mime/ makes of it, if it was made already. */
  readonly structure?: Uint8Array;
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
  readonly structure?: Uint8Array;
};
/** What mime/ makes of a body that is here. */
export type StructureKept = {
  readonly type: 'StructureKept';
  readonly sha256: string;
  readonly structure: Uint8Array;
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
  /** Bits of flags.ts; absent: none. */
  readonly flags?: number;
  /** As the mailbox spells them, sorted; absent: none. */
  readonly keywords?: readonly string[];
  /** Milliseconds since 1970; absent: the internal date. */
  readonly saveDate?: number;
};
/**
 * Messages were copied: those of the source that are there, in ascending order, get the UIDs from `uid` on, and the numbers
 * from `sequence` on. Bodies, dates, sizes and what RFC 8474 calls EMAILID are theirs; flags, as far as `flags` and
 * `withKeywords` let them pass.
 */
export type Copied = {
  readonly type: 'Copied';
  readonly account: string;
  readonly mailbox: number;
  readonly modSeq: number;
  readonly uid: number;
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly saveDate: number;
  readonly from: { readonly account: string; readonly mailbox: number };
  /** Those of the source: all of them are there. */
  readonly uids: UidRanges;
  readonly flags: number;
  readonly withKeywords: boolean;
};
export type Expunged = {
  readonly type: 'Expunged';
  readonly account: string;
  readonly mailbox: number;
  readonly uids: readonly number[];
  readonly modSeq: number;
};
/** Messages have these flags now, and no others; all of one operation get one mod-sequence. */
export type FlagsChanged = {
  readonly type: 'FlagsChanged';
  readonly account: string;
  readonly mailbox: number;
  readonly modSeq: number;
  readonly groups: readonly FlagsGroup[];
  /** What the groups' `places` name: a thousand groups of thirty long keywords each would be a record of 3 MB. */
  readonly keywords?: readonly string[];
  /** Some have keywords that they had not before: it takes room that flags don't (reserve.ts). */
  readonly addsKeywords?: true;
};
export type FlagsGroup = {
  readonly uids: UidRanges;
  /** Bits of flags.ts. */
  readonly flags: number;
  /** As the mailbox spells them, sorted; absent: none. */
  readonly keywords?: readonly string[];
  /** The same as places in the change's `keywords`; instead of the texts. */
  readonly places?: readonly number[];
};

/** Of one group of the change, as texts. */
export const keywordsIn = (
  { keywords: all = [] }: Pick<FlagsChanged, 'keywords'>,
  { keywords, places }: FlagsGroup,
): readonly string[] | undefined => places?.flatMap((place) => all[place] ?? []) ?? keywords;
/** Messages with a UID below `from` were recent to some session. */
export type RecentShown = {
  readonly type: 'RecentShown';
  readonly account: string;
  readonly mailbox: number;
  readonly from: number;
};
/** What the mailbox is for (RFC 6154); null: nothing special. */
export type SpecialUseSet = {
  readonly type: 'SpecialUseSet';
  readonly account: string;
  readonly mailbox: number;
  readonly specialUse: string | null;
};
export type Subscribed = { readonly type: 'Subscribed'; readonly account: string; readonly name: string };
export type Unsubscribed = { readonly type: 'Unsubscribed'; readonly account: string; readonly name: string };
/** An annotation has this value; null: it is gone. Its key is that of the table. */
export type AnnotationSet = {
  readonly type: 'AnnotationSet';
  readonly account: string;
  readonly mailbox: number;
  readonly entry: string;
  readonly who: string;
  readonly value: Uint8Array | null;
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
  readonly purpose: SessionPurpose;
  readonly account: string | null;
  readonly front: Front;
  readonly expiresAt: number;
  readonly maildrop: SessionMaildrop | null;
  readonly administers?: true;
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
  | StructureKept
  | StageDropped
  | BodyCollected
  | Appended
  | Copied
  | Expunged
  | FlagsChanged
  | RecentShown
  | SpecialUseSet
  | Subscribed
  | Unsubscribed
  | AnnotationSet
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
      return 200 + change.sizeOctets + (change.structure?.length ?? 0);
    case 'StageKept':
      return 200 + (change.structure?.length ?? 0);
    case 'StructureKept':
      return 200 + change.structure.length;
    case 'ChunkStored':
      return 200 + change.bytes.length;
    case 'Appended':
      return 400 + change.trace.length + textOctets(change.keywords);
    case 'Copied':
      return 200 + 700 * countIn(change.uids); // some 10 a range in the record; the rest stands for the rows that come
    case 'Expunged':
      return 100 + 150 * change.uids.length; // 5 in the record; the rest stands for the rows that go
    case 'FlagsChanged':
      return change.groups.reduce(
        (sum, group) => sum + 100 + (300 + textOctets(keywordsIn(change, group))) * countIn(group.uids),
        100 + textOctets(change.keywords),
      );
    case 'AnnotationSet':
      return 200 + Buffer.byteLength(change.entry) + (change.value?.length ?? 0);
    case 'MailboxesRenamed':
      return change.mailboxes.reduce((sum, { name }) => sum + 200 + 3 * Buffer.byteLength(name), 100); // a name is kept twice
    case 'MailboxUnnamed':
    case 'MailboxDeleted':
      return 50_000; // with a full list of rights, and all that vanished
    case 'SessionAnswered':
      return 200 + plainOctets(change.answer);
    case 'EndedSessionsForgotten':
      return 100 + 150 * change.sessions.length;
    default:
      return 200;
  }
}

const textOctets = (texts: readonly string[] = []): number => texts.reduce((sum, text) => sum + 2 + text.length, 0);

/** About what plain data takes when it is packed. */
function plainOctets(value: unknown): number {
  if (typeof value === 'string') return 2 + value.length;
  if (typeof value !== 'object' || value === null) return 5;
  if (value instanceof Uint8Array) return 5 + value.length;
  let octets = 3;
  if (Array.isArray(value)) for (const each of value) octets += plainOctets(each);
  else for (const [name, each] of Object.entries(value)) octets += 2 + name.length + plainOctets(each);
  return octets;
}
