/**
 * What IMAP must know of a message, found once when it comes in: its parts as ranges of octets, ENVELOPE, BODY and
 * BODYSTRUCTURE as they go over the wire, and the header fields that are sorted by. Plain data, a function of the body
 * alone. RFC 9051 §7.5.2, RFC 2045, RFC 2046.
 *
 * Offsets count from the body's first octet. Where trace lines are kept apart from the body (Return-Path, Received), the
 * message's header section begins with them: see `Octets` in section.ts.
 */
export type Structure = {
  readonly sizeOctets: number;
  /** The message itself, and within it its parts. */
  readonly message: Part;
  /** `envelope`, `body` without and with extension data (RFC 9051 §9), parentheses included; as after `ENVELOPE SP`. */
  readonly envelope: Uint8Array;
  readonly body: Uint8Array;
  readonly bodyStructure: Uint8Array;
  readonly header: HeaderValues;
};

/** The header section, with the empty line that ends it, is [from, body), the body [body, to). */
export type Part = {
  readonly from: number;
  readonly body: number;
  readonly to: number;
  /** LFs in the body. */
  readonly lines: number;
  /**
   * `multipart`: `parts` are its body parts, never none (a stand-in of no octets where there is none). `message`: `parts` is
   * the one message it holds, message/rfc822 or message/global. `leaf`: no parts.
   */
  readonly kind: 'leaf' | 'multipart' | 'message';
  readonly parts: readonly Part[];
  /** Media type in lower case, as BODYSTRUCTURE tells it: `text/plain` by default (RFC 2045 §5.2). */
  readonly type: string;
  /** As sent, for `text/...` alone; absent: US-ASCII. */
  readonly charset?: string;
  /** Content-Transfer-Encoding in lower case, known or not: `7bit` by default (RFC 2045 §6.1). */
  readonly encoding: string;
};

/**
 * Fields of the message's header section: unfolded octets, encoded words kept, as they came. Of several address fields
 * all, joined by commas (RFC 5322 §4.5.3), of others the last, as in the envelope. Cut off at `MAX_VALUE_OCTETS`; `references` at its beginning, the
 * others at their end.
 */
export type HeaderValues = {
  readonly date?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly from?: Uint8Array;
  readonly to?: Uint8Array;
  readonly cc?: Uint8Array;
  readonly messageId?: Uint8Array;
  readonly references?: Uint8Array;
  readonly inReplyTo?: Uint8Array;
};

export const MAX_VALUE_OCTETS = 8192;
