/**
 * The directory's own LMDB environment, `data/directory`: sealed entries by key, and what a node must remember of them.
 *
 * It is the mirror of the bucket in a cluster and the bucket itself when embedded. Values stay sealed at rest. `put` shows
 * at once and is fsynced in the background, in order; `commit` is fsynced first. Memory-backed sibling: memory-entry-store.ts.
 *
 * On a full disk writes are refused, and nothing else happens. The file keeps some pages free for that day, so that what is
 * there already can still be written anew: a lease, a heartbeat, a password. A mirror that lacks room for a new key says so
 * on the disk, and is swept after a restart.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { copyDatabase, DATA_FILE, isDatabaseFile } from '../../kernel/database-copy.ts';
import { freeOctets, type PageCounts } from '../../kernel/disk-room.ts';
import { batch, environment, FORMAT, LOCK_FILE, NoRoom, noRoom, octetsOnDisk } from './entry-database.ts';

export type StoredEntry = { readonly key: string; readonly revision: number; readonly sealed: Uint8Array };

/** What a node remembers beside the entries. */
export type Remembered = {
  /** The generation this mirror has swept whole; -1: none yet. */
  readonly generation: number;
  /** The bucket contradicted this mirror, and it is not known yet that nothing is left to put right. */
  readonly isDistrusted?: boolean;
  /** Embedded only: the newest revision given out. */
  readonly revision: number;
};

type Monotonic = Pick<Clock, 'monotonic'>;

/**
 * Of a key, which is ASCII (records.ts). No account's name makes one half as long, but clients log in and send mail by names of any
 * length: a longer one has no entry, and LMDB, which takes 1978 octets, would throw at the question.
 */
const MAX_KEY_OCTETS = 1900;

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
  /**
   * Resolves once all that was put before is on the disk, or what was put under `key` alone, whatever is put meanwhile.
   * Rejects when it could not be written: it stays visible, and is tried again at the next `put` or `durable`. As long as
   * others are on the disk without it, a restart finds `isDistrusted` there.
   */
  durable(key?: string): Promise<void>;
  /** Durable first, then visible; when it rejects nothing has changed. */
  commit(entries: readonly StoredEntry[], remembered?: Remembered): Promise<void>;
  close(): Promise<void>;
};

/** One on the disk, of which a copy can be taken while it is in use. */
export type DiskEntryStore = EntryStore & {
  /** About what a copy takes, in octets. */
  sizeOctets(): number;
  /** Copies what is on the disk, to `data.mdb` in a directory that it makes; see kernel/database-copy.ts. */
  copyTo(directory: string): Promise<void>;
};

const PAGE = 256;
const FRESH: Remembered = { generation: -1, revision: 0 };

/** Free pages that the file has once the disk has had room for them, in octets, and when they are made anew. */
const RESERVE_OCTETS = 1024 * 1024;
const RESERVE_LOW_OCTETS = RESERVE_OCTETS / 2;
/**
 * The part of them that is not counted upon: LMDB gives out what a transaction freed only to the one after the next. One
 * that may free more than this is followed by a small one.
 */
const JUST_FREED_OCTETS = RESERVE_OCTETS / 4;
/** The part of them that is not for a new key: what is `put` stands in the bucket already, and may have more than a `commit`. */
const KEPT_FROM_COMMIT_OCTETS = RESERVE_OCTETS / 4;
const KEPT_FROM_PUT_OCTETS = KEPT_FROM_COMMIT_OCTETS / 2;
/** How long a reserve that could not be made is left alone: the first time; doubled each time, for a quota may never show. */
const RESERVE_PAUSE_MS = 60_000;

/** Is there a directory database at this path? */
export const entryStoreExists = (path: string): boolean => existsSync(join(path, DATA_FILE));

