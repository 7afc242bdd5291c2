/**
 * An EntryStore in memory, for tests and the simulator. What is durable is kept apart from what is only visible, so that
 * `crash` gives what a power failure would leave.
 */
import { type EntryStore, NoRoom, type Remembered, type StoredEntry } from './entry-store.ts';

export type MemoryEntryStore = EntryStore & {
  /** A store with what had reached the disk, as a restart would find it. */
  crash(): MemoryEntryStore;
  /** While set, nothing reaches the disk. */
  full(isFull: boolean): void;
};

type Disk = { readonly entries: Map<string, StoredEntry>; remembered: Remembered };

export function memoryEntryStore(dataId: string, disk: Disk = emptyDisk()): MemoryEntryStore {
  const visible = new Map(disk.entries);
  let remembered = disk.remembered;
  let isFull = false;
  let closed = false;

  const sync = () => {
    if (closed) throw new Error('directory: closed');
    if (isFull) throw new NoRoom('directory: no room left on the disk');
    for (const [key, entry] of visible) disk.entries.set(key, entry);
    disk.remembered = remembered;
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
    async durable() {
      sync();
    },
    async commit(entries, newRemembered) {
      if (closed) throw new Error('directory: closed');
      if (isFull) throw new NoRoom('directory: no room left on the disk');
      for (const entry of entries) visible.set(entry.key, entry);
      if (newRemembered) remembered = newRemembered;
      sync();
    },
    async close() {
      if (!closed && !isFull) sync();
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
