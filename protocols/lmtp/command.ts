/** LMTP commands, decoded: RFC 2033 §4 on the grammar of RFC 5321 §4.1; SIZE: RFC 1870; 8BITMIME: RFC 6152; STARTTLS: RFC 3207. */

/** `Mailbox = Local-part "@" ( Domain / address-literal )`, unquoted (RFC 5321 §4.1.2). `domain` is '' for a bare `Postmaster`. */
export type Path = { readonly localPart: string; readonly domain: string };

export type Command =
  | { readonly type: 'LHLO'; readonly domain: string }
  | {
      readonly type: 'MAIL';
      /** null is the null reverse-path `<>` (RFC 5321 §4.5.5). */
      readonly reversePath: Path | null;
      readonly sizeOctets?: number; // RFC 1870 §6
      readonly body?: '7BIT' | '8BITMIME'; // RFC 6152 §2
    }
  | { readonly type: 'RCPT'; readonly forwardPath: Path }
  | { readonly type: 'DATA' }
  | { readonly type: 'RSET' }
  | { readonly type: 'NOOP' }
  | { readonly type: 'VRFY'; readonly text: string }
  | { readonly type: 'STARTTLS' } // RFC 3207 §4
  | { readonly type: 'QUIT' }
  /** HELO and EHLO are not LMTP's (RFC 2033 §4.1): 500; AUTH is refused with 502. */
  | { readonly type: 'refused'; readonly keyword: 'HELO' | 'EHLO' | 'AUTH' | 'EXPN' | 'HELP' }
  | {
      readonly type: 'malformed';
      /** 500 unknown command or line too long, 501 bad argument, 555 unknown parameter (RFC 5321 §4.1.1.11). */
      readonly code: 500 | 501 | 555;
      readonly enhanced: string; // RFC 3463
      readonly reason: string;
    };