/** Makes an empty one, or nothing. Throws when there is one already, and when it can't be written. */
export async function createEntryStore(path: string): Promise<void> {
  if (entryStoreExists(path)) throw new Error(`directory: ${path}: exists already`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  // LMDB writes its lock file through a map: where there is no room for that, the process ends
  if ((await octetsOnDisk(path)) < RESERVE_OCTETS) throw noRoom(path);
  try {
    await writeEmpty(path);
  } catch (error) {
    // what is half made would pass for one that exists
    for (const file of [DATA_FILE, LOCK_FILE]) rmSync(join(path, file), { force: true });
    throw error;
  }
}

async function writeEmpty(path: string): Promise<void> {
  const root = environment(path);
  try {
    const meta = root.openDB<unknown, string>({ name: 'meta', encoding: 'msgpack' });
    root.openDB({ name: 'entries', encoding: 'binary' }); // or the first to open it would have to write
    await batch(path, root, () => {
      meta.put('format', FORMAT);
      meta.put('dataId', randomUUID());
      meta.put('remembered', FRESH);
    });
  } finally {
    await root.close();
  }
}

/** Opens an existing one. Throws when it is missing: a missing database must never look like an empty one. */
export function openEntryStore(path: string, clock: Monotonic = systemClock): DiskEntryStore {
  if (!entryStoreExists(path)) throw new Error(`directory: ${path}: missing; \`homing init\` creates it`);
  if (!isDatabaseFile(join(path, DATA_FILE))) throw new Error(`directory: ${path}: is not a directory database`);
  const root = environment(path);
  const meta = root.openDB<unknown, string>({ name: 'meta', encoding: 'msgpack' });
  const format = meta.get('format');
  if (format !== FORMAT) {
    void root.close();
    throw new Error(`directory: ${path}: unknown format ${JSON.stringify(format)}, this version reads "${FORMAT}"`);
  }
  return new LmdbEntryStore(path, clock, root, meta);
}

/** Keys that a pass had no room for, while it wrote the others. */
type Refused = { readonly keys: ReadonlySet<string>; readonly error: NoRoom };

class LmdbEntryStore implements DiskEntryStore {
  readonly dataId: string;
  readonly #path: string;
  readonly #clock: Monotonic;
  readonly #root: RootDatabase<unknown, string>;
  readonly #meta: Database<unknown, string>;
  readonly #entries: Database<Buffer, string>;
  /** Put but not yet on the disk. */
  readonly #pending = new Map<string, StoredEntry>();
  #pendingRemembered: Remembered | undefined;
  /** How many times was `put` called, and how many of those, the first ones, are on the disk? */
  #putCount = 0;
  #durableCount = 0;
  /** The flush under way. */
  #pass: Promise<Refused | undefined> | undefined;
  /** The last transaction begun or waiting: they follow one another. */
  #last: Promise<unknown> = Promise.resolve();
  #reservePauseMs = RESERVE_PAUSE_MS;
  #reserveDueAt = Number.NEGATIVE_INFINITY;
  readonly #copies = new Set<Promise<void>>();
  #closed = false;

  constructor(path: string, clock: Monotonic, root: RootDatabase<unknown, string>, meta: Database<unknown, string>) {
    this.#path = path;
    this.#clock = clock;
    this.#root = root;
    this.#meta = meta;
    this.#entries = root.openDB<Buffer, string>({ name: 'entries', encoding: 'binary' });
    this.dataId = String(meta.get('dataId'));
  }

  get(key: string): StoredEntry | undefined {
    const pending = this.#pending.get(key);
    if (pending) return pending;
    if (key.length > MAX_KEY_OCTETS) return undefined;
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
    this.#putCount++;
    if (!this.#pass) this.#flushOn();
  }

  async durable(key?: string): Promise<void> {
    const mine = this.#putCount;
    await this.#pass?.catch(() => {}); // it began before, and may lack the newest entries; what fails now is tried again
    if (this.#durableCount >= mine || (key !== undefined && !this.#pending.has(key))) return;
    const refused = await this.#flush(); // begun after `mine`, by whomever: it takes them all
    if (refused && (key === undefined || refused.keys.has(key))) throw refused.error;
  }

  commit(entries: readonly StoredEntry[], remembered?: Remembered): Promise<void> {
    return this.#write(entries, remembered, KEPT_FROM_COMMIT_OCTETS);
  }

  /** Flushes until nothing is pending. What can't be written stays so; `durable` tells who needs to know, and tries again. */
  #flushOn(): void {
    const begun = this.#putCount;
    const next = (refused: Refused | undefined) => {
      if (this.#hasPending() && !this.#pass && (!refused || this.#putCount > begun)) this.#flushOn();
    };
    this.#flush().then(next, () => {});
  }

  #hasPending(): boolean {
    return this.#pending.size > 0 || this.#pendingRemembered !== undefined;
  }

  /** One pass at a time; each takes all that is pending, so that puts made meanwhile share the next. */
  #flush(): Promise<Refused | undefined> {
    this.#pass ??= this.#writePending().finally(() => {
      this.#pass = undefined;
    });
    return this.#pass;
  }

  async #writePending(): Promise<Refused | undefined> {
    const count = this.#putCount;
    const entries = [...this.#pending.values()];
    const remembered = this.#pendingRemembered;
    try {
      await this.#write(entries, remembered, KEPT_FROM_PUT_OCTETS);
    } catch (error) {
      if (error instanceof NoRoom) return this.#writeKnown(entries, error);
      throw error;
    }
    this.#flushed(entries);
    if (this.#pendingRemembered === remembered) this.#pendingRemembered = undefined;
    this.#durableCount = count;
    return undefined;
  }

  /**
   * No room for all: what is on the disk already is written anew, and a restart must not take it for a proof that the mirror
   * is whole. What is visible stays what it was, and is written with the last of the others.
   */
  async #writeKnown(entries: readonly StoredEntry[], error: NoRoom): Promise<Refused> {
    const keys = new Set(this.#newAmong(entries).map(({ key }) => key));
    const known = entries.filter(({ key }) => !keys.has(key));
    if (known.length === 0 || keys.size === 0) throw error;
    this.#pendingRemembered = this.remembered();
    await this.#write(known, { ...(this.#meta.get('remembered') as Remembered), isDistrusted: true }, 0);
    this.#flushed(known);
    return { keys, error };
  }

  #flushed(entries: readonly StoredEntry[]): void {
    for (const entry of entries) if (this.#pending.get(entry.key) === entry) this.#pending.delete(entry.key);
  }

  /** @param keptOctets  what must be left of the reserve when there is a new key among them */
  #write(entries: readonly StoredEntry[], remembered: Remembered | undefined, keptOctets: number): Promise<void> {
    const written = this.#last.then(() => this.#transact(entries, remembered, keptOctets));
    this.#last = written.catch(() => {});
    return written;
  }

  async #transact(
    entries: readonly StoredEntry[],
    remembered: Remembered | undefined,
    keptOctets: number,
  ): Promise<void> {
    if (this.#closed) throw new Error('directory: closed');
    const neededOctets = this.#roomFor(entries);
    await this.#requireRoom(neededOctets, this.#newAmong(entries).length > 0 ? keptOctets : 0);
    await this.#batch(() => {
      for (const entry of entries) this.#entries.put(entry.key, toDisk(entry));
      if (remembered) this.#meta.put('remembered', remembered);
    });
    if (neededOctets <= JUST_FREED_OCTETS) return;
    // what was asked for is done; if this fails, there was no room left to lose
    await this.#batch(() => this.#meta.put('reserve', '')).catch(() => {});
  }

  async #batch(write: () => void): Promise<void> {
    await batch(this.#path, this.#root, write);
    this.#entries.resetReadTxn(); // the next `get` must see what is no longer pending
    this.#meta.resetReadTxn();
  }

  /** A transaction that fails half-way can corrupt the library's heap and so end the process: it is not begun in vain. */
  async #requireRoom(neededOctets: number, keptOctets: number): Promise<void> {
    const onDisk = await octetsOnDisk(this.#path);
    const inFile = () => freeOctets([this.#entries, this.#meta]);
    if (inFile() < RESERVE_LOW_OCTETS && onDisk >= 2 * RESERVE_OCTETS + neededOctets) await this.#refillReserve();
    const usable = Math.max(0, inFile() - JUST_FREED_OCTETS - keptOctets);
    if (onDisk + usable < neededOctets) throw noRoom(this.#path);
  }

  /** Pages once taken stay with the file when they are freed. */
  async #refillReserve(): Promise<void> {
    if (this.#clock.monotonic() < this.#reserveDueAt) return;
    try {
      await this.#batch(() => this.#meta.put('reserve', Buffer.alloc(RESERVE_OCTETS)));
      await this.#batch(() => this.#meta.put('reserve', ''));
      await this.#batch(() => this.#meta.put('reserve', '')); // what the one before freed is given out after this one
      this.#reservePauseMs = RESERVE_PAUSE_MS;
    } catch {
      this.#reserveDueAt = this.#clock.monotonic() + this.#reservePauseMs; // who wants to write hears it from the write
      this.#reservePauseMs *= 2;
    }
  }

  #newAmong(entries: readonly StoredEntry[]): StoredEntry[] {
    return entries.filter(({ key }) => !this.#entries.doesExist(key));
  }

  /**
   * What the pages of a transaction take at most: for each key a path and a page that was split, but no page twice; some
   * for `meta` and the lists that LMDB keeps; and what is written, in pages that may be half empty.
   */
  #roomFor(entries: readonly StoredEntry[]): number {
    const stats = this.#entries.getStats() as PageCounts & { treeDepth: number; pageSize: number };
    const everyPage = stats.treeBranchPageCount + stats.treeLeafPageCount;
    const pages = 8 + Math.min((stats.treeDepth + 1) * entries.length, everyPage);
    return entries.reduce((octets, { sealed }) => octets + 2 * sealed.length + 64, pages * stats.pageSize);
  }

  sizeOctets(): number {
    const { lastPageNumber, pageSize } = this.#entries.getStats() as { lastPageNumber: number; pageSize: number };
    return (lastPageNumber + 1) * pageSize;
  }

  async copyTo(directory: string): Promise<void> {
    await this.durable().catch(() => {}); // what could not be written was confirmed to nobody
    if (this.#closed) throw new Error('directory: closed');
    const copied = copyDatabase(this.#root, directory);
    this.#copies.add(copied);
    try {
      await copied;
    } finally {
      this.#copies.delete(copied);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.durable();
    } finally {
      await this.#last; // a commit under way
      while (this.#copies.size > 0) await Promise.allSettled(this.#copies); // they read beneath the library
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
