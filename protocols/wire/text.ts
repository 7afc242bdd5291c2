/**
 * Octets and text, for protocols of lines. Commands are read as latin1, one character an octet, so that positions in
 * the text are positions in the line; names and secrets are then decoded apart.
 */
import { isUtf8 } from 'node:buffer';

/** One character for each octet. */
export function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
}

/**
 * A name or a secret as its user typed it: UTF-8 where the octets are that, else latin1, which old clients send
 * (RFC 1939 §3 knows printable ASCII only). The same octets always give the same text.
 */
export function nameOrSecret(octets: Uint8Array): string {
  return utf8(octets) ?? latin1(octets);
}

/** Text in UTF-8; undefined where the octets are not that. */
export function utf8(octets: Uint8Array): string | undefined {
  if (!isUtf8(octets)) return undefined;
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('utf8');
}

/** An upper-case keyword, or undefined for what has other octets than ASCII letters and digits: 'ß' must not fold to 'SS'. */
export function keywordOf(word: string): string | undefined {
  return /^[A-Za-z][A-Za-z0-9]{0,15}$/.test(word) ? word.toUpperCase() : undefined;
}

/** The text without the spaces and tabs at its end; in linear time, as no regular expression would be. */
export function trimmedEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end -= 1;
  return text.slice(0, end);
}

/**
 * A reply's text on one line, at most `maxOctets` long in UTF-8; what is over is cut off between characters.
 * @throws when it holds CR, LF or NUL: that would forge a reply, and is a mistake of ours, never a client's
 */
export function oneLine(text: string, maxOctets: number): string {
  if (/[\r\n\0]/.test(text)) throw new TypeError('a line of a reply holds CR, LF or NUL');
  if (text.length * 3 <= maxOctets) return text;
  const octets = Buffer.from(text, 'utf8');
  if (octets.length <= maxOctets) return text;
  let end = maxOctets;
  while (end > 0 && (octets[end]! & 0xc0) === 0x80) end -= 1; // not inside a UTF-8 sequence
  return octets.toString('utf8', 0, end);
}
