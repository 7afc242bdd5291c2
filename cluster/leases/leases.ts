/**
 * Leases on mailHosts, kept in the directory's bucket (docs/architecture.md, "Ownership").
 *
 * The holder renews every T/3 and stops by its own clock at T after the *start* of its last renewal that went well; another
 * takes over by compare-and-set only when the key stood unchanged for T plus a margin before its own eyes, or at once when
 * the record names this very node and data directory, whose lock the caller holds: that process is dead.
 *
 * A mailHost whose only store is here (`isSoleStore`) is safe without a lease: no other node can open that store, and its
 * lock keeps a second process out, so such a lease does not lapse while the bucket is out of reach and open sessions go on.
 * It is lost at once when another is seen to hold it. With replicas of a store that is no longer true, and the clock rules.
 */
import { pause, type Timer } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { type CommitOptions, commitRecord } from '../directory/commit.ts';
import type { Held, Mirror } from '../directory/mirror.ts';
import {
  compareRecords,
  keys,
  LEASES,
  type LeaseRecord,
  type MailHostRecord,
  type StoredRecord,
} from '../directory/records.ts';
import { elapsedMs, type Moment, momentOf, waitUntil } from '../members/elapsed.ts';
import { createListeners } from '../members/listeners.ts';
import type { NodeSession } from '../members/node-session.ts';
import { checkKnown } from './known-store.ts';
import type { Lease, LeaseHolder, Leases } from './ownership.ts';

export type LeaseTiming = {
  /** T: how long a lease lasts from the start of a renewal. */
  readonly lastsMs: number;
  /** Added by whoever waits for another's lease to lapse. */
  readonly marginMs: number;
};

export const defaultLeaseTiming: LeaseTiming = { lastsMs: 6000, marginMs: 1000 };

export type LeasesOptions = {
  readonly me: string;
  readonly startId: string;
  readonly dataId: string;
  readonly mirror: Mirror;
  readonly session: NodeSession;
  readonly commit: CommitOptions;
  readonly log: Log;
  readonly timing: LeaseTiming;
  readonly isSoleStore: (mailHost: string) => boolean;
};

export function createLeases(options: LeasesOptions): Leases {
  const { mirror, session, commit, timing, me, startId, dataId } = options;
  const { clock } = commit;
  const here = new Map<string, HeldLease>();

  const isOurs = (record: LeaseRecord) => record.holder === me && record.dataId === dataId;

  /** How long until the key may be taken; 0: now. */
  const waitMs = (held: Held | undefined): number => {
    const record = held?.record.value as LeaseRecord | undefined;
    if (!held || !record || record.released || isOurs(record)) return 0;
    return Math.max(0, timing.lastsMs + timing.marginMs - session.unchangedMs(held.key));
  };

  const take = async (mailHost: string, storeEpoch: number, held: Held | undefined): Promise<HeldLease | undefined> => {
    const begun = momentOf(clock);
    const previous = held?.record.value as LeaseRecord | undefined;
    const epoch = 1 + Math.max(previous?.epoch ?? 0, storeEpoch);
    const value: LeaseRecord = { mailHost, holder: me, startId, dataId, epoch };
    const record = nextRecord(held, `${startId} ${epoch}`, clock.wall(), value);
    const outcome = await commitRecord(commit, keys.lease(mailHost), record, timing.lastsMs / 2);
    if (!outcome.ok) return undefined;
    return new HeldLease(options, value, outcome.value.held, begun);
  };

  return {
    async acquire(mailHost, storeEpoch, storeId, signal) {
      const key = keys.lease(mailHost);
      const moved = (listener: () => void) => session.onChanged(listener);
      if (here.get(mailHost)?.isHeld()) throw new Error(`lease: "${mailHost}" is held by this process already`);
      for (;;) {
        signal.throwIfAborted();
        await waitUntil(clock, moved, () => session.isLive(), Number.POSITIVE_INFINITY, signal);
        const known = mirror.get(keys.mailHost(mailHost))?.record.value as MailHostRecord | undefined;
        checkKnown(mailHost, known, storeId);
        const held = mirror.get(key);
        const revision = held?.revision;
        const ms = waitMs(held);
        if (ms > 0) {
          await waitUntil(clock, moved, () => mirror.get(key)?.revision !== revision, ms, signal);
          continue;
        }
        const lease = await take(mailHost, storeEpoch, held);
        if (lease && signal.aborted) await lease.release();
        signal.throwIfAborted();
        if (lease?.isHeld()) {
          here.set(mailHost, lease);
          return lease;
        }
        await pause(clock, commit.retryMs, signal); // another was faster, or the bucket is away: look again
      }
    },
    list(): readonly LeaseHolder[] {
      return [...mirror.list(LEASES)].flatMap(({ record }) => {
        const { mailHost, holder, epoch, released } = record.value as LeaseRecord;
        return released ? [{ mailHost, epoch }] : [{ mailHost, epoch, holder }];
      });
    },
  };
}

