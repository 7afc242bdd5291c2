/**
 * Freshness as of when: the moments at which this node began the heartbeats that its own mirror has since applied.
 *
 * The moment is noted before the heartbeat is written, so whatever was committed before it lies before the heartbeat in the
 * bucket's order and is in the mirror by the time the watch tells the heartbeat itself, unless the watch has a gap then
 * (bucket.ts): the caller waits until that is closed.
 */
import type { Moment } from './elapsed.ts';

/** Far more than begin while one may still be told. */
const MOST_PENDING = 1000;

export class Heartbeats {
  readonly #pending: { readonly version: number; readonly begun: Moment }[] = [];
  #heard: Moment | undefined;

  begun(version: number, begun: Moment): void {
    if (this.#pending.length >= MOST_PENDING) this.#pending.shift(); // hearing that one would make nothing fresh any more
    this.#pending.push({ version, begun });
  }

  /** The watch told this version of our own registration. False: it is none that we wrote in this session. */
  hear(version: number): boolean {
    const index = this.#pending.findIndex((beat) => beat.version === version);
    if (index < 0) return false;
    this.#heard = this.#pending[index]!.begun;
    this.#pending.splice(0, index + 1); // older ones can't come any more: compare-and-set put them in order
    return true;
  }

  /** When the newest heartbeat heard was begun. */
  heard(): Moment | undefined {
    return this.#heard;
  }
}
