/**
 * Reads responses as a client would: RFC 9051 §4, with nothing of ours, so that the encoder's tests do not ask itself. Knows
 * tokens and lists, not what any response means.
 */

/** An atom, with whatever stands in brackets; a string of either form, one character each octet; NIL; a list. */
export type Token = { readonly atom: string } | { readonly string: string; readonly quoted: boolean } | null | Token[];

/** Octets of any number of whole responses. @throws where they are no IMAP */
export function readResponses(octets: string): Token[][] {
  const reader = { octets, at: 0 };
  const responses: Token[][] = [];
  while (reader.at < octets.length) {
    responses.push(readUntil(reader, '\r\n'));
    reader.at += 2;
  }
  return responses;
}

type Reader = { readonly octets: string; at: number };

function readUntil(reader: Reader, end: string): Token[] {
  const tokens: Token[] = [];
  for (;;) {
    if (reader.octets.startsWith(end, reader.at)) return tokens;
    // Lists may touch: NAMESPACE, THREAD.
    const touches = tokens.length > 0 && reader.octets[reader.at] === '(' && reader.octets[reader.at - 1] === ')';
    if (tokens.length > 0 && !touches) skip(reader, ' ');
    tokens.push(readToken(reader));
  }
}

function readToken(reader: Reader): Token {
  const rest = reader.octets.slice(reader.at, reader.at + 40);
  if (rest.startsWith('(')) {
    reader.at += 1;
    const list = readUntil(reader, ')');
    reader.at += 1;
    return list;
  }
  if (rest.startsWith('"')) return { string: readQuoted(reader), quoted: true };
  const literal = /^~?\{(\d+)\}\r\n/.exec(rest);
  if (literal !== null) {
    const start = reader.at + literal[0].length;
    reader.at = start + Number(literal[1]);
    if (reader.at > reader.octets.length) throw new Error('a literal is short');
    const string = reader.octets.slice(start, reader.at);
    if (!rest.startsWith('~') && string.includes('\0')) throw new Error('NUL in a literal');
    return { string, quoted: false };
  }
  const atom = readAtom(reader);
  return atom === 'NIL' ? null : { atom };
}

function readQuoted(reader: Reader): string {
  let string = '';
  for (reader.at += 1; reader.octets[reader.at] !== '"'; reader.at += 1) {
    if (reader.octets[reader.at] === '\\') {
      reader.at += 1;
      if (!/["\\]/.test(reader.octets[reader.at] ?? '')) throw new Error('a backslash before what needs none');
    }
    const octet = reader.octets[reader.at];
    if (octet === undefined || /[\r\n\0]/.test(octet)) throw new Error('a quoted string does not end');
    string += octet;
  }
  reader.at += 1;
  return string;
}

/** With `[...]` anywhere in it, where quoted strings and lists may be: BODY[HEADER.FIELDS ("a b")]<0>. */
function readAtom(reader: Reader): string {
  const start = reader.at;
  let depth = 0;
  for (; ; reader.at += 1) {
    const octet = reader.octets[reader.at];
    if (octet === undefined || /[\x00-\x1f\x7f-\xff]/.test(octet)) break;
    if (octet === '[') depth += 1;
    if (octet === ']') depth = Math.max(0, depth - 1);
    if (depth > 0 && octet === '"') {
      readQuoted(reader);
      reader.at -= 1;
    } else if (depth === 0 && / |[(){"]/.test(octet)) break;
  }
  if (reader.at === start)
    throw new Error(`no token at ${start}: ${JSON.stringify(reader.octets.slice(start, start + 20))}`);
  return reader.octets.slice(start, reader.at);
}

function skip(reader: Reader, what: string): void {
  if (!reader.octets.startsWith(what, reader.at)) throw new Error(`no ${JSON.stringify(what)} at ${reader.at}`);
  reader.at += what.length;
}
