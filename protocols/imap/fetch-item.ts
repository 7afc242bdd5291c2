/** What FETCH can be asked for: RFC 9051 §6.4.5 and RFC 3501 §6.4.5, with the extensions named at each. Types only. */

export type FetchItem =
  | {
      readonly item:
        | 'ENVELOPE'
        | 'FLAGS'
        | 'INTERNALDATE'
        | 'RFC822.SIZE'
        | 'UID'
        /** Without a section: BODYSTRUCTURE without extension data. */
        | 'BODY'
        | 'BODYSTRUCTURE'
        | 'MODSEQ' // RFC 7162 §3.1.5
        | 'EMAILID' // RFC 8474 §5.1
        | 'THREADID' // RFC 8474 §5.2
        | 'SAVEDATE'; // RFC 8514 §4.1
    }
  | { readonly item: 'PREVIEW'; readonly lazy: boolean } // RFC 8970 §3.1
  /** RFC 3501 §6.4.5: as BODY[], BODY.PEEK[HEADER] and BODY[TEXT], answered by their own names. */
  | { readonly item: 'RFC822' | 'RFC822.HEADER' | 'RFC822.TEXT' }
  | {
      readonly item: 'BODY[]';
      readonly section: Section;
      readonly partial?: Partial;
      /** Does not set \Seen. */
      readonly peek: boolean;
    }
  /** RFC 9051 §6.4.5, RFC 3516 §4.2; `part` [] is the whole message. */
  | { readonly item: 'BINARY'; readonly part: readonly number[]; readonly partial?: Partial; readonly peek: boolean }
  | { readonly item: 'BINARY.SIZE'; readonly part: readonly number[] };

/**
 * RFC 9051 §6.4.5.1. `part` [] is the whole message. Without `text`: all of the part.
 * MIME is never without a part. `fields` stands with HEADER.FIELDS and HEADER.FIELDS.NOT only: as sent, printable ASCII.
 */
export type Section = {
  readonly part: readonly number[];
  readonly text?: 'HEADER' | 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT' | 'TEXT' | 'MIME';
  readonly fields?: readonly string[];
};

/** `<offset.length>`: at most that many octets from there on; the length is not 0. */
export type Partial = { readonly offsetOctets: number; readonly lengthOctets: number };
