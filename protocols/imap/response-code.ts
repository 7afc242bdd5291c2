/**
 * Response codes, what stands in brackets before a status response's text: RFC 9051 §7.1, RFC 3501 §7.1, RFC 5530 §3,
 * with the extensions named at each. Types only.
 */
import type { NumberSet } from './response.ts';

/** Those that say all by their name. */
export type BareCode =
  | 'ALERT'
  | 'ALREADYEXISTS' // RFC 5530 §3, as are those without another source
  | 'AUTHENTICATIONFAILED'
  | 'AUTHORIZATIONFAILED'
  | 'CANNOT'
  | 'CLIENTBUG'
  | 'CLOSED' // RFC 7162 §3.2.11
  | 'COMPRESSIONACTIVE' // RFC 4978 §3
  | 'CONTACTADMIN'
  | 'CORRUPTION'
  | 'EXPIRED'
  | 'EXPUNGEISSUED'
  | 'HASCHILDREN' // RFC 9051 §7.1
  | 'INUSE'
  | 'LIMIT'
  | 'NOMODSEQ' // RFC 7162 §3.1.2.2
  | 'NONEXISTENT'
  | 'NOPERM'
  | 'NOTSAVED' // RFC 5182 §2.1
  | 'OVERQUOTA' // RFC 9208 §4.3
  | 'PARSE'
  | 'PRIVACYREQUIRED'
  | 'READ-ONLY'
  | 'READ-WRITE'
  | 'SERVERBUG'
  | 'TOOBIG' // RFC 7889 §4
  | 'TRYCREATE'
  | 'UIDNOTSTICKY' // RFC 4315 §3
  | 'UNAVAILABLE'
  | 'UNKNOWN-CTE' // RFC 3516 §4.3
  | 'USEATTR'; // RFC 6154 §3

export type ResponseCode =
  | BareCode
  /** RFC 4315 §3; several UIDs after MULTIAPPEND only (§4). */
  | { readonly code: 'APPENDUID'; readonly uidValidity: number; readonly uids: NumberSet }
  /** RFC 4315 §3: both sets in the same order, never empty. `uidValidity` is that of the mailbox copied to. */
  | {
      readonly code: 'COPYUID';
      readonly uidValidity: number;
      readonly sourceUids: NumberSet;
      readonly destinationUids: NumberSet;
    }
  /** Empty: those known are not told. */
  | { readonly code: 'BADCHARSET'; readonly charsets: readonly string[] }
  | { readonly code: 'CAPABILITY'; readonly capabilities: readonly string[] }
  | { readonly code: 'HIGHESTMODSEQ'; readonly modSeq: number } // RFC 7162 §3.1.2.1
  | { readonly code: 'MAILBOXID'; readonly mailboxId: string } // RFC 8474 §4.1
  /** RFC 5464 §4.2.1 and §4.3. `longentries` and `maxsize` in octets. */
  | { readonly code: 'METADATA'; readonly longentries: number }
  | { readonly code: 'METADATA'; readonly maxsize: number }
  | { readonly code: 'METADATA'; readonly reason: 'TOOMANY' | 'NOPRIVATE' }
  /** RFC 7162 §3.1.3: message numbers, or UIDs after UID STORE. */
  | { readonly code: 'MODIFIED'; readonly messages: NumberSet }
  /** `\*` among them: new keywords can be made. */
  | { readonly code: 'PERMANENTFLAGS'; readonly flags: readonly string[] }
  | { readonly code: 'UIDNEXT'; readonly uidNext: number }
  | { readonly code: 'UIDVALIDITY'; readonly uidValidity: number }
  /** RFC 3501 §7.1: the message number of the first without \Seen. */
  | { readonly code: 'UNSEEN'; readonly sequence: number };
