/**
 * What a session of purpose `mailboxes` asks of the messages of one mailbox, which it knows by its `ref`, on
 * `mail.<mailHost>.<op>`. Reading needs the right `r` each time (RFC 4314 §4); a mailbox that was deleted meanwhile is
 * `no-such-mailbox`. What changes messages is in edit-requests.ts.
 *
 * All that is of many messages comes in pages that end by count or by octets; search-requests.ts holds what looks for them.
 */
import type { Result } from '../../kernel/result.ts';
import type { UidRanges } from '../../store/uid-ranges.ts';
import type { MailboxRef, UidBlocks } from './mailbox-requests.ts';
import type { CommonRefusal } from './requests.ts';

export type ReadRefusal = CommonRefusal | 'no-such-mailbox' | 'no-permission';

/** Those of the UIDs that are there, ascending; where `more`, go on from the UID after the last row. */
export type MessagesRequest = {
  readonly handle: string;
  readonly ref: MailboxRef;
  readonly uids: UidRanges;
  readonly limit: number;
  readonly with: { readonly structure?: boolean };
};
export type MessageEntry = {
  readonly uid: number;
  /** Bits of store/flags.ts. */
  readonly flags: number;
  /** Sorted; absent: none. */
  readonly keywords?: readonly string[];
  readonly modSeq: number;
  /** Milliseconds since 1970. */
  readonly internalDate: number;
  /** When it came into this mailbox, milliseconds since 1970 (RFC 8514 §1). */
  readonly saveDate: number;
  readonly sizeOctets: number;
  /** Header lines that delivery put before the body, counted in `sizeOctets`: where the body begins. */
  readonly traceOctets: number;
  /** With `emailOf` the same for all copies of a message, and for no other (RFC 8474 §5.1 EMAILID). */
  readonly emailId: number;
  /** The account in which `emailId` was given out; absent: the mailbox's. */
  readonly emailOf?: string;
  /** Where asked for: what mime/ makes of the body alone, packed as the store keeps it. */
  readonly structure?: Uint8Array;
  /** Instead of one that is too large for an answer: so many octets, which `structure` gives. Hostile mail alone has such. */
  readonly structureOctets?: number;
};
export type MessagePage = { readonly entries: readonly MessageEntry[]; readonly more: boolean };
export type MessagesAnswer = Result<MessagePage, ReadRefusal>;

/** Octets of a structure, from an offset on; null: the message is gone. */
export type StructureRequest = {
  readonly handle: string;
  readonly ref: MailboxRef;
  readonly uid: number;
  readonly offset: number;
};
export type StructureAnswer = Result<Octets | null, ReadRefusal>;

/**
 * What happened to the mailbox after a mod-sequence. A long answer comes in pages, all of the mailbox as it was at the
 * first one: `next` of an answer is the `at` of the request that goes on.
 */
export type ChangesRequest = {
  readonly handle: string;
  readonly ref: MailboxRef;
  readonly since: number;
  /** Only of these. */
  readonly uids?: UidRanges;
  readonly at?: ChangesPlace;
};
export type ChangesPlace = {
  /** The mod-sequence at the first page; what came later is for the next round. */
  readonly upTo: number;
  readonly modSeq: number;
  readonly uid: number;
};
export type Changes = {
  /** The `since` of the next round, once all pages are there. */
  readonly modSeq: number;
  /** At this page's moment: no message told of so far has this UID or a higher one. */
  readonly uidNext: number;
  readonly messages: number;
  /** New ones and those whose flags changed, as they are now, ascending by mod-sequence. */
  readonly changed: readonly MessageEntry[];
  /** All on the first page; null: that is not remembered, or too much to tell, and `present` (all that is there) is given. */
  readonly vanished: UidRanges | null;
  readonly present?: UidBlocks;
  readonly keywords: readonly string[];
  /** The session's account's own rights on the mailbox, as they are now. */
  readonly rights: string;
  /** null: this page was the last. */
  readonly next: ChangesPlace | null;
};
export type ChangesAnswer = Result<Changes, ReadRefusal>;

/**
 * Octets of messages, as many as fit one answer: in the order wanted, the first always. What of `wanted` is not answered,
 * or answered short of what was wanted, is to be asked for again; or to be read as the stream `octet-stream`.
 */
export type OctetsRequest = {
  readonly handle: string;
  readonly ref: MailboxRef;
  readonly wanted: readonly OctetsWanted[];
};
export type OctetsWanted = {
  readonly uid: number;
  readonly offset: number /** Absent: to the end. */;
  readonly most?: number;
};
export type Octets = { readonly sizeOctets: number; readonly chunk: Uint8Array };
/** null: the message is gone. */
export type OctetsAnswer = Result<readonly (Octets | null)[], ReadRefusal>;
/** Request of the stream `octet-stream`; any refusal breaks it, `octets` at that offset then tells which. */
export type OctetStreamRequest = { readonly handle: string; readonly ref: MailboxRef } & OctetsWanted;
