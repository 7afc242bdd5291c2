/**
 * Operations as `decide` takes them: what was asked, with everything that is not in the store (time, who is gone, what a
 * ticket said) already inside, so that deciding is a function of these and nothing else.
 */

import { INBOX } from '../../kernel/mailbox-name.ts';
import type { Result } from '../../kernel/result.ts';
import type { Front } from '../../store/tables.ts';
import type { UidRanges } from '../../store/uid-ranges.ts';
import type { Admission } from './admission.ts';
import type { MailboxRef, SessionEdit, SessionEditRefusal } from './mailbox-requests.ts';
import type {
  Delivered,
  DeliverRecipient,
  MailboxEdit,
  MailboxRefusal,
  Maildrop,
  OpenRequest,
  StageLimit,
} from './requests.ts';

/** `now`, here and below: milliseconds since 1970. */
export type Open = {
  readonly type: 'open';
  readonly session: string;
  readonly purpose: OpenRequest['purpose'];
  readonly front: Front;
  readonly admission: Admission;
  /** Admitted only to go on with a session that lives, by a ticket that may have expired. */
  readonly again: boolean;
  /** The session that holds the maildrop, when its front is known to be gone. */
  readonly abandoned: string | null;
  readonly now: number;
};
export type OpenedSession = {
  readonly account: string | null;
  readonly counter: number;
  readonly maildrop: (Maildrop & { readonly mailbox: number }) | null;
  /** Purpose `mailboxes`: it has all rights on all mailboxes. */
  readonly administers?: true;
};

export type Stage = {
  readonly type: 'stage';
  readonly session: string;
  readonly stage: string;
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly within?: StageLimit;
};
/** Bodies that were put aside are given up. */
export type DropStages = {
  readonly type: 'drop-stages';
  readonly session: string;
  readonly stages: readonly string[];
};

export type Deliver = {
  readonly type: 'deliver';
  readonly session: string;
  readonly counter: number;
  readonly content: DeliverContent;
  readonly recipients: readonly DeliverRecipient[];
  readonly now: number;
};
/**
 * The hash was computed here over these octets; for a stage over those of that body, which can only grow. `structure`: what
 * mime/ makes of them, if it was made already.
 */
export type DeliverContent = { readonly structure?: Uint8Array } & (
  | { readonly kind: 'inline'; readonly bytes: Uint8Array; readonly sha256: string }
  | {
      readonly kind: 'staged';
      readonly stage: string;
      readonly body: number;
      readonly sizeOctets: number;
      readonly sha256: string;
    }
);

export type Quit = {
  readonly type: 'quit';
  readonly session: string;
  readonly counter: number;
  readonly lock: number;
  readonly uids: readonly number[];
  readonly now: number;
};
export type Close = { readonly type: 'close'; readonly session: string; readonly now: number };
/** Ends those of these sessions that still belong to that front, which is gone. */
export type Sweep = {
  readonly type: 'sweep';
  readonly sessions: readonly { readonly session: string; readonly front: Front }[];
  readonly now: number;
};
export type BeginEpoch = { readonly type: 'begin-epoch' };
/** Removes at most so many chunks of bodies that nothing names. */
export type Collect = { readonly type: 'collect'; readonly mostChunks: number };
/** Forgets at most so many ended sessions whose time has come. */
export type Forget = { readonly type: 'forget'; readonly now: number; readonly most: number };
/** One change to an account's mailboxes; see requests.ts. */
export type ChangeMailboxes = {
  readonly type: 'change-mailboxes';
  readonly account: string;
  readonly withInbox: boolean;
  readonly edit: MailboxEdit;
  readonly now: number;
  /** Only while this session lives: what it needed is not made for an account that was dropped meanwhile. Else `no-such-mailbox`. */
  readonly session?: string;
};
/** Removes at most so many messages of a mailbox that was deleted, and with the last of them the mailbox. */
export type Clear = {
  readonly type: 'clear';
  readonly account: string;
  readonly mailbox: number;
  readonly most: number;
};
/** Removes an account's mail, at most so many messages and the like at once; 0: only if it has none, and no mailbox but INBOX. */
export type DropAccount = {
  readonly type: 'drop-account';
  readonly account: string;
  /** The account's own that were found, beside the holder of its lock; those that ended meanwhile are passed over. */
  readonly sessions?: readonly string[];
  readonly most: number;
  readonly now: number;
};

/** Changes flags of messages that the session's account may change (RFC 9051 §6.4.6, RFC 7162 §3.1.3, RFC 4314 §4). */
export type StoreFlags = {
  readonly type: 'store-flags';
  readonly session: string;
  readonly counter: number;
  readonly ref: MailboxRef;
  /** At most MOST_STORED_AT_ONCE of them. */
  readonly uids: UidRanges;
  readonly mode: 'add' | 'remove' | 'replace';
  /** Bits of store/flags.ts. */
  readonly flags: number;
  readonly keywords: readonly string[];
  /** Messages whose mod-sequence is above it are left alone. */
  readonly unchangedSince?: number;
};
/**
 * What is stored for each counter, so it is small: `changed` by what the messages have now (a UID is in one group), `same`
 * for those that had it all before and keep their mod-sequences, `modified` for those left alone.
 */
