/**
 * The store's port: one mailHost's truth. Reads are synchronous looks at one moment; the only way to write is to commit
 * the next journal record. Knows no protocol, no network and no clock.
 *
 * LmdbStore and MemoryStore pass test/store/store-contract.ts.
 */
import type { Result } from '../kernel/result.ts';
import type { View } from './key-value.ts';
import type { Applied, JournalRecord } from './record.ts';

export type Identity = {
  /** Unique to this copy: a replica of the same mailHost has another. */
  readonly storeId: string;
  readonly mailHost: string;
  readonly formatVersion: number;
};

/** `full`: no room on the disk or in the map; nothing was written, and it heals once there is room. */
export type CommitRefusal = 'full';

export type Store = {
  readonly identity: Identity;
  /** The last record committed. */
  applied(): Applied;
  /**
   * Looks at the committed state. All that `look` gets is of one moment and its own copy; the view is dead when `look`
   * returns, so that no read transaction is ever left open.
   */
  read<T>(look: (view: View) => T): T;
  /**
   * Applies the record's changes in one transaction, durable when resolved. That it is the next record of this chain and
   * of no older epoch is checked in the transaction itself.
   * @throws StoreFault when it is not the next record, which changes nothing, or when the store is broken: it refuses
   *   all from then on and must be opened anew, since what stands on the disk is no longer known
   */
  commit(record: JournalRecord): Promise<Result<null, CommitRefusal>>;
  /** Waits for the commit that is running. */
  close(): Promise<void>;
};

/** The store can't be trusted until it was opened again. */
export class StoreFault extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(`store: ${message}`, options);
    this.name = 'StoreFault';
  }
}

/**
 * `missing` there is no store there (a missing one must never look like an empty one); `not-a-store` there is something
 * else, or a store that was never finished; `newer-format` a newer program wrote it; `no-room` it is of an older format, and
 * the disk lacks what converting it may take: nothing was changed.
 */
export type OpenRefusal =
  | { readonly kind: 'missing'; readonly path: string }
  | { readonly kind: 'not-a-store'; readonly path: string }
  | { readonly kind: 'newer-format'; readonly path: string; readonly found: number; readonly known: number }
  | { readonly kind: 'no-room'; readonly path: string; readonly neededOctets: number };

/** `exists`: whatever is there is left alone. */
export type CreateRefusal = { readonly kind: 'exists'; readonly path: string };
