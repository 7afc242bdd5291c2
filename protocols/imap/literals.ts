/**
 * Cuts commands out of octets: lines, and the literals that join them (RFC 9051 §4.3, RFC 7888, RFC 3516 §4.4). All that comes of
 * the network is cut here, before any grammar sees it, so that no literal's octets are ever read as a command, be the command
 * around it as malformed as it may.
 *
 * Bounded: a command whose lines or literals are over the limits is refused as soon as that is known, and what a client sends of
 * it unasked, as RFC 7888 §4 lets it, is read past and not kept.
 */
import type { OctetQueue } from '../wire/octet-queue.ts';
import { GrowingOctets, type Line, LineReader } from './line-reader.ts';

/** What one command's lines may hold together, line ends included. RFC 7162 §4 asks for 8192 and more. */
export const MAX_TEXT_OCTETS = 64 * 1024;
/** What its literals may hold together, but for the message of an APPEND. */
export const MAX_LITERALS_OCTETS = 256 * 1024;
/** The same of a client that has not logged in: room for any name and password. */
export const MAX_EARLY_LITERALS_OCTETS = 16 * 1024;
const MAX_LITERALS = 1000;

/** What announces a literal at the end of a line. */
export type LiteralHead = {
  /** Never above `Number.MAX_SAFE_INTEGER`, which is more than anybody lives to send. */
  readonly sizeOctets: number;
  /** The client waits for a continuation request. */
  readonly sync: boolean;
  /** `~{n}` (RFC 3516 §4.4). */
  readonly binary: boolean;
};

/** `at`: where its head stands in the text; `end`: behind its head and the line end, where the text goes on. */
export type CutLiteral = {
  readonly at: number;
  readonly end: number;
  readonly octets: Uint8Array;
  readonly binary: boolean;
};

/**
 * The lines of a command, one character for each octet, without the last line end. A line end inside is CR LF and stands behind a
 * literal's head, and nowhere else.
 */
export type CutText = { readonly text: string; readonly literals: readonly CutLiteral[] };

export type Cut =
  | ({ readonly kind: 'command' } & CutText)
  /** A literal of moderate size waits for a continuation request. */
  | { readonly kind: 'continue' }
  /**
   * A literal that nobody holds, and what stands before its head: `accept` takes it off the wire, the next `next` refuses it.
   */
  | { readonly kind: 'message'; readonly before: CutText; readonly literal: LiteralHead }
  /** Nothing more is heard of this one; `text` is its beginning. */
  | { readonly kind: 'refused'; readonly text: string; readonly reason: LimitReason };

export type LimitReason = 'command too long' | 'literals too large' | 'too many literals';

/** Of a refused command this much is kept, for its tag. */
const BEGINNING_OCTETS = 512;

export class CommandCutter {
  readonly #queue: OctetQueue;
  readonly #lines: LineReader;
  readonly #isMessage: (before: string) => boolean;
  #maxLiteralsOctets = MAX_EARLY_LITERALS_OCTETS;
  /** `past-octets`, `past-line`: of a command that was refused. */
  #reading: 'line' | 'literal' | 'past-octets' | 'past-line' | 'message' = 'line';
  #text = '';
  #literals: CutLiteral[] = [];
  #literalsOctets = 0;
  /** The literal that is being read. */
  #literal: Announcement | undefined;
  readonly #held = new GrowingOctets();
  #octetsLeft = 0;
  /** Announced by a `message`, and neither accepted nor refused. */
  #offered: LiteralHead | undefined;

  /** @param isMessage  is a literal with this text before it one that nobody holds? The text ends where the literal's head begins. */
  constructor(queue: OctetQueue, isMessage: (before: string) => boolean) {
    this.#queue = queue;
    this.#lines = new LineReader(queue);
    this.#isMessage = isMessage;
  }

  /** The client is known: its literals may be larger. */
  trust(): void {
    this.#maxLiteralsOctets = MAX_LITERALS_OCTETS;
  }

  get hasOffer(): boolean {
    return this.#offered !== undefined;
  }

