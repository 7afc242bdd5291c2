/** What a FETCH response tells of one message: RFC 9051 §7.5.2, RFC 3501 §7.4.2, with the extensions named at each. Types only. */
import type { Section } from './fetch-item.ts';

/**
 * One message's data; what is absent is not told. Items go out in the order of these fields, whatever order was asked for.
 * The same `flags` array for messages with the same flags is cheaper than one made for each.
 */
export type Fetch = {
  /** The message number. */
  readonly sequence: number;
  readonly uid?: number | undefined;
  /** `\Recent` among them while only IMAP4rev1 is spoken. */
  readonly flags?: readonly string[] | undefined;
  readonly modSeq?: number | undefined; // RFC 7162 §7
  /** Milliseconds since 1970; told in UTC. */
  readonly internalDateMs?: number | undefined;
  readonly sizeOctets?: number | undefined;
  /** Wire form: `("date" "subject" ...)`. */
  readonly envelope?: Uint8Array | undefined;
  /** Wire form, without extension data. */
  readonly body?: Uint8Array | undefined;
  /** Wire form. */
  readonly bodyStructure?: Uint8Array | undefined;
  readonly emailId?: string | undefined; // RFC 8474 §5.3
  /** null: threads are not known (RFC 8474 §5.3). */
  readonly threadId?: string | null | undefined;
  /** Milliseconds since 1970; null: not known (RFC 8514 §4.2). */
  readonly saveDateMs?: number | null | undefined;
  /** Without NUL; null: not made yet, and LAZY was asked for (RFC 8970 §4.1). */
  readonly preview?: string | null | undefined;
  readonly contents?: readonly FetchContent[] | undefined;
};

/** Octets of a message, in the order asked for. */
export type FetchContent =
  | {
      readonly item: 'BODY[]';
      readonly section: Section;
      /** Of the partial asked for; without one, absent: then the content is whole (RFC 9051 §7.5.2). */
      readonly originOctet?: number | undefined;
      readonly content: Content;
    }
  /** RFC 3501 §7.4.2. */
  | { readonly item: 'RFC822' | 'RFC822.HEADER' | 'RFC822.TEXT'; readonly content: Content }
  | {
      readonly item: 'BINARY'; // RFC 3516 §4.3
      readonly part: readonly number[];
      readonly originOctet?: number | undefined;
      readonly content: Content;
    }
  | { readonly item: 'BINARY.SIZE'; readonly part: readonly number[]; readonly sizeOctets: number };

/** null: there is no such part. Octets in memory should be small: they may wait for a slow reader. */
export type Content = Uint8Array | Streamed | null;

/**
 * Octets that flow, opened when iterated and not before: a client that has gone never reads them. A chunk belongs to the
 * encoder from then on. When the iteration throws, or gives another number of octets, the connection is broken off.
 */
export type Streamed = {
  readonly sizeOctets: number;
  readonly octets: AsyncIterable<Uint8Array>;
  /** BINARY only: known to hold no NUL, so that a plain literal does (RFC 3516 §4.3). */
  readonly withoutNul?: boolean;
};
