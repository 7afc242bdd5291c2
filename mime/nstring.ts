/**
 * Strings as IMAP sends them: RFC 9051 §4.3 and §9 (`nstring`, `quoted`, `literal`). Made from and into latin1 text, one
 * character an octet: wire forms are put together as text and become octets once, at the end.
 */

/** A longer one goes as a literal, so that no line of a response is endless. */
const MAX_QUOTED_CHARS = 1000;

export const NIL = 'NIL';

export function nstring(text: string | undefined): string {
  return text === undefined ? NIL : string(text);
}

/** @param text  without NUL, which no string can hold (RFC 9051 §9 `CHAR8`) */
export function string(text: string): string {
  if (text.length > MAX_QUOTED_CHARS || !/^[\x01-\x09\x0b\x0c\x0e-\x7f]*$/.test(text))
    return `{${text.length}}\r\n${text}`;
  return /["\\]/.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : `"${text}"`;
}

/** `"(" item *(SP item) ")"`, or NIL where there is none: no list in an envelope or a body structure may be empty. */
export function list(items: readonly string[]): string {
  return items.length === 0 ? NIL : `(${items.join(' ')})`;
}
