/**
 * What a session of purpose `mailboxes` asks of mailboxes as such, by name: which there are, what is in them, who may what,
 * and what it changes. Of a mailHost's owner on `mail.<mailHost>.<op>`, as requests.ts says; message-requests.ts holds
 * what is asked of one mailbox's messages.
 *
 * Each request is decided by the rights of the session's account (RFC 4314 §4), looked up when it is asked: what was taken
 * away meanwhile is refused at the next one. A mailbox that the account may not know of is `no-such-mailbox`.
 */
import type { Result } from '../../kernel/result.ts';
import type { UidBlock } from '../../store/uid-bits.ts';
import type { CommonRefusal, Grant, MailboxRefusal } from './requests.ts';

/** A mailbox as it was found by its name: one that was deleted, or made anew under that name, is another one. */
export type MailboxRef = {
  /** Whose it is, `Account.id`: the session's own or another's. */
  readonly account: string;
  readonly mailbox: number;
  readonly uidValidity: number;
};

/** Which UIDs are there (store/uid-bits.ts): blocks ascending, without empty ones; `more`: `present` gives those behind the last. */
export type UidBlocks = { readonly blocks: readonly UidBlock[]; readonly more: boolean };

/**
 * `limit` in all pages is a wish: at least one entry is given if there is one, and no more than fit an answer. Where an
 * answer says `more`, that alone tells whether the page was the last.
 */
export type Page<Entry> = { readonly entries: readonly Entry[]; readonly more: boolean };

/** Ascending by the octets of their names: mailboxes on which the account has the right `l`. */
export type ListMailboxesRequest = {
  readonly handle: string;
  readonly account: string;
  readonly after?: string;
  readonly limit: number;
};
export type ListedMailbox = {
  /** As it is kept (mailbox-name.ts): UTF-8, levels parted by `/`. */
  readonly name: string;
  /** Grows with each mailbox of the account and is never given again (RFC 8474 §5.1 MAILBOXID). */
  readonly mailbox: number;
  readonly uidValidity: number;
  /** The session's account's own, in the order of store/rights.ts (RFC 4314 §3.5 MYRIGHTS). */
  readonly rights: string;
  /** Such as `\Sent` (RFC 6154 §2); of several, parted by spaces. */
  readonly specialUse?: string;
  /** Only with the right `r` (RFC 4314 §4: STATUS). */
  readonly status?: MailboxStatus;
};
export type MailboxStatus = {
  readonly uidNext: number;
  /** RFC 7162 §3.1.2.1 HIGHESTMODSEQ. */
  readonly modSeq: number;
  readonly messages: number;
  readonly unseen: number;
  /** Messages with \Deleted, and their octets (RFC 9208 §4.1.4 DELETED, DELETED-STORAGE). */
  readonly deleted: number;
  readonly deletedOctets: number;
  readonly octets: number;
  /** Messages that no session was shown as recent yet (RFC 3501 §2.3.2). */
  readonly recent: number;
};
/** `next`: the `after` of the next page; null: there is none. A page may be empty and not the last. */
export type MailboxPage = { readonly entries: readonly ListedMailbox[]; readonly next: string | null };
export type ListMailboxesAnswer = Result<MailboxPage, CommonRefusal>;

/** One, by its name; `no-such-mailbox` also when the account has none of the rights `lrikxa` on it (RFC 4314 §4). */
export type MailboxNamedRequest = { readonly handle: string; readonly account: string; readonly name: string };
export type MailboxNamedAnswer = Result<ListedMailbox, CommonRefusal | 'no-such-mailbox'>;

/** Other accounts of this mailHost that have a mailbox on which the session's account has the right `l`. */
export type SharingAccountsRequest = { readonly handle: string; readonly after?: string; readonly limit: number };
/** `after` of the next page is `next`, which means nothing to the asker; null: there is none. A page may be empty and not the last. */
export type SharingAccounts = { readonly accounts: readonly string[]; readonly next: string | null };
export type SharingAccountsAnswer = Result<SharingAccounts, CommonRefusal>;

/** The session's account's own, ascending by the octets of their names: names as they were subscribed, there or not. */
export type SubscriptionsRequest = { readonly handle: string; readonly after?: string; readonly limit: number };
export type SubscriptionsAnswer = Result<Page<string>, CommonRefusal>;

/** The whole list of a mailbox; needs the right `a` (RFC 4314 §4 GETACL). */
export type RightsOnRequest = { readonly handle: string; readonly account: string; readonly name: string };
export type RightsOnAnswer = Result<readonly Grant[], CommonRefusal | 'no-such-mailbox' | 'no-permission'>;

/**
 * A mailbox's annotations, or with the name null the server's: the shared ones and the session's account's own, ascending
 * by entry. Of a mailbox with the right `l` and one of `rswipt` or the like (RFC 5464 §3.3).
 */
