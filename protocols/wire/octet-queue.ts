/**
 * Octets that were pushed and not yet taken, shared by the readers of one connection (lines, message data), so that
 * none is lost when one reader takes over from another. It copies nothing: it holds the pushed chunks themselves, and
 * lets go of each as soon as it is read.
 */
const TAKEN = new Uint8Array(0);
/** Below this many taken chunks their places are not worth reclaiming. */
const COMPACT_AT = 64;

export class OctetQueue {
  #chunks: Uint8Array[] = [];
  /** Where the oldest chunk lies; those before it were taken. */
  #first = 0;

  push(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#chunks.push(bytes);
  }

  /** Takes all that is left of the oldest chunk; undefined when there is none. Never empty. */
  take(): Uint8Array | undefined {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined) return undefined;
    this.#chunks[this.#first] = TAKEN;
    this.#first += 1;
    if (this.#first === this.#chunks.length) this.clear();
    else if (this.#first >= COMPACT_AT && this.#first * 2 >= this.#chunks.length) this.#compact();
    return chunk;
  }

  /** Puts back, in front of all else, what a reader took and did not use. */
  putBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#first === 0) {
      this.#chunks.unshift(bytes);
      return;
    }
    this.#first -= 1;
    this.#chunks[this.#first] = bytes;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#first = 0;
  }

  #compact(): void {
    this.#chunks = this.#chunks.slice(this.#first);
    this.#first = 0;
  }
}
