/**
 * What is asked of a mailHost's owner on `mail.<mailHost>.<op>`, and what it answers. Plain data; knows no protocol.
 *
 * A session begins at `open` and ends by `quit` or `close`, or with the front that holds it. `deliver` and `quit` are
 * numbered by the session's counter: the same number again gets the stored answer, a lower one is refused as `stale`.
 * `stage` is idempotent by its offset; the rest only reads. `not-owner` and `unknown-handle` ask the front to look the
 * owner up, or to open the session, again.
 */
import type { Result } from '../../kernel/result.ts';
import type { Edits, Reads } from './session-requests.ts';

export type Operation =
  | 'open'
  | 'list'
  | 'fetch'
  | 'body'
  | 'stage'
  | 'deliver'
  | 'quit'
  | 'close'
  | 'may-post'
  | 'usage'
  | 'mailboxes'
  | 'change-mailboxes'
  | 'drop-account'
  | 'vacate'
  | keyof Reads
  | keyof Edits
  | 'octet-stream';

/** Said by any operation but `open`. `full`: the disk or the map has no room; temporary. */
export type CommonRefusal = 'not-owner' | 'unknown-handle' | 'unavailable';

export type OpenRequest = {
  /** Unique for ever; asking again with the same one resumes the session, under a new handle. */
  readonly session: string;
  readonly front: { readonly me: string; readonly startId: string };
  readonly ticket: string;
  /**
   * `maildrop` locks the account's INBOX against other POP3 sessions (RFC 1939 §4); `delivery` may deliver to any account;
   * `mailboxes` locks nothing, and may do what the account's rights allow, in all mailboxes of the mailHost.
   */
  readonly purpose: 'maildrop' | 'delivery' | 'mailboxes';
  /** `maildrop`: refused as `too-soon` when another session opened it less than so long ago; absent or 0: never. */
  readonly leastIntervalMs?: number;
};
export type Opened = {
  /** Stands for the session in what it asks next; known to this owner's incarnation only. */
  readonly handle: string;
  readonly epoch: number;
  /** The largest counter of this session that the owner has answered; 0 in a new session. */
  readonly counter: number;
  readonly maildrop?: Maildrop;
};
/** INBOX as it stood when first opened: messages with a UID of `uidNext` or more came later and are not shown. */
export type Maildrop = {
  readonly lock: number;
  readonly uidValidity: number;
  readonly uidNext: number;
};
export type OpenRefusal =
  | 'not-owner'
  | 'unavailable'
  | 'ticket-refused'
  | 'in-use'
  | 'too-soon'
  | 'session-ended'
  | 'full';

/** Pages through the maildrop, ascending by UID; a page shorter than `limit` is the last, if that is 1000 or less. */
export type ListRequest = { readonly handle: string; readonly afterUid: number; readonly limit: number };
export type ListEntry = { readonly uid: number; readonly sizeOctets: number };
export type ListAnswer = Result<readonly ListEntry[], CommonRefusal>;

/** The message's octets from `offset`: the first chunk in the answer, the rest (if `sizeOctets` is larger) by the stream `body`. */
export type FetchRequest = { readonly handle: string; readonly uid: number; readonly offset: number };
export type Fetched = { readonly sizeOctets: number; readonly chunk: Uint8Array };
export type FetchAnswer = Result<Fetched, CommonRefusal | 'gone'>;
/** Request of the stream `body`; any refusal breaks the stream, `fetch` at that offset then tells which. */
export type BodyRequest = FetchRequest;

/** Puts a part of a large body aside until `deliver` names it; each part is durable when answered. */
export type StageRequest = {
  readonly handle: string;
  /** Names the body within the session. */
  readonly stage: string;
  /** 0, 1, 2, ...: all parts but the last are CHUNK_OCTETS long (store/blob.ts). */
  readonly index: number;
  readonly bytes: Uint8Array;
  /** Whose mail it is to become, and how much of that there may be; absent: that is looked at when it is named. */
  readonly within?: StageLimit;
};
export type StageLimit = { readonly account: string; readonly quotaOctets: number };
/**
 * `unavailable` also while a part before this one is still on its way. `over-quota`: what the session has put aside by now
 * would not fit beside what the account has, or is more than any session may put aside.
 */
export type StageAnswer = Result<null, CommonRefusal | 'full' | 'over-quota'>;
/** Gives up bodies put aside; those that are not there are passed over. */
export type DropStagesRequest = { readonly handle: string; readonly stages: readonly string[] };
export type DropStagesAnswer = Result<null, CommonRefusal | 'full'>;

export type DeliverRequest = {
  readonly handle: string;
  readonly counter: number;
  readonly content: Content;
  readonly recipients: readonly DeliverRecipient[];
};
/** A body as stored: CRLF line ends, no trace lines. `sha256` in lower-case hex over its octets. */
export type Content =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array; readonly sha256: string }
  | { readonly kind: 'staged'; readonly stage: string; readonly sizeOctets: number; readonly sha256: string };
