/**
 * The directory of a node that is alone: the local bucket is the truth and the mirror at once, so this node is always fresh
 * and a change is done when it is on the disk.
 */
import type { Clock } from '../../kernel/clock.ts';
import { accept, refuse } from '../../kernel/result.ts';
import type { Log } from '../../telemetry/log.ts';
import { createListeners } from '../members/listeners.ts';
import type { Account } from './account.ts';
import { createIdIndex, lastAccount, liveAccount, plan, withId } from './accounts.ts';
import { type Bucket, BucketFault } from './bucket.ts';
import type { Directory } from './directory.ts';
import type { EntryStore } from './entry-store.ts';
import type { Held } from './mirror.ts';
import { ACCOUNTS, decodeRecord, encodeRecord, keys, type Seal } from './records.ts';

export type EmbeddedDirectoryOptions = {
  readonly store: EntryStore;
  readonly bucket: Bucket;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
};

export function createEmbeddedDirectory(options: EmbeddedDirectoryOptions): Directory {
  const { store, bucket, seal, clock, log } = options;
  const changed = createListeners<Account>(log);
  const get = (key: string): Held | undefined => heldIn(store, seal, key);
  const find = (name: string) => liveAccount(get(keys.account(name)));
  function* accounts(): Iterable<Account> {
    for (const { key } of store.list(ACCOUNTS)) {
      const account = liveAccount(get(key));
      if (account) yield account;
    }
  }
  const ids = createIdIndex(accounts());
  return {
    find,
    last: (name) => lastAccount(get(keys.account(name))),
    findById: (id) => withId(find, ids.nameOf(id), id),
    accounts,
    isFresh: () => true,
    freshen: async () => true,
    async change(name, edit, changeOptions) {
      const key = keys.account(name);
      for (;;) {
        const planned = plan(name, get(key), edit, changeOptions, clock.wall());
        if (planned.kind === 'refused') return refuse(planned.refusal);
        if (planned.kind === 'stands') return accept(planned.account);
        try {
          const sealed = encodeRecord(seal, key, planned.record);
          const written = await bucket.write(key, sealed, planned.record.after, Number.POSITIVE_INFINITY);
          if (!written.ok) continue; // another hand of this process was first: plan again
        } catch (error) {
          if (!(error instanceof BucketFault)) throw error;
          log.error('directory: a change could not be written', { key, error });
          return refuse(error.failure);
        }
        ids.add(planned.account);
        changed.tell(planned.account);
        return accept(planned.account);
      }
    },
    revision: () => store.remembered().revision,
    onChange: (listener) => changed.add(listener),
  };
}

/** The record under a key. Throws when it does not open: a wrong cluster key must not look like a missing account. */
export function heldIn(store: EntryStore, seal: Seal, key: string): Held | undefined {
  const stored = store.get(key);
  if (!stored) return undefined;
  const record = decodeRecord(seal, key, stored.sealed);
  if (!record) throw new Error(`directory: the entry "${key}" does not open with this cluster key`);
  return { key, revision: stored.revision, record };
}
