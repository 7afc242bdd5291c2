/**
 * What is searched and sorted by at the owner (RFC 9051 §6.4.4, RFC 5256): programs as plain data, with all that only a
 * front knows put in already: sequence numbers and saved results as UIDs, \Recent as UIDs, days and ages as moments, text
 * as Unicode. On `mail.<mailHost>.<op>`; rights and refusals as message-requests.ts says.
 */
import type { Result } from '../../kernel/result.ts';
import type { SortKeys } from '../../mime/sort-keys.ts';
import type { UidRanges } from '../../store/uid-ranges.ts';
import type { MailboxRef } from './mailbox-requests.ts';
import type { ReadRefusal } from './message-requests.ts';

/** Depth and number of keys of one program. */
export const MOST_SEARCH_DEPTH = 100;
export const MOST_SEARCH_KEYS = 2_000;

export type SearchProgram =
  /** All of them; with no keys every message. */
  | { readonly type: 'and'; readonly keys: readonly SearchProgram[] }
  /** Any of them; with no keys none. */
  | { readonly type: 'or'; readonly keys: readonly SearchProgram[] }
  | { readonly type: 'not'; readonly key: SearchProgram }
  | { readonly type: 'uids'; readonly uids: UidRanges }
  /** One bit of store/flags.ts. */
  | { readonly type: 'flag'; readonly flag: number }
  /** In any case. */
  | { readonly type: 'keyword'; readonly keyword: string }
  /** More octets than `above`, fewer than `below`. */
  | { readonly type: 'size'; readonly above?: number; readonly below?: number }
  /**
   * Not before `from`, and before `before`, in milliseconds since 1970. `sent` is the day that the Date field shows, as if
   * it were midnight UTC, whatever its time and zone (RFC 9051 §6.4.4 SENTON); without such a field it never matches.
   */
  | {
      readonly type: 'date';
      readonly of: 'internal' | 'saved' | 'sent';
      readonly from?: number;
      readonly before?: number;
    }
  /** This mod-sequence or a higher one (RFC 7162 §3.1.5). */
  | { readonly type: 'mod-seq'; readonly from: number }
  /** As a message's row has them (message-requests.ts). */
  | { readonly type: 'email-id'; readonly emailId: number; readonly emailOf?: string }
  /** A field of that name contains the text; the empty text: there is such a field. */
  | { readonly type: 'header'; readonly field: string; readonly text: string }
  /** The body contains it, decoded. */
  | { readonly type: 'body'; readonly text: string }
  /** The header or the body contains it. */
  | { readonly type: 'text'; readonly text: string };

/**
 * Those messages with a UID above `afterUid` that match. No request works for long: where `upTo` is a UID, the answer is
 * about those up to it, and the next request goes on after it.
 */
export type SearchRequest = {
  readonly handle: string;
  readonly ref: MailboxRef;
  readonly program: SearchProgram;
  readonly afterUid: number;
};
export type Found = {
  readonly uids: UidRanges;
  /** The largest mod-sequence of these, where the program has the key `mod-seq` and any matched (RFC 7162 §3.1.5). */
  readonly modSeq?: number;
  /** null: all were looked at. */
  readonly upTo: number | null;
};
export type SearchAnswer = Result<Found, ReadRefusal | 'bad-program'>;

/**
 * What to sort and thread by, of those of the UIDs that are there, ascending; where `more`, go on from the UID after the
 * last entry (RFC 5256 §3, RFC 5957 §3).
 */
export type SortKeysRequest = {
  readonly handle: string;
  readonly ref: MailboxRef;
  readonly uids: UidRanges;
  /** None: arrival and size alone, for which no message is looked into. */
  readonly keys: readonly (keyof SortKeys)[];
};
export const SORT_KEYS: readonly (keyof SortKeys)[] = [
  'cc',
  'from',
  'to',
  'displayFrom',
  'displayTo',
  'baseSubject',
  'isReplyOrForward',
  'sent',
  'messageId',
  'references',
  'inReplyTo',
];
export type SortEntry = {
  readonly uid: number;
  /** The internal date, milliseconds since 1970. */
  readonly arrivalMs: number;
  readonly sizeOctets: number;
  /** Those asked for, as far as the message has them. */
  readonly keys: Partial<SortKeys>;
};
export type SortKeysAnswer = Result<{ readonly entries: readonly SortEntry[]; readonly more: boolean }, ReadRefusal>;
