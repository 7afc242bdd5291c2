/**
 * What a client without UTF-8 mode gets of a message whose header section holds octets above ASCII (RFC 6856 §2.1: a surrogate
 * that complies with the unextended formats, or an error). Pure, streaming; holds at most one header field of bounded length.
 *
 * As RFC 6858 does it, but simpler, and so that nothing is lost to the reader: a field of addresses keeps all its text as the
 * name of one address that goes nowhere; free text becomes encoded words (RFC 2047); in fields that programs read, and in
 * fields too long to hold, each such octet becomes `_`. Every other field and the whole body pass as they are, so a message
 * in ASCII or with an 8-bit body comes out octet for octet. Lines end at CRLF only.
 */
import { HeaderEnd } from '../../mime/header-section.ts';
import { utf8 } from '../wire/text.ts';

const LF = 0x0a;
/** A longer field is not held: ten times what RFC 5322 §2.1.1 lets a line have, and then some. */
const MAX_FIELD_OCTETS = 16 * 1024;
/** Below `invalid`, which never exists (RFC 2606 §2): an answer goes to nobody, above all not to somebody else. */
const NOWHERE = '<invalid@internationalized-address.invalid>';

const ADDRESSES = /^(resent-)?(from|sender|reply-to|to|cc|bcc)$/;
/** Syntax that an encoded word would break (RFC 2047 §5), of these and of whatever begins with `content-` or `list-`. */
const FOR_PROGRAMS =
  /^(received|return-path|date|resent-date|(resent-)?message-id|in-reply-to|references|mime-version|(arc-)?authentication-results|(arc-|dkim-|x-.*)?(message-)?signature|arc-seal|autocrypt|content-.*|list-.*)$/;

/** The message with an ASCII header section; leaves `message` early when its reader does. */
export async function* surrogate(message: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const header = new AsciiHeader();
  for await (const chunk of message) yield* header.pass(chunk);
  yield* header.end();
}

class AsciiHeader {
  #begun = false;
  #ended = false;
  /** The field in progress, once it has come to hold such an octet or its end is not known; its lines are whole or last. */
  #field: Uint8Array[] = [];
  #octets = 0;
  /** The octets of the line in progress, and its last one. */
  #lineOctets = 0;
  #last = 0;
  /** The field in progress was too long: the rest of it passes with `_`. */
  #tooLong = false;

  *pass(chunk: Uint8Array): Generator<Uint8Array> {
    let at = 0;
    if (!this.#begun) this.#ended = hasWholeAsciiHeader(chunk); // nearly every message: nothing of it needs a look
    this.#begun = true;
    while (!this.#ended && at < chunk.length) {
      // At the beginning of a line its first octet tells whether the field before it is over (RFC 5322 §2.2.3).
      if (this.#lineOctets === 0 && chunk[at] !== 0x20 && chunk[at] !== 0x09) yield* this.#endField();
      const end = this.#endOfLine(chunk, at);
      yield* this.#hold(chunk.subarray(at, end));
      at = end;
    }
    if (at < chunk.length) yield at === 0 ? chunk : chunk.subarray(at);
  }

  *end(): Generator<Uint8Array> {
    yield* this.#endField();
  }

  /** Where the line, or the chunk, ends; notes whether the line was the empty one. */
  #endOfLine(chunk: Uint8Array, from: number): number {
    for (let lf = chunk.indexOf(LF, from); lf >= 0; lf = chunk.indexOf(LF, lf + 1)) {
      const before = lf > from ? chunk[lf - 1] : this.#lineOctets > 0 ? this.#last : undefined;
      if (before !== 0x0d) continue;
      this.#ended = this.#lineOctets + lf + 1 - from === 2;
      this.#lineOctets = 0;
      return lf + 1;
    }
    this.#lineOctets += chunk.length - from;
    this.#last = chunk[chunk.length - 1]!;
    return chunk.length;
  }

  *#hold(octets: Uint8Array): Generator<Uint8Array> {
    if (this.#ended) {
      yield* this.#endField();
      yield octets; // the end of the empty line
    } else if (this.#tooLong) yield masked(octets);
    else {
      this.#field.push(Uint8Array.from(octets)); // a copy: a chunk is its maker's again when the next is pulled
      this.#octets += octets.length;
      if (this.#octets <= MAX_FIELD_OCTETS) return;
      yield masked(this.#take());
      this.#tooLong = true;
    }
  }

  *#endField(): Generator<Uint8Array> {
    this.#tooLong = false;
    if (this.#octets > 0) yield asciiField(this.#take());
  }

  #take(): Uint8Array {
    const field = this.#field.length === 1 ? this.#field[0]! : Buffer.concat(this.#field, this.#octets);
    this.#field = [];
    this.#octets = 0;
    return field;
  }
}

function hasWholeAsciiHeader(chunk: Uint8Array): boolean {
  const header = new HeaderEnd();
  const octets = header.headerOctets(chunk);
  return header.found && isAscii(chunk.subarray(0, octets));
}

function isAscii(octets: Uint8Array): boolean {
  for (let at = 0; at < octets.length; at += 1) if (octets[at]! >= 0x80) return false;
  return true;
}

const masked = (octets: Uint8Array): Uint8Array =>
  isAscii(octets) ? octets : octets.map((octet) => (octet < 0x80 ? octet : 0x5f));

/** A whole field with its CRLF; the last one of a message without a body may lack it. */
function asciiField(field: Uint8Array): Uint8Array {
  if (isAscii(field)) return field;
  const colon = field.indexOf(0x3a);
  const name = Buffer.from(field.subarray(0, Math.max(0, colon))).toString('latin1');
  if (!/^[\x21-\x7e]+[ \t]*$/.test(name) || FOR_PROGRAMS.test(name.trim().toLowerCase())) return masked(field);
  const words = encodedWords(field.subarray(colon + 1));
  const isAddresses = ADDRESSES.test(name.trim().toLowerCase());
  return Buffer.from(`${[`${name}:`, ...words, ...(isAddresses ? [NOWHERE] : [])].join('\r\n ')}\r\n`, 'latin1');
}

/** Octets of text in an encoded word: in base64 and with its frame it then has at most 75 characters (RFC 2047 §2). */
const WORD_OCTETS = 42;

/** The value, unfolded, as encoded words; `unknown-8bit` (RFC 1428) where it is not UTF-8. */
function encodedWords(value: Uint8Array): readonly string[] {
  const unfolded = Buffer.from(value).toString('latin1').replace(/\r\n/g, '').trim();
  const octets = Buffer.from(unfolded, 'latin1');
  const text = utf8(octets);
  const charset = text === undefined ? 'unknown-8bit' : 'utf-8';
  const words: string[] = [];
  for (let at = 0; at < octets.length; ) {
    let end = Math.min(at + WORD_OCTETS, octets.length);
    // Each word is whole characters (RFC 2047 §5).
    while (text !== undefined && end < octets.length && (octets[end]! & 0xc0) === 0x80) end -= 1;
    words.push(`=?${charset}?B?${octets.toString('base64', at, end)}?=`);
    at = end;
  }
  return words;
}