export type FlagsStored = {
  /** Of all that changed; of the mailbox when nothing did. */
  readonly modSeq: number;
  readonly changed: readonly StoredFlags[];
  /** All that any of `changed` has, which name them by their places here: they are long, and the same in many. */
  readonly keywords: readonly string[];
  readonly same: UidRanges;
  readonly modified: UidRanges;
};

export type StoredFlags = {
  readonly uids: UidRanges;
  /** Bits of store/flags.ts. */
  readonly flags: number;
  /** Places in `FlagsStored.keywords`, those of keywords in their order; absent: none. */
  readonly keywords?: readonly number[];
};

/** Removes messages with \Deleted, of these UIDs or of all, at most MOST_EXPUNGED_AT_ONCE (RFC 9051 §6.4.3, §6.4.9). */
export type Expunge = {
  readonly type: 'expunge';
  readonly session: string;
  readonly counter: number;
  readonly ref: MailboxRef;
  readonly uids: UidRanges | null;
};
/** `more`: there are more of them; ask again, under the next counter. */
export type MessagesExpunged = { readonly modSeq: number; readonly uids: UidRanges; readonly more: boolean };

/** What the account that gets messages may hold and take; absent or 0: any. */
export type Limits = {
  readonly quotaOctets?: number;
  readonly quotaMessages?: number;
  /** The largest message. */
  readonly sizeLimitOctets?: number;
};
/** Messages into one mailbox, all or none (RFC 9051 §6.3.12, RFC 3502 §3). */
export type Append = Limits & {
  readonly type: 'append';
  readonly session: string;
  readonly counter: number;
  readonly account: string;
  /** Has that account an INBOX, which comes into being when it is needed? */
  readonly withInbox: boolean;
  readonly name: string;
  /** At least one, at most MOST_APPENDED_AT_ONCE; each staged body once. */
  readonly messages: readonly {
    readonly content: DeliverContent;
    readonly flags: number;
    readonly keywords: readonly string[];
    /** Milliseconds since 1970. */
    readonly internalDate: number;
  }[];
  readonly now: number;
};
/** The messages have these UIDs, in their order. */
export type MessagesAppended = {
  readonly mailbox: number;
  readonly uidValidity: number;
  readonly modSeq: number;
  readonly uids: UidRanges;
};

/** COPY or MOVE within the mailHost, all or none of what is there (RFC 9051 §6.4.7, §6.4.8). */
export type Copy = Limits & {
  readonly type: 'copy';
  readonly session: string;
  readonly counter: number;
  readonly from: MailboxRef;
  /** At most MOST_COPIED_AT_ONCE. */
  readonly uids: UidRanges;
  /** So many of them must be there; absent: what is not there is passed over. */
  readonly least?: number;
  readonly to: { readonly account: string; readonly withInbox: boolean; readonly name: string };
  readonly move: boolean;
  readonly now: number;
};
export type MessagesCopied = {
  /** Of the destination. */
  readonly mailbox: number;
  readonly uidValidity: number;
  readonly modSeq: number;
  /** The nth UID of the one became the nth of the other; both empty when nothing was there. */
  readonly source: UidRanges;
  readonly destination: UidRanges;
  /** Of a move: the source's, at which they vanished from it. */
  readonly expunged?: number;
};

/** One change to mailboxes, subscriptions, rights or annotations, by the rights of the session's account. */
export type EditMailboxes = {
  readonly type: 'edit-mailboxes';
  readonly session: string;
  readonly counter: number;
  readonly account: string;
  readonly withInbox: boolean;
  readonly edit: SessionEdit;
  readonly now: number;
};
/** `going` as in change-mailboxes; `created`: the mailbox that `create` made. */
export type MailboxesEdited = {
  readonly going: number | null;
  readonly created?: { readonly mailbox: number; readonly uidValidity: number };
};

/** What is in the mailbox now is shown as recent to the session that asks, and to no other after it. */
export type ShowRecent = {
  readonly type: 'show-recent';
  readonly ref: MailboxRef;
  /** Only messages below this UID. */
  readonly upTo?: number;
};
/** Messages from `recentFrom` on were shown to nobody before; those from `upTo` on still are not. */
export type RecentAnswer = { readonly recentFrom: number; readonly upTo: number };

/** Keeps what mime/ made of bodies that are here. */
export type KeepStructures = {
  readonly type: 'keep-structures';
  readonly structures: readonly { readonly sha256: string; readonly structure: Uint8Array }[];
};

