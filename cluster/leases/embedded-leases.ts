/**
 * Leases of a node that is alone: nobody competes, but each start of an owner takes a new epoch, kept in the local bucket.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Bucket } from '../directory/bucket.ts';
import { heldIn } from '../directory/embedded-directory.ts';
import type { EntryStore } from '../directory/entry-store.ts';
import { encodeRecord, keys, type LeaseRecord, type MailHostRecord, type Seal } from '../directory/records.ts';
import { createListeners } from '../members/listeners.ts';
import { checkKnown } from './known-store.ts';
import type { Lease, LeaseHolder, Leases } from './ownership.ts';

export type EmbeddedLeasesOptions = {
  readonly me: string;
  readonly startId: string;
  readonly store: EntryStore;
  readonly bucket: Bucket;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
};

export function createEmbeddedLeases(options: EmbeddedLeasesOptions): Leases {
  const { me, startId, store, bucket, seal, clock, log } = options;
  const here = new Map<string, Lease>();
  return {
    async acquire(mailHost, storeEpoch, storeId, signal) {
      signal.throwIfAborted();
      if (here.get(mailHost)?.isHeld()) throw new Error(`lease: "${mailHost}" is held by this process already`);
      const known = heldIn(store, seal, keys.mailHost(mailHost))?.record.value as MailHostRecord | undefined;
      checkKnown(mailHost, known, storeId);
      const key = keys.lease(mailHost);
      const held = heldIn(store, seal, key);
      const epoch = 1 + Math.max((held?.record.value as LeaseRecord | undefined)?.epoch ?? 0, storeEpoch);
      const value: LeaseRecord = { mailHost, holder: me, startId, dataId: store.dataId, epoch };
      const after = held?.revision ?? 0;
      const record = { version: (held?.record.version ?? 0) + 1, at: clock.wall(), by: startId, after, value };
      const written = await bucket.write(key, encodeRecord(seal, key, record), after, Number.POSITIVE_INFINITY);
      if (!written.ok) throw new Error(`lease: "${mailHost}" was acquired twice at once`);
      const lease = localLease(mailHost, epoch, log);
      here.set(mailHost, lease);
      return lease;
    },
    list(): readonly LeaseHolder[] {
      return [...here.values()].map((lease) =>
        lease.isHeld()
          ? { mailHost: lease.mailHost, epoch: lease.epoch, holder: me }
          : { mailHost: lease.mailHost, epoch: lease.epoch },
      );
    },
  };
}

function localLease(mailHost: string, epoch: number, log: Log): Lease {
  const lost = createListeners<void>(log);
  let isOver = false;
  return {
    mailHost,
    epoch,
    isHeld: () => !isOver,
    onLost(listener) {
      if (isOver) queueMicrotask(listener);
      return lost.add(listener);
    },
    async release() {
      if (isOver) return;
      isOver = true;
      lost.tell();
    },
  };
}
