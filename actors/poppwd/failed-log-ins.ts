/**
 * How many log-ins of each account have failed of late on this node, over all connections: when there were too many, it is
 * refused for a while, so that its password is not guessed here. In memory bounded by MAX_NAMES, however many names are
 * tried; a name counts whether or not it is an account's, so that no client learns of that by being refused.
 */
import type { Clock } from '../../kernel/clock.ts';

export type FailedLogInTerms = {
  /** So many failures within the interval are borne; after one more the account is refused. 0: as many as there may be. */
  readonly failures: number;
  /** A failure counts for so long. */
  readonly intervalMs: number;
};

/** A log-in under way counts as a failure, since many may be under way at once, until it turns out to be none. */
export type Try = { forgive(): void };

const ALWAYS: Try = { forgive() {} };
/** Some 300 octets each by default. A flood of more than half of these within the interval drives the oldest out. */
const MAX_NAMES = 8192;

export class FailedLogIns {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #terms: FailedLogInTerms;
  /** When each failed, oldest first: of names tried since #turnedMs, and of those tried in the turn before it only. */
  #times = new Map<string, readonly number[]>();
  #older: ReadonlyMap<string, readonly number[]> = new Map();
  #turnedMs: number;

  constructor(terms: FailedLogInTerms, clock: Pick<Clock, 'monotonic'>) {
    this.#terms = terms;
    this.#clock = clock;
    this.#turnedMs = clock.monotonic();
  }

  /** From now on, for what has failed already too. */
  allow(terms: FailedLogInTerms): void {
    this.#terms = terms;
  }

  /** May the account be logged in to? undefined: it is refused, which counts as nothing, so that it ends however many try. */
  begin(account: string): Try | undefined {
    const { failures } = this.#terms;
    if (failures === 0) return ALWAYS;
    const nowMs = this.#clock.monotonic();
    this.#turn(nowMs);
    const times = this.#recent(account, nowMs);
    if (times.length > failures) return undefined;
    this.#times.set(account, [...times, nowMs]);
    return { forgive: () => this.#forgive(account, nowMs) };
  }

  /** How many names are held in memory, for tests of its bound. */
  get size(): number {
    return this.#times.size + this.#older.size;
  }

  #recent(account: string, nowMs: number): readonly number[] {
    const times = this.#times.get(account) ?? this.#older.get(account) ?? [];
    return times.filter((atMs) => nowMs - atMs < this.#terms.intervalMs);
  }

  #forgive(account: string, atMs: number): void {
    const known = this.#times.get(account) ?? this.#older.get(account) ?? [];
    const at = known.indexOf(atMs);
    if (at < 0) return; // forgotten meanwhile
    const times = known.toSpliced(at, 1);
    if (times.length > 0 || this.#older.has(account))
      this.#times.set(account, times); // what is older must not count again
    else this.#times.delete(account);
  }

  #turn(nowMs: number): void {
    const agoMs = nowMs - this.#turnedMs;
    if (agoMs < this.#terms.intervalMs && this.#times.size < MAX_NAMES / 2) return;
    this.#older = agoMs >= 2 * this.#terms.intervalMs ? new Map() : this.#times;
    this.#times = new Map();
    this.#turnedMs = nowMs;
  }
}
