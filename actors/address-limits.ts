/**
 * How many connections a subscriber's address has on one listener, and how fast it makes them: a count of those open, and
 * a bucket of tokens that fills again within a minute. In memory bounded by what is open and MAX_BUCKETS, however many
 * addresses a flood has. Knows no socket and says nothing.
 */
import { type IpAddress, subscriberOf } from '../kernel/ip-address.ts';

export type AddressTerms = {
  /** Most connections open at once. */
  readonly connections: number;
  /** Most new ones in a minute; a minute's worth may come at once. */
  readonly perMinute: number;
};

/** 0 in the terms. */
const NO_LIMIT = 0;
const MINUTE_MS = 60_000;
/** Some 150 octets each. A flood from more addresses than half of these within a minute drives the oldest out. */
const MAX_BUCKETS = 16_384;

/** Tokens at a time of the clock's monotonic milliseconds. */
type Bucket = { readonly tokens: number; readonly atMs: number };

export class AddressLimits {
  readonly #open = new Map<IpAddress, number>();
  /** Those used since #turnedMs, and those used in the turn before it. What no turn has used is full: the same as none. */
  #buckets = new Map<IpAddress, Bucket>();
  #older: ReadonlyMap<IpAddress, Bucket> = new Map();
  #turnedMs = 0;

  /** Lets one more in and counts it, to be given back by `release`; or says which limit it is over, and counts nothing. */
  admit(address: IpAddress, terms: AddressTerms, nowMs: number): 'admitted' | 'too-many' | 'too-fast' {
    const subscriber = subscriberOf(address);
    const open = this.#open.get(subscriber) ?? 0;
    if (terms.connections !== NO_LIMIT && open >= terms.connections) return 'too-many';
    if (terms.perMinute !== NO_LIMIT && !this.#takeToken(subscriber, terms.perMinute, nowMs)) return 'too-fast';
    this.#open.set(subscriber, open + 1);
    return 'admitted';
  }

  /** One that was admitted has ended. */
  release(address: IpAddress): void {
    const subscriber = subscriberOf(address);
    const open = this.#open.get(subscriber) ?? 0;
    if (open > 1) this.#open.set(subscriber, open - 1);
    else this.#open.delete(subscriber);
  }

  /** What is held in memory, for tests of its bounds. */
  get size(): { readonly open: number; readonly buckets: number } {
    return { open: this.#open.size, buckets: this.#buckets.size + this.#older.size };
  }

  #takeToken(subscriber: IpAddress, perMinute: number, nowMs: number): boolean {
    this.#turn(nowMs);
    const bucket = this.#buckets.get(subscriber) ?? this.#older.get(subscriber);
    const { tokens, atMs } = bucket ?? { tokens: perMinute, atMs: nowMs };
    const filled = Math.min(perMinute, tokens + ((nowMs - atMs) * perMinute) / MINUTE_MS);
    const isThere = filled >= 1;
    this.#buckets.set(subscriber, { tokens: isThere ? filled - 1 : filled, atMs: nowMs });
    return isThere;
  }

  #turn(nowMs: number): void {
    const isOver = nowMs - this.#turnedMs >= MINUTE_MS;
    if (!isOver && this.#buckets.size < MAX_BUCKETS / 2) return;
    this.#older = nowMs - this.#turnedMs >= 2 * MINUTE_MS ? new Map() : this.#buckets;
    this.#buckets = new Map();
    this.#turnedMs = nowMs;
  }
}
