/**
 * Writes back what the bucket has lost: the mirror's newer record over the older one, by compare-and-set.
 *
 * All nodes may do so at once: one write of each key wins, the others conflict and see the winner by their watch. A bucket
 * that went back first gets a new generation, so that every node sweeps its mirror against it before it answers a login.
 */
import type { Clock } from '../../kernel/clock.ts';
import { pause } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { waitUntil } from '../members/elapsed.ts';
import { type Bucket, BucketFault } from './bucket.ts';
import type { Mirror } from './mirror.ts';
import { encodeRecord, type GenerationRecord, keys, type Seal } from './records.ts';

export type RepairOptions = {
  readonly bucket: Bucket;
  readonly mirror: Mirror;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
  readonly startId: string;
  readonly requestTimeoutMs: number;
  readonly retryMs: number;
};

const AT_ONCE = 32;

/**
 * Opens new generations while one is due, then writes back every broken key but `except`. Ends when nothing is left or the
 * signal is aborted, and never rejects; what is left then is the next session's.
 *
 * @param due  why a new generation is due, if one is
 */
export async function mend(
  options: RepairOptions,
  due: () => string | undefined,
  except: string,
  signal: AbortSignal,
): Promise<void> {
  const { mirror, clock, log, retryMs } = options;
  while (!signal.aborted) {
    try {
      const reason = due();
      if (reason === undefined) return await writeBack(options, except, signal);
      await openGeneration(options, reason);
      await waitUntil(clock, mirror.onMoved, () => due() === undefined, retryMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof BucketFault) log.debug('repair interrupted', { reason: error.message });
      else log.error('repair failed', { error });
      await pause(clock, retryMs, signal).catch(() => {}); // aborted: the loop ends by itself
    }
  }
}

/** Opens the next generation. Resolves also when another node was first; rejects with BucketFault. */
async function openGeneration(options: RepairOptions, reason: string): Promise<void> {
  const { bucket, mirror, seal, clock, log, startId, requestTimeoutMs } = options;
  const held = mirror.get(keys.generation);
  const after = mirror.broken().get(keys.generation) ?? held?.revision ?? 0;
  const value: GenerationRecord = { reason };
  const record = { version: (held?.record.version ?? 0) + 1, at: clock.wall(), by: startId, after, value };
  const written = await bucket.write(
    keys.generation,
    encodeRecord(seal, keys.generation, record),
    after,
    requestTimeoutMs,
  );
  if (written.ok) log.warn('directory: a new generation begins', { generation: record.version, reason });
}

/** Writes back every broken key but `except`, until none is left or the signal is aborted. Never rejects but by the signal. */
async function writeBack(options: RepairOptions, except: string, signal: AbortSignal): Promise<void> {
  const { bucket, mirror, seal, clock, log, requestTimeoutMs, retryMs } = options;
  /** Revisions already written over; the watch will tell what became of them. */
  const tried = new Map<string, number>();
  const writeOne = async (key: string, revision: number): Promise<void> => {
    const held = mirror.get(key);
    if (!held) return;
    tried.set(key, revision);
    try {
      // the same record sealed anew, and upon nothing: neither its octets nor its word may pass for the entry that was lost
      const { upon: _, ...record } = held.record;
      const sealed = encodeRecord(seal, key, { ...record, after: revision });
      await bucket.write(key, sealed, revision, requestTimeoutMs);
    } catch (error) {
      if (!(error instanceof BucketFault)) throw error;
      tried.delete(key);
    }
  };
  while (!signal.aborted) {
    const broken = [...mirror.broken()].filter(([key]) => key !== except);
    if (broken.length === 0) return;
    const due = broken.filter(([key, revision]) => tried.get(key) !== revision).slice(0, AT_ONCE);
    if (due.length > 0) {
      log.warn('directory: writing back', { keys: due.length, left: broken.length });
      await Promise.all(due.map(([key, revision]) => writeOne(key, revision)));
    }
    if (due.length === 0 || due.some(([key]) => !tried.has(key))) await pause(clock, retryMs, signal);
  }
}
