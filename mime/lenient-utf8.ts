/**
 * Text whose charset nobody said, or said wrongly: UTF-8 where it is (RFC 6532 §3.1, RFC 3629 §4), windows-1252 for each
 * octet that is not. The same however it is cut; holds at most the three octets of a character whose end has not come.
 */
import { isUtf8 } from 'node:buffer';

const NOTHING = new Uint8Array(0);
/** What windows-1252 has at 0x80 to 0x9F; its five holes are U+FFFD. */
const C1 = '€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ';

/** The whole of it at once: a header value, a name. */
export function lenientText(octets: Uint8Array): string {
  if (isUtf8(octets)) return utf8(octets, 0, octets.length);
  const decoder = new LenientUtf8();
  return decoder.write(octets) + decoder.end();
}

export class LenientUtf8 {
  #held: Uint8Array = NOTHING;

  write(chunk: Uint8Array): string {
    const octets = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const last = beginningAtEnd(octets);
    this.#held = new Uint8Array(octets.subarray(last)); // a copy: the chunk is its maker's
    return textOf(octets.subarray(0, last));
  }

  /** What was held: octets of no whole character. */
  end(): string {
    const held = this.#held;
    this.#held = NOTHING;
    return textOf(held);
  }
}

function textOf(octets: Uint8Array): string {
  if (isUtf8(octets)) return utf8(octets, 0, octets.length);
  let text = '';
  let from = 0;
  let at = 0;
  while (at < octets.length) {
    const length = characterLength(octets, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += utf8(octets, from, at) + windows1252(octets[at]!);
    at += 1;
    from = at;
  }
  return text + utf8(octets, from, at);
}

const utf8 = (octets: Uint8Array, from: number, to: number): string =>
  from === to ? '' : Buffer.from(octets.buffer, octets.byteOffset + from, to - from).toString('utf8');

const windows1252 = (octet: number): string => (octet < 0xa0 ? C1[octet - 0x80]! : String.fromCharCode(octet));

/** Where the character begins that the octets end in the middle of; their length where there is none. */
function beginningAtEnd(octets: Uint8Array): number {
  for (let at = Math.max(0, octets.length - 3); at < octets.length; at += 1)
    if (octets[at]! >= 0xc2 && characterLength(octets, at) < 0) return at;
  return octets.length;
}

/** Octets of the character at `at`: 0 if there is none, -1 if the octets end before it does (RFC 3629 §4 UTF8-octets). */
function characterLength(octets: Uint8Array, at: number): number {
  const first = octets[at]!;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  for (let n = 1; n < length; n += 1) {
    const octet = octets[at + n];
    if (octet === undefined) return -1;
    if (octet < (n === 1 ? lowest : 0x80) || octet > (n === 1 ? highest : 0xbf)) return 0;
  }
  return length;
}
