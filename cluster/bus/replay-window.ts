/**
 * Which of a sender's counters were seen: the sliding window of RFC 4303 §3.4.3, kept as RFC 6479 §2 keeps it, a ring of
 * words of which the oldest is cleared as the newest is entered. Wide, because one counter serves all of a sender's
 * frames and this receiver sees only some of them.
 */
const WORD_BITS = 32;
const WORDS = 256;

/** A counter this far below the highest is still told apart from a copy; below that it is taken for one. */
export const WINDOW = (WORDS - 1) * WORD_BITS;

export class ReplayWindow {
  readonly #seen = new Uint32Array(WORDS);
  #highest = 0;

  /** Was this counter (1, 2, 3 ...) neither seen nor left behind? Changes nothing. */
  isFresh(counter: number): boolean {
    if (counter > this.#highest) return true;
    const word = Math.floor(counter / WORD_BITS);
    if (Math.floor(this.#highest / WORD_BITS) - word >= WORDS) return false;
    return (this.#seen[word % WORDS]! & (1 << (counter % WORD_BITS))) === 0;
  }

  /** Notes a fresh counter. Only after the frame was authenticated: a forger must not move the window. */
  mark(counter: number): void {
    const word = Math.floor(counter / WORD_BITS);
    if (counter > this.#highest) {
      const newest = Math.floor(this.#highest / WORD_BITS);
      const entered = Math.min(word - newest, WORDS);
      for (let step = 1; step <= entered; step++) this.#seen[(newest + step) % WORDS] = 0;
      this.#highest = counter;
    }
    this.#seen[word % WORDS]! |= 1 << (counter % WORD_BITS);
  }
}
