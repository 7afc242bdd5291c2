/**
 * This node's copy of the bucket: what is followed, what is refused, and what must be written back.
 *
 * A record is followed only when it rises above the one mirrored (records.ts gives the order). Anything else under a known
 * key (an older record, garbage, a raw delete, an absence) is a bucket that went back, or a forgery: the mirror keeps what it
 * has and lists the key as `broken` until the bucket holds it again. The mirror talks to no bucket; node-session.ts feeds it.
 */
import type { Log } from '../../telemetry/log.ts';
import type { Service } from '../bus/bus.ts';
import { createListeners } from '../members/listeners.ts';
import type { Entry } from './bucket.ts';
import type { EntryStore, StoredEntry } from './entry-store.ts';
import { compareRecords, decodeRecord, keys, type Seal, type StoredRecord } from './records.ts';

export type Held = { readonly key: string; readonly revision: number; readonly record: StoredRecord };

/** `went-back`: a revision not above one this watch has told already; nothing of it was taken. */
export type Verdict = 'followed' | 'same' | 'refused' | 'ignored' | 'went-back';

export type Mirror = ReturnType<typeof createMirror>;

export function createMirror(store: EntryStore, seal: Seal, log: Log) {
  const followed = createListeners<Held>(log);
  const moved = createListeners<void>(log);
  /** Keys whose newest entry in the bucket must be replaced by what is mirrored, and that entry's revision (0: none). */
  const broken = new Map<string, number>();
  /** Keys told or written in this watch while it catches up; undefined once it has. */
  let seen: Set<string> | undefined = new Set();
  /** The watch has yet to tell what overwrote an entry that it passed over: what is mirrored may lack both. */
  let hasGap = true;
  let after = 0;
  let delivered = 0;
  let sweeps = 0;

  const decode = (entry: StoredEntry): Held | undefined => {
    const record = decodeRecord(seal, entry.key, entry.sealed);
    return record && { key: entry.key, revision: entry.revision, record };
  };

  const get = (key: string): Held | undefined => {
    const stored = store.get(key);
    if (!stored) return undefined;
    const held = decode(stored);
    if (!held) throw new Error(`directory: the mirrored entry "${key}" does not open with this cluster key`);
    return held;
  };

  const take = (held: Held, sealed: Uint8Array) => {
    store.put([{ key: held.key, revision: held.revision, sealed }]);
    broken.delete(held.key);
    followed.tell(held);
  };

  const judge = (entry: Entry): Verdict => {
    const { key, revision, value } = entry;
    const mine = get(key);
    const record = value && decodeRecord(seal, key, value);
    if (!mine) {
      if (record) take({ key, revision, record }, value);
      else log.warn('directory: an entry that is no record of ours is ignored', { key, revision });
      return record ? 'followed' : 'ignored';
    }
    const rise = record ? compareRecords(record, mine.record) : -1;
    if (rise < 0 || !record) {
      broken.set(key, revision);
      log.error('directory: an entry went back or was forged; not followed', {
        key,
        revision,
        version: record?.version ?? 'none',
        mirroredRevision: mine.revision,
        mirroredVersion: mine.record.version,
      });
      return 'refused';
    }
    if (rise === 0) {
      // the record we hold, where it was or written back by a node that repaired
      broken.delete(key);
      if (revision !== mine.revision) store.put([{ key, revision, sealed: value! }]);
      return 'same';
    }
    if (record.version === mine.record.version)
      log.error('directory: two histories reached one version; the later by its clock is kept', { key, revision });
    take({ key, revision, record }, value!);
    return 'followed';
  };

  return {
    get,
    /** Every record whose key begins with `prefix`. */
    *list(prefix: string): Iterable<Held> {
      for (const stored of store.list(prefix)) {
        const held = decode(stored);
        if (held) yield held;
      }
    },
    /** The mirrored value as it is in the bucket, for writing it back. */
    sealed: (key: string): Uint8Array | undefined => store.get(key)?.sealed,

    /** A watch of everything above `revision` begins; what is mirrored up to there was proven to stand in the bucket. */
    begin(revision: number): void {
      after = revision;
      delivered = revision;
      if (revision === 0) sweeps++;
      seen = new Set();
      hasGap = true;
      broken.clear();
    },
    /** The watch passed over entries, or has told by now all that overwrote them. */
    setGap(isOpen: boolean): void {
      hasGap = isOpen;
      moved.tell();
    },
    hasGap: (): boolean => hasGap,
    deliver(entry: Entry): Verdict {
      if (entry.revision <= delivered) return 'went-back';
      delivered = entry.revision;
      seen?.add(entry.key);
      const verdict = judge(entry);
      moved.tell();
      return verdict;
    },
    /** All that the bucket had was told: what we hold above where the watch began and were not told, the bucket has lost. */
    caughtUp(): void {
      const told = seen!;
      seen = undefined;
      for (const [key, revision] of store.revisions()) {
        if (revision <= after || told.has(key)) continue;
        broken.set(key, 0);
        log.error('directory: the bucket has lost an entry', { key, mirroredRevision: revision });
      }
      moved.tell();
    },
    /** Has this watch caught up? */
    isLive: (): boolean => seen === undefined,
    /** Takes what this node itself just wrote upon `expectedRevision`, without waiting for the watch to tell it. */
    writeThrough(held: Held, sealed: Uint8Array, expectedRevision: number): void {
      const mine = get(held.key);
      // the watch was faster, or brought another history in which that revision is another entry
      if ((mine?.revision ?? 0) !== expectedRevision || (mine && compareRecords(held.record, mine.record) <= 0)) return;
      seen?.add(held.key);
      take(held, sealed);
      moved.tell();
    },
    broken: (): ReadonlyMap<string, number> => broken,
    /** The newest revision that this watch has told. */
    applied: (): number => delivered,
    /** How many watches began from nothing: the same number twice, and no revision has changed its meaning between. */
    sweeps: (): number => sweeps,
    /** The bucket's generation as mirrored; 0 before the first. */
    generation: (): number => get(keys.generation)?.record.version ?? 0,
    /** The generation that was swept whole with nothing left to repair; -1: none. */
    sweptGeneration: (): number => store.remembered().generation,
    /** This generation is swept, nothing is left to repair, and the bucket is trusted again. */
    trust(generation: number): void {
      store.put([], { ...store.remembered(), generation, isDistrusted: false });
    },
    /**
     * The bucket contradicts this mirror: what stands in it proves nothing until all of it was told again. Kept on the disk, in
     * order with the entries, so that neither a new watch nor a restart forgets it while the contradiction stands.
     */
    distrust(): void {
      if (!store.remembered().isDistrusted) store.put([], { ...store.remembered(), isDistrusted: true });
    },
    isDistrusted: (): boolean => store.remembered().isDistrusted === true,
    /** Resolves once everything taken so far is on the disk, or what was taken under `key` alone. */
    durable: (key?: string): Promise<void> => store.durable(key),
    /** Each record newly followed. */
    onFollowed: (listener: (held: Held) => void): Service => followed.add(listener),
    /** Anything at all moved: a wake-up for those who wait on a condition. */
    onMoved: (listener: () => void): Service => moved.add(listener),
  };
}
