/**
 * The directory's own LMDB environment, `data/directory`: sealed entries by key, and what a node must remember of them.
 *
 * It is the mirror of the bucket in a cluster and the bucket itself when embedded. Values stay sealed at rest. `put` shows
 * at once and is fsynced in the background, in order; `commit` is fsynced first. Memory-backed sibling: memory-entry-store.ts.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';

export type StoredEntry = { readonly key: string; readonly revision: number; readonly sealed: Uint8Array };

/** What a node remembers beside the entries. */
export type Remembered = {
  /** The generation this mirror has swept whole; -1: none yet. */
  readonly generation: number;
  /** Embedded only: the newest revision given out. */
  readonly revision: number;
};

export type EntryStore = {
  /** Identity of this data directory, made with it. */
  readonly dataId: string;
  /** Sees what `put` and `commit` made visible, durable or not. */
  get(key: string): StoredEntry | undefined;
  /** Every entry whose key begins with `prefix`, in no promised order; entries put meanwhile may be missed. */
  list(prefix: string): Iterable<StoredEntry>;
  /** Every key and its revision, values left alone. */
  revisions(): Iterable<readonly [key: string, revision: number]>;
  remembered(): Remembered;
  put(entries: readonly StoredEntry[], remembered?: Remembered): void;
  /** Resolves once all that was put before is on the disk; rejects when it could not be written (it is tried again later). */
  durable(): Promise<void>;
  /** Durable first, then visible; when it rejects nothing has changed. */
  commit(entries: readonly StoredEntry[], remembered?: Remembered): Promise<void>;
  close(): Promise<void>;
};

const FORMAT = 'homing directory 1';
const PAGE = 256;
const FRESH: Remembered = { generation: -1, revision: 0 };

/** Is there a directory database at this path? */
export const entryStoreExists = (path: string): boolean => existsSync(join(path, 'data.mdb'));