/** Is there more of the same to do? */
export type More = { readonly more: boolean };

export type OwnerOperation =
  | Open
  | Stage
  | DropStages
  | Deliver
  | Quit
  | Close
  | Sweep
  | BeginEpoch
  | Collect
  | Forget
  | ChangeMailboxes
  | Clear
  | DropAccount
  | StoreFlags
  | Expunge
  | Append
  | Copy
  | EditMailboxes
  | ShowRecent
  | KeepStructures;

type NumberedRefusal = 'unknown-handle' | 'stale' | 'no-such-mailbox' | 'no-permission';

export type Answers = {
  readonly open: Result<OpenedSession, 'in-use' | 'session-ended' | 'ticket-refused'>;
  readonly stage: Result<null, 'unknown-handle' | 'unavailable' | 'over-quota'>;
  readonly 'drop-stages': Result<null, never>;
  readonly deliver: Result<Delivered, 'unknown-handle' | 'stale' | 'stage-missing'>;
  readonly quit: Result<null, 'unknown-handle' | 'stale' | 'lock-lost'>;
  readonly close: Result<null, never>;
  readonly sweep: Result<readonly string[], never>;
  readonly 'begin-epoch': Result<null, never>;
  readonly collect: Result<More, never>;
  readonly forget: Result<More, never>;
  /** `going`: the number of a deleted mailbox that has more messages than one step removes; the rest is for `clear`. */
  readonly 'change-mailboxes': Result<{ readonly going: number | null }, MailboxRefusal>;
  readonly clear: Result<More, never>;
  readonly 'drop-account': Result<More & { readonly ended: readonly string[] }, never>;
  readonly 'store-flags': Result<FlagsStored, NumberedRefusal | 'too-many-keywords'>;
  readonly expunge: Result<MessagesExpunged, NumberedRefusal>;
  readonly append: Result<MessagesAppended, NumberedRefusal | 'over-quota' | 'too-large' | 'stage-missing'>;
  /** `no-such-mailbox`: the source; the destination is `no-such-destination`. */
  readonly copy: Result<MessagesCopied, NumberedRefusal | 'no-such-destination' | 'gone' | 'over-quota' | 'too-large'>;
  readonly 'edit-mailboxes': Result<MailboxesEdited, NumberedRefusal | SessionEditRefusal>;
  readonly 'show-recent': Result<RecentAnswer, 'no-such-mailbox'>;
  readonly 'keep-structures': Result<null, never>;
};
export type Answer<O extends OwnerOperation> = Answers[O['type']];

/** About what the operation holds in memory while it waits, in octets. */
export function operationOctets(operation: OwnerOperation): number {
  switch (operation.type) {
    case 'stage':
      return 500 + operation.bytes.length;
    case 'deliver':
      return operation.recipients.reduce(
        (sum, { trace }) => sum + 200 + trace.length,
        500 + contentOctets(operation.content),
      );
    case 'append':
      return operation.messages.reduce((sum, { content }) => sum + 300 + contentOctets(content), 500);
    case 'keep-structures':
      return operation.structures.reduce((sum, { structure }) => sum + 200 + structure.length, 500);
    case 'quit':
      return 500 + 8 * operation.uids.length;
    case 'store-flags':
    case 'copy':
      return 1_000 + 16 * operation.uids.length;
    case 'expunge':
      return 500 + 16 * (operation.uids?.length ?? 0);
    default:
      return 500;
  }
}

const contentOctets = (content: DeliverContent): number =>
  (content.kind === 'inline' ? content.bytes.length : 0) + (content.structure?.length ?? 0);

/**
 * Does it give room back, or is it needed for that and takes little? Such an operation is tried without the mail of its
 * batch when that found the disk full: the store keeps a reserve for it (store/reserve.ts).
 */
export function needsLittle(operation: OwnerOperation): boolean {
  switch (operation.type) {
    case 'store-flags':
      return operation.mode === 'remove' || operation.keywords.length === 0;
    case 'change-mailboxes':
    case 'edit-mailboxes':
      return removes(operation.edit);
    default:
      return !TAKES_ROOM.includes(operation.type);
  }
}

function removes(edit: ChangeMailboxes['edit'] | SessionEdit): boolean {
  switch (edit.type) {
    case 'create':
      return edit.name === INBOX; // an account's own, which comes into being when it is first looked for
    case 'delete':
    case 'unsubscribe':
    case 'delete-rights':
      return true;
    case 'set-annotations':
      return edit.annotations.every(({ value }) => value === null);
    case 'set-special-use':
      return edit.specialUse === null;
    default:
      return false;
  }
}

const TAKES_ROOM: readonly OwnerOperation['type'][] = ['deliver', 'stage', 'append', 'copy', 'keep-structures'];
