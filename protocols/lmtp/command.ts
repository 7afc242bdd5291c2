/**
 * LMTP commands, decoded: RFC 2033 §4 on the grammar of RFC 5321 §4.1; SIZE: RFC 1870; 8BITMIME: RFC 6152; STARTTLS:
 * RFC 3207; SMTPUTF8: RFC 6531; CHUNKING: RFC 3030.
 */

/**
 * `Mailbox = Local-part "@" ( Domain / address-literal )`, unquoted (RFC 5321 §4.1.2). `domain` is '' for a bare `Postmaster`.
 * Either part may hold more than ASCII (RFC 6531 §3.3): as it was sent, U-labels and all.
 */
export type Path = { readonly localPart: string; readonly domain: string };

export type Command =
  | { readonly type: 'LHLO'; readonly domain: string }
  | {
      readonly type: 'MAIL';
      /** null is the null reverse-path `<>` (RFC 5321 §4.5.5). In ASCII unless `smtputf8`. */
      readonly reversePath: Path | null;
      readonly sizeOctets?: number; // RFC 1870 §6
      readonly body?: '7BIT' | '8BITMIME'; // RFC 6152 §2
      readonly smtputf8?: true; // RFC 6531 §3.4
    }
  /** Whether the forward-path may hold more than ASCII is MAIL's to say (RFC 6531 §3.5). */
  | { readonly type: 'RCPT'; readonly forwardPath: Path }
  | { readonly type: 'DATA' }
  /** That many octets follow as a body, whatever becomes of the command (RFC 3030 §2). */
  | { readonly type: 'BDAT'; readonly sizeOctets: number; readonly last: boolean }
  | { readonly type: 'RSET' }
  | { readonly type: 'NOOP' }
  | { readonly type: 'VRFY'; readonly text: string }
  | { readonly type: 'STARTTLS' } // RFC 3207 §4
  | { readonly type: 'QUIT' }
  /** HELO and EHLO are not LMTP's (RFC 2033 §4.1): 500; AUTH is refused with 502. */
  | { readonly type: 'refused'; readonly keyword: 'HELO' | 'EHLO' | 'AUTH' | 'EXPN' | 'HELP' }
  | {
      readonly type: 'malformed';
      /** 500 unknown command or line too long, 501 bad argument, 550 RFC 6531 §3.5, 555 unknown parameter (RFC 5321 §4.1.1.11). */
      readonly code: 500 | 501 | 550 | 555;
      readonly enhanced: string; // RFC 3463
      readonly reason: string;
    }
  /** A BDAT whose size can't be read, or a line that may have been one: nobody can tell what follows it from commands. */
  | { readonly type: 'lost'; readonly code: 500 | 501; readonly enhanced: string; readonly reason: string };
