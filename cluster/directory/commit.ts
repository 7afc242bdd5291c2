/**
 * One record into the bucket, and what became of it: also when the acknowledgement was lost.
 *
 * The record names the operation that wrote it, so the leader's copy tells whether it is ours; and the same octets upon the
 * same revision may be written again without harm, since only one of the two can land.
 */
import { type Clock, pause } from '../../kernel/clock.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';
import { type Bucket, type BucketFailure, BucketFault, type Entry } from './bucket.ts';
import type { Held } from './mirror.ts';
import { decodeRecord, encodeRecord, type Seal, type StoredRecord } from './records.ts';

export type CommitOptions = {
  readonly bucket: Bucket;
  readonly seal: Seal;
  /** What this node's own watch has told of a key: our record there is as good as an acknowledgement. */
  readonly mirrored?: (key: string) => Held | undefined;
  /** Changes when revisions may have changed their meaning: then nothing is tried again. */
  readonly history?: () => number;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  readonly retryMs: number;
};

export type Committed = {
  readonly held: Held;
  readonly sealed: Uint8Array;
  /** On this node's monotonic clock: when the commit was certain. */
  readonly certainAt: number;
};

/** `conflict`: surely not written, and `newest` is what the leader has instead (undefined: not known). */
export type NotCommitted =
  | { readonly kind: 'conflict'; readonly newest: { readonly revision: number } | undefined }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'unknown' };

/** @param record  its `after` is the revision that the key must still have */
export async function commitRecord(
  options: CommitOptions,
  key: string,
  record: StoredRecord,
  timeoutMs: number,
): Promise<Result<Committed, NotCommitted>> {
  const { bucket, seal, clock, requestTimeoutMs, retryMs } = options;
  const sealed = encodeRecord(seal, key, record);
  const deadline = clock.monotonic() + timeoutMs;
  const done = (revision: number) =>
    accept({ held: { key, revision, record }, sealed, certainAt: clock.monotonic() } as const);
  /** An attempt was not acknowledged: it may stand, or may yet land. */
  let mayStand = false;
  const history = options.history?.();
  for (;;) {
    const attempt = await written(bucket, key, sealed, record.after, requestTimeoutMs);
    if (attempt.ok) return done(attempt.value);
    if (attempt.refusal === 'conflict') {
      const newest = await leaders(bucket, key, requestTimeoutMs);
      if (newest !== 'unavailable') {
        const found = newest?.value && decodeRecord(seal, key, newest.value);
        if (found && isSame(found, record)) return done(newest.revision);
        // an earlier attempt may have landed and been followed by another's, or lost by the bucket and kept by a mirror
        if (mayStand) return refuse({ kind: 'unknown' });
        return refuse({ kind: 'conflict', newest: { revision: newest?.revision ?? 0 } });
      }
      if (!mayStand) return refuse({ kind: 'conflict', newest: undefined });
    } else if (attempt.refusal === 'unknown') mayStand = true;
    else if (!mayStand) return refuse({ kind: 'unavailable' });
    const told = options.mirrored?.(key);
    if (told && isSame(told.record, record)) return done(told.revision);
    if (clock.monotonic() + retryMs >= deadline) return refuse({ kind: 'unknown' });
    await pause(clock, retryMs);
    if (options.history?.() !== history) return refuse({ kind: 'unknown' });
  }
}

async function written(
  bucket: Bucket,
  key: string,
  sealed: Uint8Array,
  expectedRevision: number,
  timeoutMs: number,
): Promise<Result<number, 'conflict' | BucketFailure>> {
  try {
    return await bucket.write(key, sealed, expectedRevision, timeoutMs);
  } catch (error) {
    if (error instanceof BucketFault) return refuse(error.failure);
    throw error;
  }
}

async function leaders(bucket: Bucket, key: string, timeoutMs: number): Promise<Entry | undefined | 'unavailable'> {
  try {
    return await bucket.read(key, timeoutMs);
  } catch (error) {
    if (error instanceof BucketFault) return 'unavailable';
    throw error;
  }
}

const isSame = (a: StoredRecord, b: StoredRecord): boolean => a.by === b.by && a.version === b.version && a.at === b.at;
