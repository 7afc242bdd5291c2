/**
 * The examples that RFCs print, as files under test/transcripts/imap-examples/: played by test/actors/imap/examples.ts,
 * listed in docs/imap-examples.md. What such a file says is a `Scene` after another; imap-examples-reader.ts reads them.
 *
 *     rfc 9051
 *     enable IMAP4rev2               all sessions do, once logged in
 *     scene                          a house of its own for what follows, with what is set up here
 *     user ann                       may log in with `pencil`, or with the password behind the name; the first is `ann` below
 *     mailbox INBOX validity 38505 next 44 modseq 7 recent 1
 *     messages 1:3,7 flags (\Seen) modseq 5 from "Smith" subject "x" date "1-Feb-1994 ..." octets 4096 text "..."
 *     | Subject: the message          as it is, if any such line follows
 *     expunged 4:6 modseq 6          of the mailbox named last; each message that vanished was there
 *     example 6.3.2 1                section and place of the example in it
 *     impossible: REASON             there is nothing to play
 *     but: REASON                    some of it is not as printed: the printed lines stand in brackets
 *     asked: a LIST                  the RFC prints the response alone: what has it said, and the end, are added
 *     as nobody                      no log-in; the greeting was heard if the first line is not that of the server
 *     goes on                        with the sessions of the example before
 *     session 2 joe                  lines `C2:` and `S2:` are joe's
 *     by joe: CREATE x               another session of joe's did that; it is OK
 *     first: SELECT INBOX            the session of the example did that; it is OK
 *     first 2: SELECT INBOX          so did session 2
 *     deliver ann                    a message comes by LMTP
 *     C: A142 SELECT INBOX           lines as printed, those that are broken for the eye in one
 *     S: * 172 EXISTS
 *     [S: * LIST (\NoInferiors) "/" "inbox"]
 *     +S: * LIST () "/" INBOX         not printed, where `but:` says why
 *     C: <tls>                       the client begins TLS
 *     S: <close>                     the server closes
 *
 * `<any>` and `<number>` stand for what is not printed or free; see imap-meaning.ts for the rest that is.
 */

export type Said = {
  readonly kind: 'C' | 'S';
  /** '' or the session's digits. */
  readonly session: string;
  readonly text: string;
  /** Printed only: it is not played. */
  readonly isBracketed: boolean;
  /** It stands in the RFC. */
  readonly isPrinted: boolean;
  /** Of the file. */
  readonly at: number;
};
export type Step =
  | Said
  | { readonly kind: 'by'; readonly user: string; readonly command: string; readonly at: number }
  | { readonly kind: 'first'; readonly session: string; readonly command: string; readonly at: number }
  | { readonly kind: 'session'; readonly session: string; readonly user: string; readonly at: number }
  | { readonly kind: 'deliver'; readonly user: string; readonly at: number };

export type Example = {
  readonly rfc: number;
  readonly section: string;
  readonly ordinal: number;
  readonly steps: readonly Step[];
  readonly impossible?: string;
  readonly but?: string;
  readonly asked?: string;
  readonly isNobodys: boolean;
  readonly goesOn: boolean;
};

export type PlantedMessages = {
  readonly uids: string;
  readonly flags: readonly string[];
  readonly modSeq?: number;
  readonly from?: string;
  readonly subject?: string;
  readonly date?: string;
  readonly octets?: number;
  readonly text?: string;
  readonly raw?: string;
};
export type PlantedMailbox = {
  readonly name: string;
  readonly user: string;
  readonly validity: number;
  readonly next?: number;
  readonly modSeq?: number;
  /** So many of the last messages are recent; absent: none. */
  readonly recent?: number;
  readonly messages: readonly PlantedMessages[];
  readonly expunged: readonly { readonly uids: string; readonly modSeq: number }[];
};
export type Scene = {
  readonly name: string;
  readonly enable?: string;
  readonly users: readonly { readonly name: string; readonly password: string }[];
  readonly mailboxes: readonly PlantedMailbox[];
  /** STARTTLS is offered, and passwords are not taken before it. */
  readonly tls: boolean;
  readonly examples: readonly Example[];
};

export const nameOf = ({ rfc, section, ordinal }: Pick<Example, 'rfc' | 'section' | 'ordinal'>): string =>
  `RFC ${rfc} §${section}, ${ordinal}`;

/**
 * Mod-sequences may have 63 bits (RFC 7162 §3.1), and Homing's have 53: of printed ones that are larger the last 15 digits are
 * kept, which leaves them in order.
 */
export const shortened = (text: string): string =>
  text.replace(/\d{16,}/g, (digits) => String(BigInt(digits.slice(-15))));