/** Makes an empty one. Throws when there is one already. */
export async function createEntryStore(path: string): Promise<void> {
  if (entryStoreExists(path)) throw new Error(`directory: ${path}: exists already`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const root = environment(path);
  try {
    const meta = root.openDB<unknown, string>({ name: 'meta', encoding: 'msgpack' });
    await root.batch(() => {
      meta.put('format', FORMAT);
      meta.put('dataId', randomUUID());
      meta.put('remembered', FRESH);
    });
  } finally {
    await root.close();
  }
}

/** Opens an existing one. Throws when it is missing: a missing database must never look like an empty one. */
export function openEntryStore(path: string): EntryStore {
  if (!entryStoreExists(path)) throw new Error(`directory: ${path}: missing; \`homing init\` creates it`);
  const root = environment(path);
  const meta = root.openDB<unknown, string>({ name: 'meta', encoding: 'msgpack' });
  const format = meta.get('format');
  if (format !== FORMAT) {
    void root.close();
    throw new Error(`directory: ${path}: unknown format ${JSON.stringify(format)}, this version reads "${FORMAT}"`);
  }
  return new LmdbEntryStore(root, meta);
}

const environment = (path: string): RootDatabase<unknown, string> =>
  // overlappingSync off: a resolved transaction is on the disk
  open<unknown, string>({ path, noSubdir: false, overlappingSync: false, maxDbs: 4, encoding: 'binary' });

class LmdbEntryStore implements EntryStore {
  readonly dataId: string;
  readonly #root: RootDatabase<unknown, string>;
  readonly #meta: Database<unknown, string>;
  readonly #entries: Database<Buffer, string>;
  /** Put but not yet on the disk. */
  readonly #pending = new Map<string, StoredEntry>();
  #pendingRemembered: Remembered | undefined;
  #flushing: Promise<void> | undefined;
  #closed = false;

  constructor(root: RootDatabase<unknown, string>, meta: Database<unknown, string>) {
    this.#root = root;
    this.#meta = meta;
    this.#entries = root.openDB<Buffer, string>({ name: 'entries', encoding: 'binary' });
    this.dataId = String(meta.get('dataId'));
  }

  get(key: string): StoredEntry | undefined {
    const pending = this.#pending.get(key);
    if (pending) return pending;
    const stored = this.#entries.get(key);
    return stored && fromDisk(key, stored);
  }

  *list(prefix: string): Iterable<StoredEntry> {
    const fresh = [...this.#pending.values()].filter(({ key }) => key.startsWith(prefix));
    const told = new Set(fresh.map(({ key }) => key));
    yield* fresh;
    // page by page, so that no read transaction outlives a turn of the reader
    for (let start: string | undefined = prefix; start !== undefined; ) {
      const page: StoredEntry[] = [];
      let next: string | undefined;
      for (const { key, value } of this.#entries.getRange({ start, limit: PAGE + 1 })) {
        if (!key.startsWith(prefix)) break;
        if (page.length === PAGE) next = key;
        else page.push(fromDisk(key, value));
      }
      for (const entry of page) if (!told.has(entry.key)) yield this.#pending.get(entry.key) ?? entry;
      start = next;
    }
  }

  *revisions(): Iterable<readonly [string, number]> {
    for (const { key, revision } of this.#pending.values()) yield [key, revision];
    for (const { key, value } of this.#entries.getRange({})) {
      if (!this.#pending.has(key)) yield [key, revisionIn(value)];
    }
  }

  remembered(): Remembered {
    return this.#pendingRemembered ?? (this.#meta.get('remembered') as Remembered);
  }

  put(entries: readonly StoredEntry[], remembered?: Remembered): void {
    for (const entry of entries) this.#pending.set(entry.key, entry);
    if (remembered) this.#pendingRemembered = remembered;
    // what can't be written stays pending; `durable` tells who needs to know, and tries again
    this.#flush().catch(() => {});
  }

  async durable(): Promise<void> {
    await this.#flushing?.catch(() => {}); // one that began before may lack the newest entries
    await this.#flush();
  }

  async commit(entries: readonly StoredEntry[], remembered?: Remembered): Promise<void> {
    await this.#write(entries, remembered);
  }

  /** One flush at a time; each takes all that is pending, so that puts made meanwhile share the next. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#flushAll().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #flushAll(): Promise<void> {
    while (this.#pending.size > 0 || this.#pendingRemembered) {
      const entries = [...this.#pending.values()];
      const remembered = this.#pendingRemembered;
      await this.#write(entries, remembered);
      for (const entry of entries) if (this.#pending.get(entry.key) === entry) this.#pending.delete(entry.key);
      if (this.#pendingRemembered === remembered) this.#pendingRemembered = undefined;
    }
  }

  async #write(entries: readonly StoredEntry[], remembered: Remembered | undefined): Promise<void> {
    if (this.#closed) throw new Error('directory: closed');
    // one transaction; `transaction` would hold a thread until it can call back, and hang a process that exits meanwhile
    await this.#root.batch(() => {
      for (const entry of entries) this.#entries.put(entry.key, toDisk(entry));
      if (remembered) this.#meta.put('remembered', remembered);
    });
    this.#entries.resetReadTxn(); // the next `get` must see what is no longer pending
    this.#meta.resetReadTxn();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.durable();
    } finally {
      this.#closed = true;
      await this.#root.close();
    }
  }
}

/** Eight octets of revision, then the sealed value. */
function toDisk({ revision, sealed }: StoredEntry): Buffer {
  const octets = Buffer.allocUnsafe(8 + sealed.length);
  octets.writeBigUInt64BE(BigInt(revision), 0);
  octets.set(sealed, 8);
  return octets;
}

function fromDisk(key: string, octets: Buffer): StoredEntry {
  return { key, revision: revisionIn(octets), sealed: new Uint8Array(octets.subarray(8)) };
}

const revisionIn = (octets: Buffer): number => octets.readUInt32BE(0) * 2 ** 32 + octets.readUInt32BE(4);
