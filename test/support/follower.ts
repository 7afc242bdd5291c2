/**
 * A follower: a store of its own that is fed with nothing but the journal's records, as they are sent. A test that writes
 * ends with `mustEqual`: the follower has the owner's keys and values, and both are sound.
 */
import * as assert from 'uvu/assert';
import { flaws } from '../../store/check.ts';
import { differences } from '../../store/compare.ts';
import { memoryStore } from '../../store/memory-store.ts';
import { decodeRecord, encodeRecord, type JournalRecord } from '../../store/record.ts';
import type { Identity, Store } from '../../store/store.ts';

export type Follower = {
  readonly store: Store;
  /** A journal's tap. */
  readonly tap: (record: JournalRecord) => void;
  /** Asserts that the follower equals this store, and that both are sound. */
  mustEqual(owner: Store): Promise<void>;
};

export function follower({ mailHost, formatVersion }: Identity): Follower {
  const store = memoryStore({ storeId: 'follower', mailHost, formatVersion });
  let fed: Promise<unknown> = Promise.resolve();
  return {
    store,
    tap(record) {
      const sent = Buffer.from(encodeRecord(record));
      fed = fed.then(async () => {
        const decoded = decodeRecord(sent);
        if (!decoded.ok) throw new Error(`record ${record.number}: ${decoded.refusal}`);
        await store.commit(decoded.value);
      });
      fed.catch(() => {}); // thrown again by mustEqual
    },
    async mustEqual(owner) {
      await fed;
      assert.equal(differences(owner, store), []);
      assert.equal(owner.read(flaws), []);
      assert.equal(store.read(flaws), []);
    },
  };
}
