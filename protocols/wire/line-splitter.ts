/**
 * Cuts lines out of octets, whatever their content. It never holds more than one line of bounded length: an endless
 * line costs no memory, and is reported once, when its end arrives, so that one line still gets one reply.
 *
 * A line ends at CRLF (RFC 1939 §3, RFC 5321 §2.3.8). With `acceptBareLf` an LF alone ends it too; otherwise bare LFs
 * stay inside the line for the grammar to refuse. A bare CR never ends anything.
 */
import type { OctetQueue } from './octet-queue.ts';

/** `line` is without its end, and valid until the next `push` to the queue. */
export type Line = { readonly kind: 'line'; readonly line: Uint8Array } | { readonly kind: 'too-long' };

export type LineRules = {
  /** The longest line accepted, its end included. */
  readonly maxOctets: number;
  readonly acceptBareLf: boolean;
};

const CR = 0x0d;
const LF = 0x0a;
const NOTHING = new Uint8Array(0);
const TOO_LONG: Line = { kind: 'too-long' };

export class LineSplitter {
  readonly #queue: OctetQueue;
  readonly #maxOctets: number;
  readonly #acceptBareLf: boolean;
  /** The beginning of a line whose end has not come; copied, so that no pushed chunk stays alive for it. */
  #held: Uint8Array = NOTHING;
  #heldOctets = 0;
  /** The line in progress is over its limit: its octets are dropped, but for knowing whether the last was a CR. */
  #overlong = false;
  #lastWasCr = false;

  constructor(queue: OctetQueue, rules: LineRules) {
    this.#queue = queue;
    this.#maxOctets = rules.maxOctets;
    this.#acceptBareLf = rules.acceptBareLf;
  }

  /** The next whole line, or undefined until more is pushed. */
  next(): Line | undefined {
    for (let chunk = this.#queue.take(); chunk !== undefined; chunk = this.#queue.take()) {
      const end = this.#endOfLine(chunk);
      if (end === 0) {
        this.#hold(chunk);
        continue;
      }
      this.#queue.putBack(chunk.subarray(end));
      return this.#finish(chunk.subarray(0, end));
    }
    return undefined;
  }

  /** Forgets the line in progress. */
  discard(): void {
    this.#held = NOTHING;
    this.#heldOctets = 0;
    this.#overlong = false;
    this.#lastWasCr = false;
  }

  /** Gives the octets of the line in progress back to the queue, for another reader. */
  release(): void {
    this.#queue.putBack(this.#held.slice(0, this.#heldOctets));
    this.discard();
  }

  /** The number of octets up to and with the line's end, or 0 when the chunk has none. */
  #endOfLine(chunk: Uint8Array): number {
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
      if (this.#acceptBareLf) return at + 1;
      if (at > 0 ? chunk[at - 1] === CR : this.#lastWasCr) return at + 1;
    }
    return 0;
  }

  #hold(octets: Uint8Array): void {
    this.#lastWasCr = octets[octets.length - 1] === CR;
    if (this.#overlong) return;
    const needed = this.#heldOctets + octets.length;
    if (needed >= this.#maxOctets) {
      this.#held = NOTHING; // at least one more octet must come to end it: it is too long already
      this.#heldOctets = 0;
      this.#overlong = true;
      return;
    }
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.min(this.#maxOctets, Math.max(needed, 2 * this.#held.length, 64)));
      grown.set(this.#held.subarray(0, this.#heldOctets));
      this.#held = grown;
    }
    this.#held.set(octets, this.#heldOctets);
    this.#heldOctets = needed;
  }

  #finish(tail: Uint8Array): Line {
    const octets = this.#heldOctets + tail.length;
    if (this.#overlong || octets > this.#maxOctets) {
      this.discard();
      return TOO_LONG;
    }
    let whole = tail;
    if (this.#heldOctets > 0) {
      whole = new Uint8Array(octets);
      whole.set(this.#held.subarray(0, this.#heldOctets));
      whole.set(tail, this.#heldOctets);
    }
    this.discard();
    const end = whole[octets - 2] === CR ? octets - 2 : octets - 1;
    return { kind: 'line', line: whole.subarray(0, end) };
  }
}