  next(): Cut | undefined {
    for (;;) {
      if (!this.#goPast()) return undefined;
      if (this.#reading === 'literal' && !this.#readLiteral()) return undefined;
      const line = this.#lines.next(MAX_TEXT_OCTETS - this.#text.length);
      if (line === undefined) return undefined;
      const cut = this.#endLine(line);
      if (cut !== undefined) return cut;
    }
  }

  /** One line that is no command, such as an answer to a challenge. A literal behind it is no part of anything: it is read past. */
  nextLine(maxOctets: number): Line | undefined {
    if (!this.#goPast()) return undefined;
    const line = this.#lines.next(maxOctets);
    if (line !== undefined) this.#refuse(literalHeadOf(line.tail));
    return line;
  }

  /** Takes the message that was offered: its octets come by `nextOfMessage`, and then the command goes on. */
  accept(): void {
    if (this.#offered === undefined) throw new TypeError('no message was offered');
    this.#octetsLeft = this.#offered.sizeOctets;
    this.#offered = undefined;
    this.#reading = 'message';
  }

  nextOfMessage(): Uint8Array | 'end' | undefined {
    const bytes = this.#counted();
    if (bytes !== undefined) return bytes;
    if (this.#octetsLeft > 0) return undefined;
    this.#reading = 'line';
    return 'end';
  }

  discard(): void {
    this.#queue.clear();
    this.#lines.discard();
    this.#held.clear();
    this.#begin();
    this.#offered = undefined;
    this.#octetsLeft = 0;
    this.#reading = 'line';
  }

  #begin(): void {
    this.#text = '';
    this.#literals = [];
    this.#literalsOctets = 0;
    this.#literal = undefined;
  }

  #endLine(line: Line): Cut | undefined {
    const head = literalHeadOf(line.tail);
    if (!line.isWhole) return this.#refuseFor('command too long', line.text, head);
    const text = this.#text + line.text;
    if (head === undefined) return { kind: 'command', text, literals: this.#take() };
    const before = text.slice(0, text.length - head.octets);
    if (this.#isMessage(before)) {
      this.#offered = { sizeOctets: head.sizeOctets, sync: head.sync, binary: head.binary };
      return { kind: 'message', before: { text: before, literals: this.#take() }, literal: this.#offered };
    }
    if (this.#literals.length === MAX_LITERALS) return this.#refuseFor('too many literals', line.text, head);
    this.#literalsOctets += head.sizeOctets;
    if (this.#literalsOctets > this.#maxLiteralsOctets) return this.#refuseFor('literals too large', line.text, head);
    this.#text = `${text}\r\n`;
    this.#literal = head;
    this.#octetsLeft = head.sizeOctets;
    this.#reading = 'literal';
    return head.sync ? { kind: 'continue' } : undefined;
  }

  #take(): readonly CutLiteral[] {
    const literals = this.#literals;
    this.#begin();
    return literals;
  }

  #readLiteral(): boolean {
    for (let bytes = this.#counted(); bytes !== undefined; bytes = this.#counted())
      this.#held.append(bytes, this.#held.length + bytes.length + this.#octetsLeft);
    if (this.#octetsLeft > 0 || this.#literal === undefined) return false;
    const end = this.#text.length;
    const at = end - 2 - this.#literal.octets;
    this.#literals.push({ at, end, octets: this.#held.take(), binary: this.#literal.binary });
    this.#literal = undefined;
    this.#reading = 'line';
    return true;
  }

  #refuseFor(reason: LimitReason, line: string, head: LiteralHead | undefined): Cut {
    const text = (this.#text + line).slice(0, BEGINNING_OCTETS);
    this.#refuse(head);
    return { kind: 'refused', text, reason };
  }

  /** A client that waits for a continuation request sends no more of a refused command; one that does not is not to be stopped. */
  #refuse(head: LiteralHead | undefined): void {
    this.#begin();
    this.#reading = 'line';
    if (head === undefined || head.sync) return;
    this.#octetsLeft = head.sizeOctets;
    this.#reading = 'past-octets';
  }

  /** Reads past what is left of a refused command; false until more is pushed. */
  #goPast(): boolean {
    if (this.#offered !== undefined) {
      const offered = this.#offered;
      this.#offered = undefined;
      this.#refuse(offered);
    }
    for (;;) {
      if (this.#reading === 'past-octets') {
        while (this.#counted() !== undefined);
        if (this.#octetsLeft > 0) return false;
        this.#reading = 'past-line';
      }
      if (this.#reading !== 'past-line') return true;
      const line = this.#lines.next(0);
      if (line === undefined) return false;
      this.#refuse(literalHeadOf(line.tail));
    }
  }

  /** The next of the octets announced, as many as are here in one piece. */
  #counted(): Uint8Array | undefined {
    const chunk = this.#octetsLeft === 0 ? undefined : this.#queue.take();
    if (chunk === undefined) return undefined;
    const bytes = chunk.length > this.#octetsLeft ? chunk.subarray(0, this.#octetsLeft) : chunk;
    this.#queue.putBack(chunk.subarray(bytes.length));
    this.#octetsLeft -= bytes.length;
    return bytes;
  }
}

/** `octets`: how long the head itself is. */
type Announcement = LiteralHead & { readonly octets: number };

/**
 * `literal = "{" number64 ["+"] "}" CRLF *CHAR8`, `literal8 = "~{" ...` (RFC 9051 §9, RFC 7888 §6): the head at the end of a
 * line, whatever stands before it, since nobody else may think otherwise of it.
 */
function literalHeadOf(tail: string): Announcement | undefined {
  if (!tail.endsWith('}')) return undefined;
  const [head, tilde, size, plus] = /(~?)\{([0-9]+)(\+?)\}$/.exec(tail) ?? [];
  if (head === undefined) return undefined;
  return {
    sizeOctets: Math.min(Number(size), Number.MAX_SAFE_INTEGER),
    sync: plus === '',
    binary: tilde === '~',
    octets: head.length,
  };
}
