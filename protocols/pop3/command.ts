/**
 * POP3 commands, decoded: names are the RFCs' keywords, arguments are typed. RFC 1939 §5 to §7, RFC 2449 §5, RFC 2595 §4,
 * RFC 5034 §4, RFC 6856 §2 and §3.
 */
export type Command =
  | { readonly type: 'USER'; readonly name: string } // RFC 1939 §7
  | { readonly type: 'PASS'; readonly secret: string } // RFC 1939 §7
  | { readonly type: 'APOP'; readonly name: string; readonly digest: string } // RFC 1939 §7
  /** RFC 5034 §4. The mechanism in upper case, known or not; the initial response decoded, absent when none was sent. */
  | { readonly type: 'AUTH'; readonly mechanism: string; readonly initial?: Uint8Array }
  /** Only where a SASL response was expected: one, decoded; it may be empty. */
  | { readonly type: 'response'; readonly response: Uint8Array }
  /** Only there, too: the client gives the exchange up (RFC 5034 §4, `cancel-response`). */
  | { readonly type: 'cancel' }
  | { readonly type: 'STLS' } // RFC 2595 §4
  | { readonly type: 'UTF8' } // RFC 6856 §2.1
  /** RFC 6856 §3.2: a language range in lower case, or `*`; absent: which languages are there? */
  | { readonly type: 'LANG'; readonly range?: string }
  | { readonly type: 'STAT' }
  | { readonly type: 'LIST'; readonly message?: number }
  | { readonly type: 'UIDL'; readonly message?: number } // RFC 1939 §7
  | { readonly type: 'RETR'; readonly message: number }
  | { readonly type: 'TOP'; readonly message: number; readonly lines: number } // RFC 1939 §7
  | { readonly type: 'DELE'; readonly message: number }
  | { readonly type: 'RSET' }
  | { readonly type: 'NOOP' }
  | { readonly type: 'CAPA' } // RFC 2449 §5
  | { readonly type: 'QUIT' }
  /** A line that is none of the above. */
  | { readonly type: 'malformed'; readonly reason: Malformation };

/** Keywords that stand alone on their line. */
export type BareKeyword = 'STAT' | 'RSET' | 'NOOP' | 'CAPA' | 'QUIT' | 'STLS' | 'UTF8';

/** What is wrong with a line, in English, fit for the client: a closed list, so that nothing the client sent is in it. */
export type Malformation =
  | 'line too long'
  | 'NUL or CR in a command'
  | 'unknown command'
  | `${BareKeyword} takes no argument`
  | 'USER wants a name'
  | 'PASS wants a password'
  | 'APOP wants a name and an MD5 digest'
  | 'AUTH wants a mechanism and at most an initial response'
  | 'not base64'
  | 'names and passwords must be UTF-8'
  | 'LANG wants a language or nothing'
  | `${'LIST' | 'UIDL'} wants a message number or nothing`
  | `${'RETR' | 'DELE'} wants a message number`
  | 'TOP wants a message number and a number of lines';
