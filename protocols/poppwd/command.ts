/**
 * poppwd commands, decoded. No RFC rules this protocol; docs/poppwd.md does: a keyword in any case, one space, and the
 * rest of the line is the argument, spaces and all. Lines end in CRLF or in bare LF.
 */
export type Command =
  | { readonly type: 'USER'; readonly name: string }
  | { readonly type: 'PASS'; readonly secret: string }
  | { readonly type: 'NEWPASS'; readonly secret: string }
  | { readonly type: 'QUIT' }
  | { readonly type: 'malformed'; readonly reason: string };