export type DeliverRecipient = {
  /** `Account.id`; so is every account that owners speak of. */
  readonly account: string;
  /** Header lines that this delivery prepends (Return-Path, Received), CRLF-ended; kept apart from the body. */
  readonly trace: Uint8Array;
  /** Milliseconds since the epoch (RFC 3501 §2.3.3), chosen by the front. */
  readonly internalDate: number;
  /** What the account may hold, trace lines counted; absent or 0: unlimited. */
  readonly quotaOctets?: number;
  readonly quotaMessages?: number;
  /** The largest message that the account takes, as it is stored, without trace lines; absent or 0: any. */
  readonly sizeLimitOctets?: number;
  /** Delivered whatever the quota says (requirement T-18); counted all the same. */
  readonly ignoresQuota?: boolean;
  /** The mailbox that the address named, as it stood there; where it is missing, or `anyone` may not post: INBOX. */
  readonly folder?: string;
  /** Then it is refused instead: shared mailboxes have no INBOX. */
  readonly mustExist?: boolean;
};
export type DeliverRefusal = 'over-quota' | 'too-large-for-user' | 'no-such-mailbox';
/** One answer a recipient, in order; the same mailbox named twice gets one copy and the same answer twice. */
export type Delivered = readonly Result<{ readonly uid: number; readonly sequence: number }, DeliverRefusal>[];
export type DeliverAnswer = Result<Delivered, CommonRefusal | 'stale' | 'full' | 'stage-missing'>;

/** Removes messages, unlocks the maildrop and ends the session, in one (RFC 1939 §6); all or nothing. */
export type QuitRequest = {
  readonly handle: string;
  readonly counter: number;
  readonly lock: number;
  readonly uids: readonly number[];
};
export type QuitAnswer = Result<null, CommonRefusal | 'stale' | 'full' | 'lock-lost'>;

/** Ends the session and removes nothing. */
export type CloseRequest = { readonly handle: string };
export type CloseAnswer = Result<null, CommonRefusal | 'full'>;

/**
 * May mail that names this mailbox be delivered into it, as things stand? `anyone` must have the right `p`. Only looks, so
 * that a recipient can be refused when it is named; a delivery asks again.
 */
export type MayPostRequest = { readonly account: string; readonly folder: string };
export type MayPostAnswer = Result<boolean, 'not-owner' | 'unavailable'>;

/** What an account has here; zeros for one that never got anything. */
export type UsageRequest = { readonly account: string };
export type Usage = { readonly octets: number; readonly messages: number };
export type UsageAnswer = Result<Usage, 'not-owner' | 'unavailable'>;

/** Pages through an account's mailboxes, ascending by the octets of their names; a page shorter than `limit` is the last. */
export type MailboxesRequest = {
  readonly account: string;
  readonly after?: string;
  readonly limit: number;
  /** Only the one of this very name, as it is kept; none, if it is not there. */
  readonly name?: string;
};
export type MailboxEntry = {
  readonly name: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly messages: number;
  readonly octets: number;
  readonly rights: readonly Grant[];
};
/** One entry of an access control list (RFC 4314 §2), `identifier` as store/rights.ts says. */
export type Grant = { readonly identifier: string; readonly rights: string };
export type MailboxesAnswer = Result<readonly MailboxEntry[], 'not-owner' | 'unavailable'>;

/** Asked by operators, once: repeated after a lost answer it may be refused for what it did itself. */
export type ChangeMailboxesRequest = {
  readonly account: string;
  /** Has the account an INBOX, which comes into being when it is needed? Else there is none, nor anything below it. */
  readonly withInbox: boolean;
  readonly edit: MailboxEdit;
};
export type MailboxEdit =
  /** With the superiors that it lacks (RFC 9051 §6.3.4). */
  | { readonly type: 'create'; readonly name: string }
  /** It is gone at once; its messages go in steps, if they are many. Its inferiors stay (RFC 9051 §6.3.5). */
  | { readonly type: 'delete'; readonly name: string }
  /** With its inferiors; the new name gets the superiors that it lacks (RFC 9051 §6.3.6). */
  | { readonly type: 'rename'; readonly name: string; readonly to: string }
  /** `+` or `-` before the rights adds or takes, else they replace; an identifier left with none is not listed (RFC 4314 §3.1). */
  | { readonly type: 'set-rights'; readonly name: string; readonly identifier: string; readonly rights: string };
export type MailboxRefusal =
  | 'bad-name'
  | 'exists'
  | 'no-such-mailbox'
  /** INBOX is always there, and under its name. */
  | 'is-inbox'
  /** A mailbox can't become its own inferior. */
  | 'below-itself'
  | 'too-many'
  | 'bad-rights';
export type ChangeMailboxesAnswer = Result<null, MailboxRefusal | 'not-owner' | 'unavailable' | 'full'>;

/** Removes all mail of an account that the directory no longer has, and ends its session. Asked of the owner by operators. */
export type DropAccountRequest = { readonly account: string };
export type DropAccountAnswer = Result<null, 'not-owner' | 'unavailable' | 'full'>;

/**
 * Forgets an account that has no mail and no mailbox but INBOX here, and ends its session; any other is left alone. Asked by
 * operators, once to look and once, as `moved`, after the directory gave it to another mailHost: then what was accepted before
 * is counted, and nothing is accepted after.
 */
export type VacateRequest = {
  readonly account: string;
  /** The directory gave it away already: `unavailable` until this owner knows, since till then it may take more mail. */
  readonly moved?: boolean;
};
/** `mailboxes`: those beside INBOX, and INBOX if rights were set on it. The account was forgotten if both are 0. */
export type Left = { readonly messages: number; readonly mailboxes: number };
export type VacateAnswer = Result<Left, 'not-owner' | 'unavailable' | 'full'>;

export type OpenAnswer = Result<Opened, OpenRefusal>;
