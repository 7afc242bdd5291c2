/**
 * The journal's port: where a record goes to become true. What is acknowledged here is durable as far as this mailHost
 * promises. `decide` never looks at it.
 */
import type { Result } from '../../kernel/result.ts';
import type { JournalRecord } from '../../store/record.ts';

/**
 * `full`: no room now, nothing was written, the same may be tried again later. `lost`: another owner's record came first;
 * this one's tenure is over and nothing of the record stands.
 */
export type AppendRefusal = 'full' | 'lost';

export type Journal = {
  /** Resolves when the record is durable and applied to this node's store. Throws when what stands is not known. */
  append(record: JournalRecord): Promise<Result<null, AppendRefusal>>;
};
