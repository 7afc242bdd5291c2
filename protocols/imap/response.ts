/**
 * IMAP responses before they are octets: RFC 9051 §7 and RFC 3501 §7, with the extensions named at each. Mailbox names are
 * Unicode here; what they look like on the wire is the encoder's. Types, and the shortest ways to make the common ones.
 */
import type { Fetch } from './fetch-response.ts';
import type { ResponseCode } from './response-code.ts';

export type Response =
  | Status
  /** `+ text`: the client may go on (RFC 9051 §7.6). */
  | { readonly type: 'continue'; readonly text: string }
  /** `+ ` and base64: a SASL challenge, which may be empty (RFC 9051 §6.2.2). */
  | { readonly type: 'challenge'; readonly octets: Uint8Array }
  | { readonly type: 'CAPABILITY'; readonly capabilities: readonly string[] }
  /** RFC 9051 §7.2.1. After IMAP4rev2 or UTF8=ACCEPT among them the encoder writes UTF-8. */
  | { readonly type: 'ENABLED'; readonly capabilities: readonly string[] }
  | List
  | { readonly type: 'STATUS'; readonly mailbox: string; readonly items: StatusItems }
  | { readonly type: 'FLAGS'; readonly flags: readonly string[] }
  | { readonly type: 'EXISTS'; readonly count: number }
  | { readonly type: 'RECENT'; readonly count: number } // RFC 3501 §7.3.2
  | { readonly type: 'EXPUNGE'; readonly sequence: number }
  /** RFC 7162 §3.2.10. Not empty. */
  | { readonly type: 'VANISHED'; readonly earlier: boolean; readonly uids: NumberSet }
  /** RFC 3501 §7.2.5, RFC 5256 §4; `modSeq` RFC 7162 §3.1.5, never told when nothing was found. */
  | { readonly type: 'SEARCH' | 'SORT'; readonly numbers: Iterable<number>; readonly modSeq?: number | undefined }
  | ExtendedSearch
  | { readonly type: 'THREAD'; readonly threads: Iterable<Thread> } // RFC 5256 §4
  | (Fetch & { readonly type: 'FETCH' })
  /** Many FETCH responses, written together. Iterated as fast as the client reads, and never to the end if it goes. */
  | { readonly type: 'fetches'; readonly items: Iterable<Fetch> }
  /**
   * Many responses, written together: also those with bodies, and the tagged one after them. What is asynchronous is pulled
   * as fast as the client reads; `fetches` in it, each of a page of messages, cost less than each FETCH alone.
   */
  | { readonly type: 'batch'; readonly responses: Iterable<Response> | AsyncIterable<Response> }
  /** RFC 2342 §5. null: there is none of this class. */
  | {
      readonly type: 'NAMESPACE';
      readonly personal: readonly Namespace[] | null;
      readonly otherUsers: readonly Namespace[] | null;
      readonly shared: readonly Namespace[] | null;
    }
  | { readonly type: 'ACL'; readonly mailbox: string; readonly entries: readonly AclEntry[] } // RFC 4314 §3.6
  /** RFC 4314 §3.7: `required` always granted together, each of `optional` tied rights. */
  | {
      readonly type: 'LISTRIGHTS';
      readonly mailbox: string;
      readonly identifier: string;
      readonly required: string;
      readonly optional: readonly string[];
    }
  | { readonly type: 'MYRIGHTS'; readonly mailbox: string; readonly rights: string } // RFC 4314 §3.8
  | { readonly type: 'QUOTA'; readonly root: string; readonly resources: readonly QuotaResource[] } // RFC 9208 §4.2.1
  | { readonly type: 'QUOTAROOT'; readonly mailbox: string; readonly roots: readonly string[] } // RFC 9208 §4.2.2
  /** RFC 5464 §4.4: with values, or the names of entries that have changed. Mailbox '': the server's. */
  | { readonly type: 'METADATA'; readonly mailbox: string; readonly entries: readonly MetadataEntry[] }
  | { readonly type: 'METADATA'; readonly mailbox: string; readonly changed: readonly string[] }
  /** RFC 2971 §3.2; null: NIL. */
  | { readonly type: 'ID'; readonly fields: readonly (readonly [name: string, value: string | null])[] | null };

