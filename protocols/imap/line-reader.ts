/**
 * Lines out of octets, for a protocol in which a line's end may announce octets that belong to it (RFC 7888 §3): unlike
 * protocols/wire/line-splitter.ts it keeps the beginning and the end of a line that is too long. A line ends at CRLF or at LF
 * alone; a bare CR is for the grammar to refuse. What it holds is bounded.
 */
import type { OctetQueue } from '../wire/octet-queue.ts';
import { latin1 } from '../wire/text.ts';

/** One character for each octet, without the line end. */
export type Line = {
  /** Of a line that is too long, its beginning. */
  readonly text: string;
  /** The last characters of the line, however long it is. */
  readonly tail: string;
  readonly isWhole: boolean;
};

const CR = 0x0d;
const LF = 0x0a;
/** Enough for any literal's head, and a line end. */
const TAIL_OCTETS = 64;
const BEGINNING_OCTETS = 512;

export class LineReader {
  readonly #queue: OctetQueue;
  /** The line in progress; once it is too long, its beginning. */
  readonly #held = new GrowingOctets();
  /** The end of what came of a line that is too long. */
  #tail: Uint8Array | undefined;

  constructor(queue: OctetQueue) {
    this.#queue = queue;
  }

  /**
   * The next line, or undefined until more is pushed.
   * @param maxOctets  the longest line that comes whole, its end included; the same until the line has come
   */
  next(maxOctets: number): Line | undefined {
    for (let chunk = this.#queue.take(); chunk !== undefined; chunk = this.#queue.take()) {
      const end = chunk.indexOf(LF) + 1;
      this.#take(end === 0 ? chunk : chunk.subarray(0, end), maxOctets);
      if (end === 0) continue;
      this.#queue.putBack(chunk.subarray(end));
      return this.#finish();
    }
    return undefined;
  }

  /** Forgets the line in progress. */
  discard(): void {
    this.#held.clear();
    this.#tail = undefined;
  }

  #take(octets: Uint8Array, maxOctets: number): void {
    if (this.#tail === undefined && this.#held.length + octets.length <= maxOctets) {
      this.#held.append(octets, maxOctets);
      return;
    }
    const before = this.#tail ?? this.#held.octets();
    const joined = Buffer.concat([before.subarray(-TAIL_OCTETS), octets.subarray(-TAIL_OCTETS)]);
    if (this.#tail === undefined) this.#keepBeginning(octets);
    this.#tail = Uint8Array.from(joined.subarray(-TAIL_OCTETS));
  }

  #keepBeginning(octets: Uint8Array): void {
    const beginning = Buffer.concat([
      this.#held.octets().subarray(0, BEGINNING_OCTETS),
      octets.subarray(0, BEGINNING_OCTETS),
    ]);
    this.#held.clear();
    this.#held.append(beginning.subarray(0, BEGINNING_OCTETS), BEGINNING_OCTETS);
  }

  #finish(): Line {
    const isWhole = this.#tail === undefined;
    const text = withoutEnd(latin1(this.#held.octets()));
    const tail = isWhole ? text.slice(-TAIL_OCTETS) : withoutEnd(latin1(this.#tail!));
    this.discard();
    return { text, tail, isWhole };
  }
}

function withoutEnd(text: string): string {
  if (text.charCodeAt(text.length - 1) !== LF) return text;
  return text.slice(0, text.charCodeAt(text.length - 2) === CR ? -2 : -1);
}

/** Octets that come piece by piece, copied, so that no pushed chunk stays alive for them; grows by doubling. */
export class GrowingOctets {
  #room = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @param most  as many octets as there will ever be: it does not grow beyond */
  append(octets: Uint8Array, most: number): void {
    const needed = this.#length + octets.length;
    if (needed > this.#room.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(most, Math.max(64, 2 * this.#room.length))));
      grown.set(this.octets());
      this.#room = grown;
    }
    this.#room.set(octets, this.#length);
    this.#length = needed;
  }

  /** A view, valid until the next call. */
  octets(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  /** Hands them over, and holds none then. */
  take(): Uint8Array {
    const octets = this.octets();
    this.clear();
    return octets;
  }

  clear(): void {
    this.#room = new Uint8Array(0);
    this.#length = 0;
  }
}
