/**
 * What a client without UTF-8 mode gets of a message whose header section holds octets above ASCII (RFC 6856 §2.1: a surrogate
 * that complies with the unextended formats, or an error). Pure, streaming; holds at most one header field of bounded length.
 *
 * As RFC 6858 does it, but simpler, and so that nothing is lost to the reader: a field of addresses keeps all its text as the
 * name of one address that goes nowhere; free text becomes encoded words (RFC 2047); in fields that programs read, in fields
 * too long to hold and in all that lies beyond what a header section may sensibly have, each such octet becomes `_`. Every
 * other field and the whole body pass as they are, so a message in ASCII or with an 8-bit body comes out octet for octet.
 * Lines end at CRLF only.
 */
import { isUtf8 } from 'node:buffer';
import { HeaderEnd } from '../../mime/header-section.ts';
import { latin1, trimmedEnd } from '../wire/text.ts';

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const COLON = 0x3a;
const TAB = 0x09;
/** What takes the place of an octet above ASCII where no encoded word may stand. */
const UNDERSCORE = 0x5f;
const NOTHING = new Uint8Array(0);
/** A longer field is not held: ten times what RFC 5322 §2.1.1 lets a line have, and then some. */
const MAX_FIELD_OCTETS = 16 * 1024;
/**
 * Fields that end beyond are not converted: a converted field of some octets costs a microsecond and grows to ten times its
 * size, and a client that fetches a message of such fields, again and again, must not keep a node busy.
 */
const MAX_CONVERTED_OCTETS = 256 * 1024;
/** Below `invalid`, which never exists (RFC 2606 §2): an answer goes to nobody, above all not to somebody else. */
const NOWHERE = '<invalid@internationalized-address.invalid>';

/** The last two are of RFC 8098 §2.1, and of its forerunners: a receipt must go nowhere rather than to somebody else. */
const ADDRESSES = /^((resent-)?(from|sender|reply-to|to|cc|bcc)|disposition-notification-to|return-receipt-to)$/;
/** Syntax that an encoded word would break (RFC 2047 §5), of these and of whatever begins with `content-` or `list-`. */
const FOR_PROGRAMS =
  /^(received|return-path|date|resent-date|(resent-)?message-id|in-reply-to|references|mime-version|(arc-)?authentication-results|(arc-|dkim-|x-.*)?(message-)?signature|arc-seal|autocrypt|content-.*|list-.*)$/;

/** The message with an ASCII header section; leaves `message` early when its reader does. */
export async function* surrogate(message: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const header = new AsciiHeader();
  for await (const chunk of message) {
    const passed = header.pass(chunk);
    if (passed.length > 0) yield passed;
  }
  const rest = header.end();
  if (rest.length > 0) yield rest;
}

class AsciiHeader {
  readonly #end = new HeaderEnd();
  /** The field in progress, copied; of one that was too long, the CRLF or CR that may be its end. */
  #held: Uint8Array = NOTHING;
  /** Octets of the header section that lie before those held. */
  #passed = 0;
  /** The field in progress was too long: the rest of it passes with `_`. */
  #isTooLong = false;
  readonly #kinds = new Map<string, Kind>();

