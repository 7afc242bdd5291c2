/**
 * An EntryStore in memory, for tests and the simulator. What is durable is kept apart from what is only visible, so that
 * `crash` gives what a power failure would leave.
 */
import { NoRoom } from './entry-database.ts';
import type { EntryStore, Remembered, StoredEntry } from './entry-store.ts';

export type MemoryEntryStore = EntryStore & {
  /** A store with what had reached the disk, as a restart would find it. */
  crash(): MemoryEntryStore;
  /** While set, nothing reaches the disk; or nothing under a key that is not there yet. */
  full(isFull: boolean | 'for new keys'): void;
};

type Disk = { readonly entries: Map<string, StoredEntry>; remembered: Remembered };

export function memoryEntryStore(dataId: string, disk: Disk = emptyDisk()): MemoryEntryStore {
  const visible = new Map(disk.entries);
  let remembered = disk.remembered;
  let isFull: boolean | 'for new keys' = false;
  let closed = false;

  const noRoom = () => new NoRoom('directory: no room left on the disk');
  const lacks = (keys: Iterable<string>) => [...keys].some((key) => !disk.entries.has(key));
  const sync = (sought?: string) => {
    if (closed) throw new Error('directory: closed');
    if (isFull === true) throw noRoom();
    const isPartial = isFull === 'for new keys' && lacks(visible.keys());
    for (const [key, entry] of visible) if (!isPartial || disk.entries.has(key)) disk.entries.set(key, entry);
    disk.remembered = isPartial ? { ...disk.remembered, isDistrusted: true } : remembered;
    if (isPartial && (sought === undefined || lacks([sought]))) throw noRoom();
  };

  return {
    dataId,
    get: (key) => visible.get(key),
    list: (prefix) => [...visible.values()].filter(({ key }) => key.startsWith(prefix)),
    revisions: () => [...visible.values()].map(({ key, revision }) => [key, revision] as const),
    remembered: () => remembered,
    put(entries, newRemembered) {
      for (const entry of entries) visible.set(entry.key, entry);
      if (newRemembered) remembered = newRemembered;
    },
    async durable(key) {
      sync(key);
    },
    async commit(entries, newRemembered) {
      if (closed) throw new Error('directory: closed');
      if (isFull === true || (isFull && lacks(entries.map(({ key }) => key)))) throw noRoom();
      for (const entry of entries) visible.set(entry.key, entry);
      if (newRemembered) remembered = newRemembered;
      sync();
    },
    async close() {
      if (!closed && isFull === false) sync();
      closed = true;
    },
    crash: () => memoryEntryStore(dataId, { entries: new Map(disk.entries), remembered: disk.remembered }),
    full(value) {
      isFull = value;
    },
  };
}

function emptyDisk(): Disk {
  return { entries: new Map(), remembered: { generation: -1, revision: 0 } };
}
