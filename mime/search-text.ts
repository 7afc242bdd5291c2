/**
 * The text of a message that SEARCH looks in: RFC 9051 §6.4.4, RFC 5255 §4.6. Headers with their encoded words decoded;
 * parts of type text and message, their transfer encoding and charset taken off. Streams, so that no part is held whole.
 *
 * HTML is searched as it is written, tags and all: the RFC asks for messages that contain the string in their body, and
 * that is what Dovecot does without an index. Nothing that the raw text has is missed; words cut by tags are.
 */
import { type CharsetDecoder, charsetDecoder } from './charset.ts';
import { decodeUnfolded } from './encoded-word.ts';
import { LenientUtf8 } from './lenient-utf8.ts';
import type { Part } from './structure.ts';
import type { TextSearch } from './text-search.ts';
import { type TransferDecoder, transferDecoder } from './transfer-encoding.ts';

/** What a part's header says of it, as a `Part` has it. */
export type TextPart = {
  /** Media type, in lower case. */
  readonly type: string;
  /** The parameter of Content-Type; absent: US-ASCII (RFC 2045 §5.2). */
  readonly charset?: string;
  readonly encoding: string;
};

/** Octets of a message to look in: a header section, with `HeaderText`, or the body of a part, with `PartText`. */
export type SearchRange = { readonly from: number; readonly to: number; readonly part: TextPart | undefined };

/** What is held of one header field; longer ones are decoded piece by piece. */
const MOST_FIELD_OCTETS = 65_536;

/**
 * Where BODY and TEXT look, in the order of the message. Pictures, archives and what has an encoding that nobody knows
 * (RFC 2045 §6.4) have no text. BODY looks into no header, TEXT into those of parts and of messages within too (RFC 9051
 * §6.4.4).
 */
export function searchRanges(message: Part, key: 'BODY' | 'TEXT'): SearchRange[] {
  const ranges: SearchRange[] = [];
  const stack = [message];
  for (let part = stack.pop(); part !== undefined; part = stack.pop()) {
    if (key === 'TEXT' && part.body > part.from) ranges.push({ from: part.from, to: part.body, part: undefined });
    if (part.kind === 'leaf' && part.to > part.body && hasText(part))
      ranges.push({ from: part.body, to: part.to, part });
    for (let n = part.parts.length - 1; n >= 0; n -= 1) stack.push(part.parts[n]!);
  }
  return ranges;
}

const hasText = (part: TextPart): boolean =>
  /^(?:text|message)\//.test(part.type) && transferDecoder(part.encoding) !== undefined;

/** The octets of a part's body to its text, chunk by chunk. Never throws; of a part without text it makes nothing. */
export class PartText {
  readonly #transfer: TransferDecoder | undefined;
  readonly #charset: CharsetDecoder;

  constructor(part: TextPart) {
    this.#transfer = transferDecoder(part.encoding);
    // Of an unknown charset nothing can be told but what looks like ASCII or UTF-8 (RFC 5255 §4.6 (c)).
    this.#charset = charsetDecoder(part.charset ?? '') ?? new LenientUtf8();
  }

  write(octets: Uint8Array): string {
    return this.#transfer === undefined ? '' : this.#charset.write(this.#transfer.write(octets));
  }

  end(): string {
    if (this.#transfer === undefined) return '';
    return this.#charset.write(this.#transfer.end()) + this.#charset.end();
  }
}

/** A header section to its text: each field unfolded and decoded on a line of its own, with its name. */
export class HeaderText {
  #held = '';
  /** No field ends before here. */
  #looked = 0;

  write(octets: Uint8Array): string {
    this.#held += Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
    const held = this.#held;
    let text = '';
    let from = 0;
    let lf = held.indexOf('\n', this.#looked);
    // What follows a line end decides whether the field goes on (RFC 5322 §2.2.3).
    for (; lf >= 0 && lf + 1 < held.length; lf = held.indexOf('\n', lf + 1)) {
      if (held[lf + 1] === ' ' || held[lf + 1] === '\t') continue;
      text += `${decodedPieces(held.slice(from, lf + 1))}\r\n`;
      from = lf + 1;
    }
    const most = held.length - ((held.length - from) % MOST_FIELD_OCTETS);
    if (most > from && (lf < 0 || lf > most)) {
      text += decodedPieces(held.slice(from, most));
      from = most;
    }
    this.#held = held.slice(from);
    this.#looked = lf < 0 ? this.#held.length : lf - from;
    return text;
  }

  end(): string {
    const held = this.#held;
    this.#held = '';
    return decodedPieces(held);
  }
}

/**
 * Looks for strings in one range; reads no further once all are found.
 * @param octets  what the range has
 */
export async function searchRange(
  { part }: SearchRange,
  octets: AsyncIterable<Uint8Array>,
  search: TextSearch,
): Promise<void> {
  if (search.done) return;
  const text = part === undefined ? new HeaderText() : new PartText(part);
  for await (const chunk of octets) {
    search.write(text.write(chunk));
    if (search.done) return;
  }
  search.write(text.end());
  search.endText();
}

function decodedPieces(field: string): string {
  let text = '';
  for (let at = 0; at < field.length; at += MOST_FIELD_OCTETS)
    text += decodeUnfolded(field.slice(at, at + MOST_FIELD_OCTETS).replace(/[\r\n]+/g, ''));
  return text;
}
