/**
 * How long a connection may still be waited for. A deadline is a number and no timer: the listener asks all its
 * connections together, so that an idle one costs no timer of its own.
 */
import type { Clock } from '../kernel/clock.ts';
import { type Awaited, type Limits, limitMs } from './connection-terms.ts';

export class Deadline {
  #awaited: Awaited = 'us';
  #progressed = false;
  #atMs = Number.POSITIVE_INFINITY;
  /** The client's, while we are at work unasked: it has done nothing meanwhile. */
  #clientAtMs: number | undefined;
  /** Whatever progress there is: to be logged in, and to be gone. */
  #logInByMs = Number.POSITIVE_INFINITY;
  #endByMs = Number.POSITIVE_INFINITY;

  /** The connection is there. */
  begin({ logInMs }: Limits, clock: Pick<Clock, 'monotonic'>): void {
    if (logInMs !== undefined) this.#logInByMs = clock.monotonic() + logInMs;
  }

  /** It is to end then, whatever is awaited. */
  endBy(atMs: number): void {
    this.#endByMs = Math.min(this.#endByMs, atMs);
  }

  /** What is awaited has come a step further. Octets that complete no command are no progress. */
  progress(): void {
    this.#progressed = true;
  }

  /**
   * Begins anew when something else is awaited than before, or when there was progress. What we say unasked, as news in IDLE of
   * IMAP, gives the client no more time.
   */
  watch(awaited: Awaited, limits: Limits, clock: Pick<Clock, 'monotonic'>): void {
    if (awaited === this.#awaited && !this.#progressed) return;
    const isResumed = awaited === 'client' && this.#awaited === 'us' && !this.#progressed;
    const atMs = isResumed ? this.#clientAtMs : undefined;
    const isUnasked = awaited === 'us' && this.#awaited === 'client' && !this.#progressed;
    this.#clientAtMs = isUnasked ? this.#atMs : undefined;
    this.#awaited = awaited;
    this.#progressed = false;
    this.#atMs = atMs ?? clock.monotonic() + limitMs(awaited, limits);
  }

  /** Has it had its time to log in? */
  isLogInOverdue(nowMs: number): boolean {
    return nowMs >= this.#logInByMs;
  }

  isEnd(nowMs: number): boolean {
    return nowMs >= this.#endByMs;
  }

  /** What was awaited for too long; undefined while there is time. */
  missed(nowMs: number): Awaited | undefined {
    return nowMs < this.#atMs ? undefined : this.#awaited;
  }
}
