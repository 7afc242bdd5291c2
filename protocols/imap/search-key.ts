/**
 * What SEARCH, SORT and THREAD look for: RFC 9051 §6.4.4 and RFC 3501 §6.4.4, with the extensions named at each. Types only.
 */
import type { CalendarDate } from './date-time.ts';
import type { SequenceSet } from './sequence-set.ts';

export type SearchKey =
  | { readonly key: 'ALL' }
  /** RFC 3501 §6.4.4. */
  | { readonly key: 'NEW' | 'OLD' | 'RECENT' }
  /** SEEN, UNSEEN and the like. */
  | { readonly key: 'FLAG'; readonly flag: SystemFlag; readonly isSet: boolean }
  /** KEYWORD, UNKEYWORD; the flag as sent, compared without case. */
  | { readonly key: 'KEYWORD'; readonly flag: string; readonly isSet: boolean }
  /** All of them: a parenthesised list, or the keys of the whole command. One key alone comes as itself; never empty. */
  | { readonly key: 'AND'; readonly keys: readonly SearchKey[] }
  | { readonly key: 'OR'; readonly either: SearchKey; readonly or: SearchKey }
  | { readonly key: 'NOT'; readonly not: SearchKey }
  | { readonly key: 'SEQUENCE'; readonly set: SequenceSet }
  | { readonly key: 'UID'; readonly set: SequenceSet }
  | { readonly key: 'LARGER' | 'SMALLER'; readonly sizeOctets: number }
  | {
      readonly key:
        | 'BEFORE'
        | 'ON'
        | 'SINCE'
        | 'SENTBEFORE'
        | 'SENTON'
        | 'SENTSINCE'
        | 'SAVEDBEFORE' // RFC 8514 §4.3
        | 'SAVEDON'
        | 'SAVEDSINCE';
      readonly date: CalendarDate;
    }
  | { readonly key: 'SAVEDATESUPPORTED' } // RFC 8514 §4.3
  | { readonly key: 'OLDER' | 'YOUNGER'; readonly intervalSeconds: number } // RFC 5032 §3
  /** Octets in the charset of the command; empty matches every message that has the field. */
  | {
      readonly key: 'BCC' | 'BODY' | 'CC' | 'FROM' | 'SUBJECT' | 'TEXT' | 'TO';
      readonly octets: Uint8Array;
    }
  /** `field` as sent, in ASCII. */
  | { readonly key: 'HEADER'; readonly field: string; readonly octets: Uint8Array }
  /** RFC 7162 §3.1.5: that modseq or a later one; entry names are read past, as it asks of servers with one modseq for each message. */
  | { readonly key: 'MODSEQ'; readonly modSeq: number }
  | { readonly key: 'EMAILID' | 'THREADID'; readonly id: string }; // RFC 8474 §5.3

/** RFC 9051 §2.3.2. */
export type SystemFlag = '\\Answered' | '\\Deleted' | '\\Draft' | '\\Flagged' | '\\Seen';
