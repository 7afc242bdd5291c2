/**
 * The transparency of message data between its beginning and its final dot: RFC 1939 §3 (multi-line replies, out) and
 * RFC 5321 §4.5.2 (DATA, in). Streaming: chunks of any size, cut anywhere, and nothing held but a few flags.
 *
 * Only CRLF begins a line, in both directions; so only CRLF `.` CRLF ends data (RFC 5321 §4.1.1.4, docs/smuggling.md).
 * Octets are never mended: bare CR and bare LF pass as they are, and the reader tells that it saw a bare LF.
 */
import type { OctetQueue } from './octet-queue.ts';

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const CRLF_DOT = Buffer.from('\r\n.', 'latin1');
const END_AT_LINE_START = Buffer.from('.\r\n', 'latin1');
const END_INSIDE_LINE = Buffer.from('\r\n.\r\n', 'latin1');
const ONE_CR = Uint8Array.of(CR);

/** Writes one message's data. */
export class DotStuffer {
  /** What the last octets were; a message begins at the start of a line. */
  #after: 'crlf' | 'cr' | 'other' = 'crlf';

  /** The chunk with each dot at the start of a line doubled; the very same object when there is none. */
  stuff(chunk: Uint8Array): Uint8Array {
    const dots = this.#dotsAtLineStart(chunk);
    this.#after = this.#afterChunk(chunk);
    if (dots.length === 0) return chunk;
    const stuffed = new Uint8Array(chunk.length + dots.length);
    let from = 0;
    let to = 0;
    for (const dot of dots) {
      stuffed.set(chunk.subarray(from, dot), to);
      to += dot - from;
      stuffed[to++] = DOT;
      from = dot;
    }
    stuffed.set(chunk.subarray(from), to);
    return stuffed;
  }

  /** The termination octet on its line, after a CRLF where the message did not end in one (RFC 1939 §3). */
  end(): Uint8Array {
    return this.#after === 'crlf' ? END_AT_LINE_START : END_INSIDE_LINE;
  }

  #dotsAtLineStart(chunk: Uint8Array): number[] {
    const dots: number[] = [];
    if (this.#after === 'crlf' && chunk[0] === DOT) dots.push(0);
    if (this.#after === 'cr' && chunk[0] === LF && chunk[1] === DOT) dots.push(1);
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let at = octets.indexOf(CRLF_DOT); at >= 0; at = octets.indexOf(CRLF_DOT, at + 3)) dots.push(at + 2);
    return dots;
  }

  #afterChunk(chunk: Uint8Array): 'crlf' | 'cr' | 'other' {
    if (chunk.length === 0) return this.#after;
    const last = chunk[chunk.length - 1];
    if (last === CR) return 'cr';
    if (last !== LF) return 'other';
    const wasCr = chunk.length > 1 ? chunk[chunk.length - 2] === CR : this.#after === 'cr';
    return wasCr ? 'crlf' : 'other';
  }
}

export type DataPiece =
  /** Never empty; a view into the pushed chunk, or a copy no longer than it where dots were taken out. */
  { readonly kind: 'body'; readonly bytes: Uint8Array } | { readonly kind: 'body-end'; readonly bareLf: boolean };

/** Reads message data off a queue, one message after another: after a `body-end` it is ready for the next. */
export class DotUnstuffer {
  readonly #queue: OctetQueue;
  /** Where the next octet stands. `dot`: after a dot at the start of a line; `dot-cr`: after that and a CR. */
  #place: 'line-start' | 'dot' | 'dot-cr' | 'inside' = 'line-start';
  /** The octet before was a CR; meaningful `inside` only. */
  #afterCr = false;
  #bareLf = false;
  #ended = false;

  constructor(queue: OctetQueue) {
    this.#queue = queue;
  }

  next(): DataPiece | undefined {
    while (!this.#ended) {
      const chunk = this.#queue.take();
      if (chunk === undefined) return undefined;
      const bytes = this.#read(chunk);
      if (bytes !== undefined) return { kind: 'body', bytes };
    }
    const end: DataPiece = { kind: 'body-end', bareLf: this.#bareLf };
    this.reset();
    return end;
  }

  /** Stands at the beginning of a message again. */
  reset(): void {
    this.#place = 'line-start';
    this.#afterCr = false;
    this.#bareLf = false;
    this.#ended = false;
  }

  /** Reads a chunk, or as much of it as belongs to this message. */
  #read(chunk: Uint8Array): Uint8Array | undefined {
    const kept: Uint8Array[] = [];
    let at = 0;
    let from = this.#place === 'line-start' || this.#place === 'inside' ? 0 : -1; // -1: no run of kept octets is open
    while (at < chunk.length && !this.#ended) {
      switch (this.#place) {
        case 'line-start':
          if (chunk[at] !== DOT) {
            this.#enterLine(false);
            break;
          }
          if (at > from) kept.push(chunk.subarray(from, at));
          from = -1;
          at += 1;
          this.#place = 'dot';
          break;
        case 'dot': // RFC 5321 §4.5.2: a first dot with other characters after it is deleted
          if (chunk[at] === CR) {
            at += 1;
            this.#place = 'dot-cr';
            break;
          }
          from = at;
          this.#enterLine(false);
          break;
        case 'dot-cr':
          if (chunk[at] === LF) {
            at += 1;
            this.#ended = true; // RFC 5321 §4.5.2: a single dot is the end; its own CRLF is no part of the message
            break;
          }
          if (at === 0) kept.push(ONE_CR); // that CR came with the chunk before
          from = Math.max(at - 1, 0);
          this.#enterLine(true);
          break;
        case 'inside':
          at = this.#readLine(chunk, at);
          break;
      }
    }
    if (this.#ended) this.#queue.putBack(chunk.subarray(at));
    else if (from >= 0 && from < chunk.length) kept.push(chunk.subarray(from));
    return joined(kept);
  }

  #enterLine(afterCr: boolean): void {
    this.#place = 'inside';
    this.#afterCr = afterCr;
  }

  /** Goes to just behind the next LF or to the end of the chunk; only an LF after a CR ends the line. */
  #readLine(chunk: Uint8Array, at: number): number {
    const lf = chunk.indexOf(LF, at);
    if (lf < 0) {
      this.#afterCr = chunk[chunk.length - 1] === CR;
      return chunk.length;
    }
    const wasCr = lf > at ? chunk[lf - 1] === CR : this.#afterCr;
    this.#afterCr = false;
    if (wasCr) this.#place = 'line-start';
    else this.#bareLf = true;
    return lf + 1;
  }
}

/** One piece for one chunk, so that a body full of dots does not become a million little pieces. */
function joined(kept: readonly Uint8Array[]): Uint8Array | undefined {
  if (kept.length <= 1) return kept[0];
  let octets = 0;
  for (const run of kept) octets += run.length;
  const whole = new Uint8Array(octets);
  let at = 0;
  for (const run of kept) {
    whole.set(run, at);
    at += run.length;
  }
  return whole;
}
