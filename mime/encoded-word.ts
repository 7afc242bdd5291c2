/**
 * Header values as people read them: folding taken out (RFC 5322 §2.2.3), encoded words decoded (RFC 2047, with the
 * language of RFC 2231 §5), raw UTF-8 as it is (RFC 6532 §3), other octets as windows-1252. Broken words stay as written.
 *
 * Words are decoded wherever they stand, also in quoted strings and without space around them, as senders write them.
 */
import { charsetDecoder } from './charset.ts';
import { lenientText } from './lenient-utf8.ts';

type Word = { readonly charset: string; readonly octets: Uint8Array; readonly end: number };

/**
 * @param value  a field body as it is in the message: with its folding, without the name
 * @returns the text, without white space at either end; never throws
 */
export function decodeHeader(value: Uint8Array): string {
  const raw = Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
  // All line ends in a field body are folding; a bare CR or LF can only have been meant as one.
  return decodeUnfolded(trimmed(raw.replace(/[\r\n]+/g, '')));
}

/** As `decodeHeader`, for octets that are a string of latin1 already, and unfolded: an address parser's display name. */
export function decodeUnfolded(raw: string): string {
  if (!raw.includes('=?')) return rawText(raw);
  let text = '';
  let from = 0; // where that begins which is not in `text` yet
  let start = raw.indexOf('=?');
  while (start >= 0) {
    const word = wordAt(raw, start);
    if (word === undefined) {
      start = raw.indexOf('=?', start + 2);
      continue;
    }
    const run = runOf(raw, word);
    const decoded = decodedWords(run);
    if (decoded !== undefined) {
      text += rawText(raw.slice(from, start)) + decoded;
      from = run.at(-1)!.end;
    }
    start = raw.indexOf('=?', run.at(-1)!.end);
    // Space between two words is none, whatever their charsets (RFC 2047 §6.2).
    if (decoded !== undefined && start >= 0 && isBlank(raw, from, start) && isDecodable(raw, start)) from = start;
  }
  return text + rawText(raw.slice(from));
}

/**
 * The word at `start`, and those behind it in the same charset, with nothing but space between. They are decoded as
 * one, since many senders cut in the middle of a character (against RFC 2047 §5).
 */
function runOf(raw: string, first: Word): readonly Word[] {
  const run = [first];
  for (;;) {
    const end = run.at(-1)!.end;
    const start = skipBlank(raw, end);
    const next = raw.startsWith('=?', start) ? wordAt(raw, start) : undefined;
    if (next === undefined || next.charset !== first.charset) return run;
    run.push(next);
  }
}

function decodedWords(words: readonly Word[]): string | undefined {
  const decoder = charsetDecoder(words[0]!.charset);
  if (decoder === undefined) return undefined; // as it appears in the header: RFC 2047 §6.2 (a)
  let text = '';
  for (const word of words) text += decoder.write(word.octets);
  return text + decoder.end();
}

function isDecodable(raw: string, start: number): boolean {
  const word = wordAt(raw, start);
  return word !== undefined && charsetDecoder(word.charset) !== undefined;
}

/**
 * `encoded-word = "=?" charset "?" encoding "?" encoded-text "?="` (RFC 2047 §2), of any length, since many are longer
 * than 75 characters; spaces in the text are let pass. None of the three holds a `?`, which keeps this linear.
 */
function wordAt(raw: string, start: number): Word | undefined {
  const afterCharset = raw.indexOf('?', start + 2);
  if (afterCharset < 0 || raw[afterCharset + 2] !== '?') return undefined;
  const charset = charsetOf(raw.slice(start + 2, afterCharset));
  if (charset === undefined) return undefined;
  const afterText = raw.indexOf('?', afterCharset + 3);
  if (afterText < 0 || raw[afterText + 1] !== '=') return undefined;
  const encoded = raw.slice(afterCharset + 3, afterText);
  const octets = decodeText(raw[afterCharset + 1]!, encoded);
  return octets === undefined ? undefined : { charset, octets, end: afterText + 2 };
}

/** RFC 2231 §5: `charset ["*" language]`. */
function charsetOf(name: string): string | undefined {
  const star = name.indexOf('*');
  const charset = star < 0 ? name : name.slice(0, star);
  return /^[^\s=?"(),:;<>@[\]]{1,64}$/.test(charset) ? charset.toLowerCase() : undefined;
}

function decodeText(encoding: string, text: string): Uint8Array | undefined {
  if (encoding === 'B' || encoding === 'b') return decodeB(text);
  if (encoding === 'Q' || encoding === 'q') return decodeQ(text);
  return undefined;
}

/** RFC 2047 §4.1. Padding may be missing; a character that is not base64 makes the word broken (§6.3). */
function decodeB(text: string): Uint8Array | undefined {
  const letters = text.replace(/[ \t]+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,3}$/.test(letters)) return undefined;
  return Buffer.from(letters, 'base64');
}

/** RFC 2047 §4.2. */
function decodeQ(text: string): Uint8Array | undefined {
  const out = Buffer.alloc(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x3d) {
      const hex = text.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return undefined;
      out[length++] = Number.parseInt(hex, 16);
      at += 2;
    } else {
      out[length++] = code === 0x5f ? 0x20 : code;
    }
  }
  return out.subarray(0, length);
}

const rawText = (raw: string): string => (/^[\x00-\x7f]*$/.test(raw) ? raw : lenientText(Buffer.from(raw, 'latin1')));

/** By hand: an expression for blanks at the end begins anew at each of those in the middle. */
function trimmed(raw: string): string {
  let end = raw.length;
  while (raw[end - 1] === ' ' || raw[end - 1] === '\t') end -= 1;
  return raw.slice(Math.min(skipBlank(raw, 0), end), end);
}

const isBlank = (raw: string, from: number, to: number): boolean => skipBlank(raw, from) >= to;

function skipBlank(raw: string, from: number): number {
  let at = from;
  while (raw[at] === ' ' || raw[at] === '\t') at += 1;
  return at;
}
