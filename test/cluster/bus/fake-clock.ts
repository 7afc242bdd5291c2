/** A clock that stands still until a test moves it. */
import type { Clock, Timer } from '../../../kernel/clock.ts';

type Alarm = { readonly at: number; readonly order: number; readonly then: () => void };

export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #alarms = new Set<Alarm>();
  readonly #startedAt: number;

  constructor(startedAt = 1_700_000_000_000) {
    this.#startedAt = startedAt;
  }

  monotonic(): number {
    return this.#now;
  }

  wall(): number {
    return this.#startedAt + this.#now;
  }

  after(ms: number, then: () => void): Timer {
    const alarm: Alarm = { at: this.#now + Math.max(0, ms), order: this.#order++, then };
    this.#alarms.add(alarm);
    return { cancel: () => void this.#alarms.delete(alarm) };
  }

  /** Timers that are set and not yet due. */
  get waiting(): number {
    return this.#alarms.size;
  }

  /** Moves the time on, and runs what falls due on the way, in order, at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#alarms].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      this.#alarms.delete(due);
      this.#now = due.at;
      due.then();
    }
    this.#now = end;
  }
}
