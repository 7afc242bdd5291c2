/**
 * The bucket of a node that is alone: the directory's LMDB itself, fsynced before anything is acknowledged.
 *
 * One process holds the data directory, so there is one client; compare-and-set stays, because that client has many hands.
 */
import { accept, refuse } from '../../kernel/result.ts';
import { type Bucket, BucketFault, type Entry, type WatchEvent } from './bucket.ts';
import { NoRoom } from './entry-database.ts';
import type { EntryStore, StoredEntry } from './entry-store.ts';

export function createLocalBucket(store: EntryStore): Bucket {
  /** Writes follow one another: the check and the commit of one are not parted by another's. */
  let queue: Promise<unknown> = Promise.resolve();
  const watchers = new Set<(event: WatchEvent | 'closed') => void>();
  let closed = false;

  const writeNext = async (key: string, value: Uint8Array, expectedRevision: number) => {
    if (closed) throw new BucketFault('unavailable', `write ${key}`);
    if ((store.get(key)?.revision ?? 0) !== expectedRevision) return refuse('conflict' as const);
    const remembered = store.remembered();
    const revision = remembered.revision + 1;
    try {
      await store.commit([{ key, revision, sealed: value }], { ...remembered, revision });
    } catch (error) {
      // a transaction that failed for another reason may yet be found on the disk after a restart
      throw new BucketFault(error instanceof NoRoom ? 'unavailable' : 'unknown', `write ${key}`, { cause: error });
    }
    for (const push of watchers) push({ kind: 'entry', entry: { key, revision, value } });
    return accept(revision);
  };

  return {
    write(key, value, expectedRevision) {
      const written = queue.then(() => writeNext(key, value, expectedRevision));
      queue = written.catch(() => {});
      return written;
    },
    async read(key) {
      if (closed) throw new BucketFault('unavailable', `read ${key}`);
      const stored = store.get(key);
      return stored && asEntry(stored);
    },
    async *watch(after, signal) {
      if (closed) throw new BucketFault('unavailable', 'watch');
      const old = [...store.list('')].filter(({ revision }) => revision > after);
      old.sort((a, b) => a.revision - b.revision);
      const events: (WatchEvent | 'closed')[] = old.map((stored) => ({ kind: 'entry', entry: asEntry(stored) }));
      events.push({ kind: 'caught-up' });
      let wake = () => {};
      const push = (event: WatchEvent | 'closed') => {
        events.push(event);
        wake();
      };
      const onAbort = () => wake();
      watchers.add(push);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        while (!signal.aborted) {
          const event = events.shift();
          if (event === 'closed') throw new BucketFault('unavailable', 'watch');
          if (event) yield event;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        watchers.delete(push);
        signal.removeEventListener('abort', onAbort);
      }
    },
    async close() {
      closed = true;
      await queue;
      for (const push of watchers) push('closed');
    },
  };
}

const asEntry = ({ key, revision, sealed }: StoredEntry): Entry => ({ key, revision, value: sealed });
