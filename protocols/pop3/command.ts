/** POP3 commands, decoded: names are the RFCs' keywords, arguments are typed. RFC 1939 §5 to §7, RFC 2449 §5. */
export type Command =
  | { readonly type: 'USER'; readonly name: string } // RFC 1939 §7
  | { readonly type: 'PASS'; readonly secret: string } // RFC 1939 §7
  | { readonly type: 'APOP'; readonly name: string; readonly digest: string } // RFC 1939 §7
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
  /** A line that is none of the above; `reason` is fit for the client and holds nothing that the client sent. */
  | { readonly type: 'malformed'; readonly reason: string };