/** `tag` absent: untagged. A greeting is an untagged OK, PREAUTH or BYE (RFC 9051 §7.1). */
export type Status =
  | {
      readonly type: 'status';
      readonly tag: string;
      readonly status: 'OK' | 'NO' | 'BAD';
      readonly code?: ResponseCode | undefined;
      readonly text: string;
    }
  | {
      readonly type: 'status';
      readonly tag?: undefined;
      readonly status: 'OK' | 'NO' | 'BAD' | 'PREAUTH' | 'BYE';
      readonly code?: ResponseCode | undefined;
      readonly text: string;
    };

/**
 * Message numbers or UIDs, or ranges of them, `from` not above `to`. Neighbours that rise by one are told as a range; the
 * order is kept, which COPYUID and a sorted ESEARCH need.
 */
export type NumberSet = Iterable<number | NumberRange>;
export type NumberRange = { readonly from: number; readonly to: number };

/** RFC 9051 §7.3.1, RFC 5258 §6; LSUB RFC 3501 §7.2.3. */
export type List = {
  readonly type: 'LIST' | 'LSUB';
  /** `\Noselect` and the like. */
  readonly attributes: readonly string[];
  /** null: a flat name. */
  readonly delimiter: string | null;
  readonly mailbox: string;
  /** CHILDINFO: the selection options that some child matches, `SUBSCRIBED` (RFC 5258 §3.5). */
  readonly childInfo?: readonly string[] | undefined;
  /** The name it had, or by which it was asked for (RFC 9051 §6.3.9.7). */
  readonly oldName?: string | undefined;
};

export type StatusItems = {
  readonly messages?: number | undefined;
  readonly recent?: number | undefined; // RFC 3501 §6.3.10
  readonly uidNext?: number | undefined;
  readonly uidValidity?: number | undefined;
  readonly unseen?: number | undefined;
  readonly deleted?: number | undefined;
  readonly deletedStorageKib?: number | undefined; // RFC 9208 §4.1.4: in units of 1024 octets
  readonly sizeOctets?: number | undefined; // RFC 8438
  readonly highestModSeq?: number | undefined; // RFC 7162 §3.1.7
  /** null: no limit of its own (RFC 7889 §3). */
  readonly appendLimitOctets?: number | null | undefined;
  readonly mailboxId?: string | undefined; // RFC 8474 §4.3
};

/** RFC 9051 §7.3.4, RFC 4731 §3.1; `modSeq` §3.2. When nothing is found `min`, `max`, `all` and `modSeq` are absent. */
export type ExtendedSearch = {
  readonly type: 'ESEARCH';
  readonly tag?: string | undefined;
  readonly uid: boolean;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly all?: NumberSet | undefined;
  readonly count?: number | undefined;
  readonly modSeq?: number | undefined;
};

/** null: a parent that is not there, of two children at least (RFC 5256 §4). */
export type Thread = { readonly number: number | null; readonly children: readonly Thread[] };

export type Namespace = { readonly prefix: string; readonly delimiter: string | null };
export type AclEntry = { readonly identifier: string; readonly rights: string };
/** `usage` and `limit` in the resource's own unit: STORAGE in 1024 octets (RFC 9208 §5). */
export type QuotaResource = { readonly name: string; readonly usage: number; readonly limit: number };
export type MetadataEntry = { readonly name: string; readonly value: Uint8Array | null };

export const ok = (tag: string, text: string, code?: ResponseCode): Status => ({
  type: 'status',
  tag,
  status: 'OK',
  code,
  text,
});
export const no = (tag: string, text: string, code?: ResponseCode): Status => ({
  type: 'status',
  tag,
  status: 'NO',
  code,
  text,
});
export const bad = (tag: string, text: string, code?: ResponseCode): Status => ({
  type: 'status',
  tag,
  status: 'BAD',
  code,
  text,
});
/** A greeting too, and the goodbye. */
export const untagged = (
  status: 'OK' | 'NO' | 'BAD' | 'PREAUTH' | 'BYE',
  text: string,
  code?: ResponseCode,
): Status => ({ type: 'status', status, code, text });