const nextRecord = (held: Held | undefined, by: string, at: number, value: LeaseRecord): StoredRecord => ({
  version: (held?.record.version ?? 0) + 1,
  at,
  by,
  after: held?.revision ?? 0,
  value,
});

class HeldLease implements Lease {
  readonly mailHost: string;
  readonly epoch: number;
  readonly #options: LeasesOptions;
  readonly #value: LeaseRecord;
  readonly #isSole: boolean;
  readonly #lost;
  readonly #watching;
  readonly #ending = new AbortController();
  readonly #renewing: Promise<void>;
  /** The newest record that this lease wrote. */
  #own: Held;
  #renewedAt: Moment;
  #isOver = false;
  #lapse: Timer | undefined;

  constructor(options: LeasesOptions, value: LeaseRecord, own: Held, begun: Moment) {
    this.#options = options;
    this.#value = value;
    this.#own = own;
    this.#renewedAt = begun;
    this.mailHost = value.mailHost;
    this.epoch = value.epoch;
    this.#isSole = options.isSoleStore(value.mailHost);
    this.#lost = createListeners<void>(options.log);
    this.#watching = options.mirror.onFollowed((held) => {
      if (held.key === this.#own.key) this.#see(held);
    });
    const mirrored = options.mirror.get(own.key);
    if (mirrored) this.#see(mirrored);
    this.#setLapse();
    this.#renewing = this.#renew(this.#ending.signal);
  }

  isHeld(): boolean {
    if (!this.#isOver && this.#hasLapsed()) this.#end('it lapsed before it could be renewed');
    return !this.#isOver;
  }

  onLost(listener: () => void) {
    if (this.#isOver) queueMicrotask(listener);
    return this.#lost.add(listener);
  }

  async release(): Promise<void> {
    const wasHeld = this.isHeld();
    this.#end('released');
    await this.#renewing;
    if (!wasHeld) return;
    const { commit, timing, startId, log } = this.#options;
    const value: LeaseRecord = { ...this.#value, released: true };
    const record = nextRecord(this.#ownAsMirrored(), `${startId} ${this.epoch}`, commit.clock.wall(), value);
    const outcome = await commitRecord(commit, this.#own.key, record, timing.lastsMs / 3);
    if (!outcome.ok) log.warn('a lease could not be given back; it will lapse', { mailHost: this.mailHost });
  }

  #hasLapsed(): boolean {
    const { commit, timing } = this.#options;
    return !this.#isSole && elapsedMs(commit.clock, this.#renewedAt) >= timing.lastsMs;
  }

  #setLapse(): void {
    this.#lapse?.cancel();
    if (this.#isSole || this.#isOver) return;
    const { commit, timing } = this.#options;
    const remainingMs = timing.lastsMs - elapsedMs(commit.clock, this.#renewedAt);
    this.#lapse = commit.clock.after(Math.max(0, Math.ceil(remainingMs)), () => {
      if (this.isHeld()) this.#setLapse(); // a timer that came early
    });
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#lapse?.cancel();
    void this.#watching.stop();
    this.#ending.abort();
    this.#options.log.info('lease over', { mailHost: this.mailHost, epoch: this.epoch, reason });
    this.#lost.tell();
  }

  /** A record newer than the one we wrote last and not ours: another owns it now. */
  #see(held: Held): void {
    if (this.#isOurs(held) && held.record.version >= this.#own.record.version) this.#own = held;
    else if (!this.#isOurs(held) && compareRecords(held.record, this.#own.record) > 0)
      this.#end('another node took it');
  }

  #isOurs({ record }: Held): boolean {
    const value = record.value as LeaseRecord;
    return value.startId === this.#value.startId && value.epoch === this.epoch;
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { commit, session, timing, startId, log } = this.#options;
    const { clock } = commit;
    while (!signal.aborted) {
      try {
        await pause(clock, timing.lastsMs / 3, signal);
      } catch {
        return; // over
      }
      if (!session.isLive()) continue; // what the bucket holds is not known: nothing to write upon
      const begun = momentOf(clock);
      const record = nextRecord(this.#ownAsMirrored(), `${startId} ${this.epoch}`, clock.wall(), this.#value);
      const outcome = await commitRecord(commit, this.#own.key, record, timing.lastsMs / 3);
      if (this.#isOver) {
        if (outcome.ok) this.#own = outcome.value.held; // release writes upon it
        return;
      }
      if (!outcome.ok) {
        log.warn('a lease was not renewed', { mailHost: this.mailHost, reason: outcome.refusal.kind });
        continue;
      }
      if (!this.isHeld()) return;
      this.#own = outcome.value.held;
      this.#renewedAt = begun;
      this.#setLapse();
    }
  }

  /** Our own newest record at the revision where it stands now: a repair may have moved it. */
  #ownAsMirrored(): Held {
    const mirrored = this.#options.mirror.get(this.#own.key);
    const isNewer = mirrored && mirrored.record.version >= this.#own.record.version;
    return isNewer && this.#isOurs(mirrored) ? mirrored : this.#own;
  }
}
