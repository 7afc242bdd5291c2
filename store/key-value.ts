/**
 * What the truth is written in: ordered keys and values. Small, so that memory, LMDB and an overlay of pending writes
 * are one thing to `apply` and `decide`, and so that two stores can be compared key by key.
 */
import type { Key } from './key.ts';

export type Entry = { readonly key: Key; readonly value: Uint8Array };

export type RangeOptions = {
  /** Only keys above this one. */
  readonly after?: Key;
  /** At most so many entries; default: all. */
  readonly limit?: number;
};

/** A state at one moment. Values are the reader's own copies. */
export type View = {
  get(key: Key): Uint8Array | undefined;
  /** Entries whose key begins with `prefix` (all for `[]`), ascending. */
  range(prefix: Key, options?: RangeOptions): Iterable<Entry>;
};

/** A state that is being changed; what was written is seen by what reads after it. */
export type KeyValue = View & {
  put(key: Key, value: Uint8Array): void;
  remove(key: Key): void;
};
