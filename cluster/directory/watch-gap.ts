/**
 * Whether a watch has told everything, although the stream keeps each key's newest entry only: pure, fed by jetstream-watch.ts.
 *
 * A consumer that lags passes over entries that were overwritten before their turn; the sequences it tells then have a hole.
 * Whatever overwrote them was in the stream by then, so it lies at or below the last sequence that the leader names when
 * asked after the hole. Told up to there without another hole, nothing is missing. A watch begins as if after a hole.
 */
export class WatchGap {
  #told: number;
  /** What was told first after the newest hole; undefined: nothing is missing. */
  #hole: number | undefined;
  /** The gap closes when this was told, unless there is another hole before. */
  #closesAt: number | undefined;
  /** To ask again before this was told would be in vain. */
  #askAt: number;
  #isAsking = false;

  constructor(after: number) {
    this.#told = after;
    this.#hole = after;
    this.#askAt = after;
  }

  isOpen(): boolean {
    return this.#hole !== undefined;
  }

  /** Takes what the watch tells next. */
  tell(sequence: number): void {
    if (sequence !== this.#told + 1) {
      this.#hole = sequence;
      this.#askAt = this.#closesAt ?? this.#askAt;
      this.#closesAt = undefined;
    }
    this.#told = sequence;
    this.#close();
  }

  /** What was told by now, if the leader is to be asked for its last sequence; each such question gets one `answer`. */
  question(): number | undefined {
    const isDue = this.isOpen() && this.#closesAt === undefined && !this.#isAsking && this.#told >= this.#askAt;
    if (!isDue) return undefined;
    this.#isAsking = true;
    return this.#told;
  }

  /** @param last  the leader's last sequence, asked for when `told` had been told */
  answer(told: number, last: number): void {
    this.#isAsking = false;
    if (this.#hole === undefined) return;
    if (this.#hole <= told) this.#closesAt = last;
    else this.#askAt = last; // a hole since: the holes of a stream's past end there
    this.#close();
  }

  #close(): void {
    if (this.#closesAt === undefined || this.#told < this.#closesAt) return;
    this.#hole = undefined;
    this.#closesAt = undefined;
  }
}
