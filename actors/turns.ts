/**
 * Sessions that have more to do than one turn's worth wait here for the next, one after the other, over all listeners of a node.
 * However many they are, they get about as much of each round of the loop as all else: the runtime accepts one connection of a
 * listener, and reads each socket once, for every round, so that a long round holds up whoever has just come.
 */
import type { Clock } from '../kernel/clock.ts';

/** Of turns in one round: as long as the rest of it took, within these. */
const LEAST_MS = 1;
const MOST_MS = 5;
/** Of that, after somebody has come, behind whom others may wait to be accepted. */
const SHARE_AFTER_ARRIVAL = 1 / 4;

export interface Taker {
  /** Does one turn's worth; waits again if there is more. Must not throw. */
  takeTurn(): void;
}

export class Turns {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** Those from #next on. */
  #waiting: Taker[] = [];
  #next = 0;
  /** Since the last round. */
  #hasArrival = false;
  #endedMs = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** A connection was accepted. */
  arrived(): void {
    this.#hasArrival = true;
  }

  /** Behind all who wait already. */
  wait(taker: Taker): void {
    if (this.#waiting.push(taker) === 1) setImmediate(this.#round);
  }

  readonly #round = (): void => {
    const begunMs = this.#clock.monotonic();
    const shareMs = Math.min(MOST_MS, Math.max(LEAST_MS, begunMs - this.#endedMs));
    const endMs = begunMs + shareMs * (this.#hasArrival ? SHARE_AFTER_ARRIVAL : 1);
    this.#hasArrival = false;
    let nowMs = begunMs;
    for (const last = this.#waiting.length; this.#next < last; ) {
      this.#waiting[this.#next++]!.takeTurn();
      nowMs = this.#clock.monotonic();
      if (nowMs >= endMs) break;
    }
    this.#endedMs = nowMs;
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
    if (this.#waiting.length > 0) setImmediate(this.#round);
  };
}
