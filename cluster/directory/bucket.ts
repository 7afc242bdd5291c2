/**
 * The port of the one ordered bucket that holds accounts, registrations and leases (docs/architecture.md, "Directory").
 *
 * One revision counter orders all keys; each key keeps its newest entry only; a write is a compare-and-set. Values are
 * opaque octets here: sealing, versions and tombstones are records.ts. A bucket never retries and never heals itself:
 * an interrupted watch ends with a fault, and its reader decides from where to go on.
 */
import type { Result } from '../../kernel/result.ts';

export type Entry = {
  readonly key: string;
  /** Place in the bucket's one order; grows with every write to any key. */
  readonly revision: number;
  /** Absent: someone deleted or purged the key by the server's own means, which this house never does. */
  readonly value: Uint8Array | undefined;
};

export type WatchEvent =
  | { readonly kind: 'entry'; readonly entry: Entry }
  /**
   * Entries were passed over, since they were overwritten before they were told, and what overwrote them is still to come.
   * A watch begins with such a gap, without saying so.
   */
  | { readonly kind: 'gap' }
  /** The gap is closed: everything written up to the newest entry told has been told, or what overwrote it. */
  | { readonly kind: 'caught-up' };

/** `unavailable`: surely not written; `unknown`: may or may not be written, or be written yet. */
export type BucketFailure = 'unavailable' | 'unknown';

/** Thrown by all operations of a bucket; reads and watches only ever say `unavailable`. */
export class BucketFault extends Error {
  readonly failure: BucketFailure;
  constructor(failure: BucketFailure, what: string, options?: ErrorOptions) {
    super(`directory bucket: ${what}: ${failure}`, options);
    this.name = 'BucketFault';
    this.failure = failure;
  }
}

export type Bucket = {
  /**
   * Writes if the key's newest revision is still `expectedRevision` (0: the key has none).
   * @returns the new revision; `conflict` when another write came first: surely not written
   * @throws BucketFault when not acknowledged within `timeoutMs`
   */
  write(
    key: string,
    value: Uint8Array,
    expectedRevision: number,
    timeoutMs: number,
  ): Promise<Result<number, 'conflict'>>;
  /** The key's newest entry as the bucket's leader has it, never a replica's. Throws BucketFault. */
  read(key: string, timeoutMs: number): Promise<Entry | undefined>;
  /**
   * Every key's newest entry with a revision above `after`, in order, then all that follow. Entries overwritten before
   * they were told may be left out: `gap`. Ends when the signal is aborted; throws BucketFault when interrupted.
   */
  watch(after: number, signal: AbortSignal): AsyncIterable<WatchEvent>;
  close(): Promise<void>;
};
