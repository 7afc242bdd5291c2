/**
 * How a session of purpose `mailboxes` changes messages, on `mail.<mailHost>.<op>`: numbered requests, each done once under
 * its counter (docs/architecture.md, "The bus"). What is answered is stored with its effect, so it is small, and as the
 * operation itself answers (operation.ts).
 */
import type { Result } from '../../kernel/result.ts';
import type { UidRanges } from '../../store/uid-ranges.ts';
import type { MailboxRef } from './mailbox-requests.ts';
import type { FlagsStored, Limits, MessagesAppended, MessagesCopied, MessagesExpunged } from './operation.ts';
import type { CommonRefusal, Content } from './requests.ts';

type Numbered = { readonly handle: string; readonly counter: number };
export type NumberedRefusal = CommonRefusal | 'stale' | 'full' | 'no-such-mailbox' | 'no-permission';

/**
 * STORE (RFC 9051 §6.4.6, RFC 7162 §3.1.3), of at most MOST_STORED_AT_ONCE messages. Flags for which the right is missing
 * are left alone (RFC 4314 §4).
 */
export type StoreFlagsRequest = Numbered & {
  readonly ref: MailboxRef;
  readonly uids: UidRanges;
  readonly mode: 'add' | 'remove' | 'replace';
  /** Bits of store/flags.ts. */
  readonly flags: number;
  readonly keywords: readonly string[];
  /** Messages whose mod-sequence is above it are left alone. */
  readonly unchangedSince?: number;
};
export type StoreFlagsAnswer = Result<FlagsStored, NumberedRefusal | 'too-many-keywords'>;

/** EXPUNGE and UID EXPUNGE: those with \Deleted, of these UIDs; null: of all (RFC 9051 §6.4.3, §6.4.9). */
export type ExpungeRequest = Numbered & { readonly ref: MailboxRef; readonly uids: UidRanges | null };
export type ExpungeAnswer = Result<MessagesExpunged, NumberedRefusal>;

/** APPEND, of several all or none (RFC 3502 §3). Contents as in `deliver`, those staged under different names. */
export type AppendRequest = Numbered &
  Limits & {
    readonly account: string;
    /** Has that account an INBOX, which comes into being when it is needed? */
    readonly withInbox: boolean;
    readonly name: string;
    /** At least one, at most MOST_APPENDED_AT_ONCE; contents that are not staged fit one request. */
    readonly messages: readonly AppendedMessage[];
  };
export type AppendedMessage = {
  readonly content: Content;
  readonly flags: number;
  readonly keywords: readonly string[];
  /** Milliseconds since 1970. */
  readonly internalDate: number;
};
export type AppendAnswer = Result<
  MessagesAppended,
  NumberedRefusal | 'over-quota' | 'too-large' | 'stage-missing' | 'too-many-keywords'
>;

/**
 * COPY and MOVE within the mailHost, of at most MOST_COPIED_AT_ONCE messages; UIDs that are not there are passed over
 * (RFC 9051 §6.4.7, §6.4.8). All or none.
 */
export type CopyRequest = Numbered &
  Limits & {
    readonly from: MailboxRef;
    readonly uids: UidRanges;
    /** So many of them must be there, or it is refused as `gone`; absent: what is not there is passed over. */
    readonly least?: number;
    readonly to: { readonly account: string; readonly withInbox: boolean; readonly name: string };
    readonly move: boolean;
  };
export type CopyAnswer = Result<
  MessagesCopied,
  NumberedRefusal | 'no-such-destination' | 'gone' | 'over-quota' | 'too-large' | 'too-many-keywords'
>;
