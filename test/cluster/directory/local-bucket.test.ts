/** The local bucket over LMDB: the contract, and what is there after it was opened again. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BucketFault } from '../../../cluster/directory/bucket.ts';
import { createEntryStore, openEntryStore } from '../../../cluster/directory/entry-store.ts';
import { createLocalBucket } from '../../../cluster/directory/local-bucket.ts';
import { memoryEntryStore } from '../../../cluster/directory/memory-entry-store.ts';
import { bucketContract } from './bucket-contract.ts';

const test = suite('local bucket');

async function temporaryStore() {
  const folder = await mkdtemp(join(tmpdir(), 'homing-local-bucket-'));
  const path = join(folder, 'directory');
  await createEntryStore(path);
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

bucketContract(test, async () => {
  const { path, remove } = await temporaryStore();
  const store = openEntryStore(path);
  return {
    bucket: createLocalBucket(store),
    settled: (promise) => promise,
    close: async () => {
      await store.close();
      await remove();
    },
  };
});

test('what was acknowledged is there when it is opened again, and revisions go on', async () => {
  const { path, remove } = await temporaryStore();
  const store = openEntryStore(path);
  const written = await createLocalBucket(store).write('account.a', Uint8Array.of(1, 2), 0, 1000);
  assert.ok(written.ok);
  await store.close();
  const again = openEntryStore(path);
  const bucket = createLocalBucket(again);
  assert.equal(await bucket.read('account.a', 1000), { key: 'account.a', revision: 1, value: Uint8Array.of(1, 2) });
  assert.equal(await bucket.write('account.b', Uint8Array.of(3), 0, 1000), { ok: true, value: 2 });
  await again.close();
  await remove();
});

test('a write that the disk refuses is surely not written, and the next one is', async () => {
  const store = memoryEntryStore('data');
  const bucket = createLocalBucket(store);
  store.full(true);
  const fault = await bucket.write('a', Uint8Array.of(1), 0, 1000).catch((error) => error);
  assert.is((fault as BucketFault).failure, 'unavailable');
  assert.is(await bucket.read('a', 1000), undefined);
  store.full(false);
  assert.equal(await bucket.write('a', Uint8Array.of(1), 0, 1000), { ok: true, value: 1 });
});

test.run();