  /** The chunk as it goes on, without the field whose end has not come; what was held goes before it. */
  pass(chunk: Uint8Array): Uint8Array {
    if (this.#end.found) return chunk;
    const header = chunk.subarray(0, this.#end.headerOctets(chunk));
    const isFirst = this.#passed === 0 && this.#held.length === 0;
    if (isFirst && this.#end.found && isAscii(header)) return chunk; // nearly every message: nothing of it needs a look
    const out: Uint8Array[] = [];
    this.#passFields(this.#held.length === 0 ? header : Buffer.concat([this.#held, header]), out);
    if (this.#end.found) {
      out.push(this.#held, chunk.subarray(header.length)); // held is the empty line
      this.#held = NOTHING;
    }
    return joined(out);
  }

  /** The last field of a message without a body. */
  end(): Uint8Array {
    const out: Uint8Array[] = [];
    if (this.#held.length > 0) this.#passField(this.#held, this.#passed + this.#held.length, out);
    return joined(out);
  }

  /** All fields but the last, which may have more lines. Fields in ASCII pass in one piece with those beside them. */
  #passFields(octets: Uint8Array, out: Uint8Array[]): void {
    if (this.#passed > MAX_CONVERTED_OCTETS) {
      this.#held = NOTHING;
      out.push(masked(octets));
      return;
    }
    let run = 0;
    let start = 0;
    for (let end = fieldEnd(octets, 0); end > 0; end = fieldEnd(octets, start)) {
      const field = octets.subarray(start, end);
      if (!isAscii(field)) {
        if (start > run) out.push(octets.subarray(run, start));
        this.#passField(field, this.#passed + end, out);
        run = end;
      }
      this.#isTooLong = false;
      start = end;
    }
    if (start > run) out.push(octets.subarray(run, start));
    this.#passed += start;
    this.#hold(octets.subarray(start), out);
  }

  #hold(field: Uint8Array, out: Uint8Array[]): void {
    const isBeyond = this.#passed + field.length > MAX_CONVERTED_OCTETS;
    this.#isTooLong ||= isBeyond || field.length > MAX_FIELD_OCTETS;
    const held = this.#isTooLong ? lineEndAt(field) : field.length;
    if (held < field.length) out.push(masked(field.subarray(0, field.length - held)));
    this.#passed += field.length - held;
    this.#held = new Uint8Array(field.subarray(field.length - held)); // a chunk is its maker's again when the next is pulled
  }

  /** @param end  octets of the header section up to and with the field */
  #passField(field: Uint8Array, end: number, out: Uint8Array[]): void {
    const isMasked = this.#isTooLong || field.length > MAX_FIELD_OCTETS || end > MAX_CONVERTED_OCTETS;
    out.push(isMasked ? masked(field) : asciiField(field, this.#kinds));
  }
}

/** Behind the CRLF that ends the field which begins at `start`; 0 where the octet behind that is not here to tell (RFC 5322 §2.2.3). */
function fieldEnd(octets: Uint8Array, start: number): number {
  for (let lf = octets.indexOf(LF, start); lf >= 0 && lf + 1 < octets.length; lf = octets.indexOf(LF, lf + 1)) {
    const next = octets[lf + 1];
    if (lf > start && octets[lf - 1] === CR && next !== SPACE && next !== TAB) return lf + 1;
  }
  return 0;
}

/** How many octets at the end may turn out to be a field's CRLF: 0, 1 or 2. */
function lineEndAt(octets: Uint8Array): number {
  const last = octets[octets.length - 1];
  if (last === CR) return 1;
  return last === LF && octets[octets.length - 2] === CR ? 2 : 0;
}

function isAscii(octets: Uint8Array): boolean {
  for (let at = 0; at < octets.length; at += 1) if (octets[at]! >= 0x80) return false;
  return true;
}

function masked(octets: Uint8Array): Uint8Array {
  const copy = new Uint8Array(octets);
  for (let at = 0; at < copy.length; at += 1) if (copy[at]! >= 0x80) copy[at] = UNDERSCORE;
  return copy;
}

const joined = (pieces: readonly Uint8Array[]): Uint8Array =>
  pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);

type Kind = 'addresses' | 'for-programs' | 'text';

/** What is no field's name has a line that programs read, if anybody. */
function kindOf(name: string): Kind {
  if (!/^[\x21-\x7e]+[ \t]*$/.test(name)) return 'for-programs';
  const lowered = name.trim().toLowerCase();
  if (FOR_PROGRAMS.test(lowered)) return 'for-programs';
  return ADDRESSES.test(lowered) ? 'addresses' : 'text';
}

/** A whole field with its CRLF, which holds more than ASCII; the last one of a message without a body may lack the CRLF. */
function asciiField(field: Uint8Array, kinds: Map<string, Kind>): Uint8Array {
  if (isAscii(field)) return field;
  const colon = Math.max(0, field.indexOf(COLON));
  const name = latin1(field.subarray(0, colon));
  const kind = kinds.get(name) ?? kindOf(name);
  kinds.set(name, kind);
  if (kind === 'for-programs') return masked(field);
  const words = encodedWords(field.subarray(colon + 1));
  return Buffer.from(`${name}:${words}${kind === 'addresses' ? `\r\n ${NOWHERE}` : ''}\r\n`, 'latin1');
}

/** Octets of text in an encoded word: in base64 and with its frame it then has at most 75 characters (RFC 2047 §2). */
const WORD_OCTETS = 42;

/** The value, unfolded, as encoded words on lines of their own; `unknown-8bit` (RFC 1428) where it is not UTF-8. */
function encodedWords(value: Uint8Array): string {
  const unfolded = latin1(value).replaceAll('\r\n', '');
  const octets = Buffer.from(trimmedEnd(unfolded).replace(/^[ \t]+/, ''), 'latin1'); // trim() would take 0xA0 off a character
  const isText = isUtf8(octets);
  const frame = `\r\n =?${isText ? 'utf-8' : 'unknown-8bit'}?B?`;
  let words = '';
  for (let at = 0; at < octets.length; ) {
    let end = Math.min(at + WORD_OCTETS, octets.length);
    // Each word is whole characters (RFC 2047 §5).
    while (isText && end < octets.length && (octets[end]! & 0xc0) === 0x80) end -= 1;
    words += `${frame}${octets.toString('base64', at, end)}?=`;
    at = end;
  }
  return words;
}
