/**
 * Replies that were said and not sent yet, encoded, in their order: octets, merged into as few writes as may be, and
 * bodies, which are sent one at a time. Holds no socket.
 */

/** At so many replies, or so many octets, they are to be sent before another command is taken. */
const MAX_REPLIES = 64;
const MAX_OCTETS = 64 * 1024;

export class ReplyQueue {
  #waiting: (Uint8Array | AsyncIterable<Uint8Array>)[] = [];
  #octets = 0;

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Should what waits be sent before more is said? A body always, for it holds up the next command. */
  get isFull(): boolean {
    const last = this.#waiting[this.#waiting.length - 1];
    return this.#waiting.length >= MAX_REPLIES || this.#octets >= MAX_OCTETS || !(last === undefined || isOctets(last));
  }

  add(encoded: Uint8Array | AsyncIterable<Uint8Array>): void {
    // A long reply becomes a body of slices, so that a slow client that does read is not taken for one that does not.
    if (isOctets(encoded) && encoded.length > MAX_OCTETS) this.#waiting.push(slices(encoded));
    else {
      this.#waiting.push(encoded);
      if (isOctets(encoded)) this.#octets += encoded.length;
    }
  }

  /** All octets up to the first body, as one. */
  takeOctets(): Uint8Array | undefined {
    let count = 0;
    while (count < this.#waiting.length && isOctets(this.#waiting[count]!)) count += 1;
    if (count === 0) return undefined;
    const octets = this.#waiting.splice(0, count) as Uint8Array[]; // all of them were looked at above
    this.#octets = 0;
    return count === 1 ? octets[0] : Buffer.concat(octets);
  }

  /** The body that is next, once the octets before it have been taken. */
  takeBody(): AsyncIterable<Uint8Array> | undefined {
    const next = this.#waiting[0];
    if (next === undefined || isOctets(next)) return undefined;
    this.#waiting.shift();
    return next;
  }

  clear(): void {
    this.#waiting = [];
  }
}

const isOctets = (encoded: Uint8Array | AsyncIterable<Uint8Array>): encoded is Uint8Array =>
  encoded instanceof Uint8Array;

async function* slices(octets: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < octets.length; at += MAX_OCTETS) yield octets.subarray(at, at + MAX_OCTETS);
}