export type AnnotationsRequest = {
  readonly handle: string;
  readonly account: string;
  readonly name: string | null;
  readonly after?: { readonly entry: string; readonly isPrivate: boolean };
  readonly limit: number;
};
/** `entry` without `/private` or `/shared` before it, beginning with `/`, in lower case. */
export type Annotation = { readonly entry: string; readonly isPrivate: boolean; readonly value: Uint8Array };
export type AnnotationsAnswer = Result<Page<Annotation>, CommonRefusal | 'no-such-mailbox' | 'no-permission'>;

/**
 * A mailbox to work in; needs the right `r` (RFC 4314 §4). The account's own INBOX is made if it is not there yet.
 * `write`: what is recent now is shown to this session, and to no other after it (RFC 3501 §2.3.2); that is noted as well
 * as may be, and never refused for the disk's sake.
 */
export type SelectRequest = {
  readonly handle: string;
  readonly account: string;
  readonly name: string;
  readonly write: boolean;
};
export type Selected = {
  readonly ref: MailboxRef;
  /** As it is kept. */
  readonly name: string;
  readonly uidNext: number;
  readonly modSeq: number;
  readonly messages: number;
  readonly present: UidBlocks;
  /** The lowest UID without \Seen (RFC 3501 §6.3.1 UNSEEN). */
  readonly firstUnseen: number | null;
  readonly unseen: number;
  /** Those that messages here have or had, as first spelt. */
  readonly keywords: readonly string[];
  readonly specialUse?: string;
  readonly rights: string;
  /** Messages with this UID and above are recent to the session. */
  readonly recentFrom: number;
  /** Of those, messages below this UID are noted as shown: one that came since may be recent to another session too. */
  readonly recentUpTo: number;
  /** Of what vanished up to this mod-sequence nothing is remembered. */
  readonly vanishedFrom: number;
};
export type SelectAnswer = Result<Selected, CommonRefusal | 'no-such-mailbox' | 'no-permission'>;

/**
 * The session was told of messages as recent that came while it had the mailbox open: those below this UID are to be recent to
 * no session after it. As well as may be, as with `write`.
 */
export type ShowRecentRequest = { readonly handle: string; readonly ref: MailboxRef; readonly upTo: number };
export type ShowRecentAnswer = Result<null, CommonRefusal | 'no-such-mailbox' | 'no-permission'>;

/** Of a mailbox whose list of UIDs did not fit the answer that began it: the blocks above this one. */
export type PresentRequest = { readonly handle: string; readonly ref: MailboxRef; readonly afterBlock: number };
export type PresentAnswer = Result<UidBlocks, CommonRefusal | 'no-such-mailbox' | 'no-permission'>;

/** A numbered request: the same counter again gets the same answer. */
export type EditMailboxesRequest = {
  readonly handle: string;
  readonly counter: number;
  readonly account: string;
  /** Has that account an INBOX, which comes into being when it is needed? Else there is none, nor anything below it. */
  readonly withInbox: boolean;
  readonly edit: SessionEdit;
};
/** As `MailboxEdit` (requests.ts) where it has the same name; each with the rights of the session's account. */
export type SessionEdit =
  | { readonly type: 'create'; readonly name: string; readonly specialUse?: string }
  | { readonly type: 'delete'; readonly name: string }
  /** INBOX too: its messages move to the new mailbox, and it stays (RFC 9051 §6.3.6). */
  | { readonly type: 'rename'; readonly name: string; readonly to: string }
  /** `account` is the session's own; the name need not be one of a mailbox (RFC 9051 §6.3.7). */
  | { readonly type: 'subscribe'; readonly name: string }
  | { readonly type: 'unsubscribe'; readonly name: string }
  | { readonly type: 'set-rights'; readonly name: string; readonly identifier: string; readonly rights: string }
  | { readonly type: 'delete-rights'; readonly name: string; readonly identifier: string }
  /** `name` null: the server's. A value of null removes (RFC 5464 §4.3). */
  | { readonly type: 'set-annotations'; readonly name: string | null; readonly annotations: readonly AnnotationEdit[] }
  /** null: it has none any more. */
  | { readonly type: 'set-special-use'; readonly name: string; readonly specialUse: string | null };
export type AnnotationEdit = {
  readonly entry: string;
  readonly isPrivate: boolean;
  readonly value: Uint8Array | null;
};
export type SessionEditRefusal = MailboxRefusal | 'no-permission' | 'bad-special-use' | 'too-large';
/** `created`: what `create` made. */
export type MailboxEdited = { readonly created?: { readonly mailbox: number; readonly uidValidity: number } };
export type EditMailboxesAnswer = Result<MailboxEdited, CommonRefusal | 'stale' | 'full' | SessionEditRefusal>;
