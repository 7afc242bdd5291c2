/**
 * Registrations as entries of the bucket: taking one's own name, proving by it that the bucket is the one this node knew,
 * and removing those of the dead. node-session.ts says when.
 */
import { type Clock, pause } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { type Bucket, BucketFault, type Entry } from '../directory/bucket.ts';
import type { Held, Mirror } from '../directory/mirror.ts';
import {
  type ClusterSettings,
  compareRecords,
  decodeRecord,
  encodeRecord,
  fingerprint,
  keys,
  NODES,
  type Registration,
  type Seal,
  type StoredRecord,
} from '../directory/records.ts';
import type { Timing } from './timing.ts';

export type NodeSessionOptions = {
  readonly me: string;
  /** Unique to this start of the process. */
  readonly startId: string;
  /** Identity of the data directory, whose lock the caller holds: so a process registered with it before is dead. */
  readonly dataId: string;
  readonly mailHosts: readonly string[];
  readonly bucket: Bucket;
  readonly mirror: Mirror;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
  readonly timing: Timing;
};

/** A session that can't go on; the next one begins at once. */
export class SessionOver extends Error {}

/**
 * Waits until this node's name is free: no registration, one of this data directory (whose lock we hold, so that process
 * is dead), or one that stood unchanged for max-stale plus margin.
 * @returns the entry that the first heartbeat is written upon
 */
export async function claimName(
  options: NodeSessionOptions,
  settings: ClusterSettings | undefined,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  const { bucket, clock, log, seal, dataId, me, timing } = options;
  const key = keys.node(me);
  let seen: { readonly revision: number; readonly since: number } | undefined;
  for (;;) {
    const own = await bucket.read(key, timing.requestTimeoutMs);
    const record = own?.value && decodeRecord(seal, key, own.value);
    const registration = record?.value as Registration | undefined;
    if (!own || !registration || registration.dataId === dataId) return own;
    if (seen?.revision !== own.revision) seen = { revision: own.revision, since: clock.monotonic() };
    const { maxStaleMs } = settings ?? (await leadersSettings(options));
    const waitMs = maxStaleMs + timing.marginMs - (clock.monotonic() - seen.since);
    if (waitMs <= 0) return own;
    log.warn('this name is registered by another data directory; waiting', { me, waitMs });
    await pause(clock, Math.min(waitMs, timing.heartbeatMs / 2), signal);
  }
}

async function leadersSettings({ bucket, seal, timing }: NodeSessionOptions): Promise<ClusterSettings> {
  const entry = await bucket.read(keys.settings, timing.requestTimeoutMs);
  const settings = entry?.value && (decodeRecord(seal, keys.settings, entry.value)?.value as ClusterSettings);
  if (!settings) throw new SessionOver('the bucket has no settings that this cluster key opens');
  return settings;
}

export type Standing = {
  /**
   * Up to which revision the bucket is the one this mirror knows: our own entry stands where we applied it, octet by octet,
   * or what stands there now was written upon those octets. 0: not proven, everything must be swept.
   */
  readonly provenRevision: number;
  /** The bucket has an older registration of ours than the one we know to have written. */
  readonly isOlder: boolean;
  /** The highest version known of our registration. */
  readonly version: number;
};

/**
 * @param own  this node's entry as the leader has it
 * @param acknowledged  the version of our newest acknowledged heartbeat
 */
export async function standing(
  options: NodeSessionOptions,
  own: Entry | undefined,
  acknowledged: number,
): Promise<Standing> {
  const { me, mirror, seal } = options;
  const key = keys.node(me);
  const mine = mirror.get(key);
  const record = own?.value && decodeRecord(seal, key, own.value);
  const isBelowMirrored = mine !== undefined && (!record || compareRecords(record, mine.record) < 0);
  return {
    provenRevision: own && record && mine && !isBelowMirrored ? await proven(options, mine, own, record) : 0,
    isOlder: isBelowMirrored || (record?.version ?? 0) < acknowledged,
    version: Math.max(acknowledged, record?.version ?? 0, mine?.record.version ?? 0),
  };
}

async function proven(options: NodeSessionOptions, mine: Held, own: Entry, record: StoredRecord): Promise<number> {
  const { mirror } = options;
  if (mirror.sweptGeneration() < 0 || mirror.sweptGeneration() !== mirror.generation()) return 0;
  const known = fingerprint(mirror.sealed(mine.key)!);
  if (own.revision === mine.revision) return fingerprint(own.value!) === known ? mine.revision : 0;
  // A compare-and-set compares revisions: where the bucket went back, what others wrote back of ours may have got that very one.
  const isUpon = own.revision > mine.revision && record.upon === known && (await isGenerationMirrored(options));
  return isUpon ? mine.revision : 0;
}

/** Who finds that the bucket went back opens a generation before it writes back: the leader has no other than this mirror's. */
async function isGenerationMirrored({ bucket, mirror, timing }: NodeSessionOptions): Promise<boolean> {
  const entry = await bucket.read(keys.generation, timing.requestTimeoutMs);
  const mirrored = mirror.sealed(keys.generation);
  if (!entry?.value || !mirrored) return entry === undefined && mirrored === undefined;
  return fingerprint(entry.value) === fingerprint(mirrored);
}

/** Seals a registration, or its tombstone, upon the octets that it replaces. */
export function sealUpon(seal: Seal, key: string, record: StoredRecord, previous: Uint8Array | undefined): Uint8Array {
  return encodeRecord(seal, key, previous ? { ...record, upon: fingerprint(previous) } : record);
}

/** Deregisters nodes whose key stood unchanged: by compare-and-set, so that one which just spoke keeps it. */
export async function removeDead(
  { bucket, clock, mirror, me, startId, seal, timing, log }: NodeSessionOptions,
  maxStaleMs: number,
  unchangedMs: (key: string) => number,
): Promise<void> {
  const limitMs = Math.max(timing.deregisterAfterMs, maxStaleMs + timing.marginMs);
  const remove = async ({ key, revision, record }: Held): Promise<void> => {
    const tombstone = { version: record.version + 1, at: clock.wall(), by: startId, after: revision };
    const sealed = sealUpon(seal, key, tombstone, mirror.sealed(key));
    try {
      const written = await bucket.write(key, sealed, revision, timing.requestTimeoutMs);
      if (written.ok) log.warn('a silent node was deregistered', { node: (record.value as Registration).me });
    } catch (error) {
      if (!(error instanceof BucketFault)) throw error; // else: the next heartbeat tries again
    }
  };
  const isDead = ({ key, record }: Held) =>
    key !== keys.node(me) && record.value !== undefined && unchangedMs(key) >= limitMs;
  await Promise.all([...mirror.list(NODES)].filter(isDead).map(remove));
}
