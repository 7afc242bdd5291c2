/** The directory's LMDB: created once, refused when missing, seen at once, durable when it says so. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createEntryStore,
  type EntryStore,
  entryStoreExists,
  openEntryStore,
  type StoredEntry,
} from '../../../cluster/directory/entry-store.ts';
import { memoryEntryStore } from '../../../cluster/directory/memory-entry-store.ts';

const test = suite('entry store');
const folders: string[] = [];
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'homing-entry-store-'));
  folders.push(made);
  return join(made, 'directory');
};
const entry = (key: string, revision: number, text = key): StoredEntry => ({
  key,
  revision,
  sealed: new TextEncoder().encode(text),
});

async function lmdb(): Promise<EntryStore> {
  const path = folder();
  await createEntryStore(path);
  return openEntryStore(path);
}

for (const [name, open] of [
  ['LMDB', lmdb],
  ['memory', async () => memoryEntryStore('data')],
] as const) {
  test(`${name}: what was put is seen at once, and lists by prefix`, async () => {
    const store = await open();
    assert.is(store.get('account.a'), undefined);
    store.put([entry('account.a', 1), entry('account.b', 2), entry('node.n1', 3)]);
    assert.equal(store.get('account.a'), entry('account.a', 1));
    store.put([entry('account.a', 4, 'newer')]);
    assert.equal(store.get('account.a'), entry('account.a', 4, 'newer'));
    const keys = () => [...store.list('account.')].map(({ key }) => key).sort();
    assert.equal(keys(), ['account.a', 'account.b']);
    await store.durable();
    assert.equal(keys(), ['account.a', 'account.b']);
    assert.equal(store.get('account.a'), entry('account.a', 4, 'newer'));
    await store.close();
  });

  test(`${name}: a thousand entries list whole, each once, newest value, while half are not yet on the disk`, async () => {
    const store = await open();
    await store.commit(Array.from({ length: 1000 }, (_, i) => entry(`account.${i}`, i + 1)));
    store.put(Array.from({ length: 500 }, (_, i) => entry(`account.${i * 2}`, 2000 + i, 'new')));
    const listed = [...store.list('account.')];
    assert.is(listed.length, 1000);
    assert.is(new Set(listed.map(({ key }) => key)).size, 1000);
    assert.is(listed.filter(({ revision }) => revision >= 2000).length, 500);
    const revisions = listed.map(({ key, revision }) => `${key} ${revision}`).sort();
    assert.equal([...store.revisions()].map(([key, revision]) => `${key} ${revision}`).sort(), revisions);
    await store.close();
  });

  test(`${name}: remembers generation and revision`, async () => {
    const store = await open();
    assert.equal(store.remembered(), { generation: -1, revision: 0 });
    store.put([], { generation: 3, revision: 9 });
    assert.equal(store.remembered(), { generation: 3, revision: 9 });
    await store.durable();
    assert.equal(store.remembered(), { generation: 3, revision: 9 });
    await store.close();
  });
}

test('a store that is missing is refused by name, never made', () => {
  const path = folder();
  assert.throws(() => openEntryStore(path), /missing; `homing init` creates it/);
  assert.not(entryStoreExists(path));
});

test('a store that exists is not made again', async () => {
  const path = folder();
  await createEntryStore(path);
  const error = await createEntryStore(path).catch((fault) => fault);
  assert.match(String(error), /exists already/);
});

test('what was durable is there when it is opened again, with the same data id', async () => {
  const path = folder();
  await createEntryStore(path);
  const store = openEntryStore(path);
  store.put([entry('account.a', 7)], { generation: 1, revision: 7 });
  await store.durable();
  const { dataId } = store;
  await store.close();
  const again = openEntryStore(path);
  assert.equal(again.get('account.a'), entry('account.a', 7));
  assert.equal(again.remembered(), { generation: 1, revision: 7 });
  assert.is(again.dataId, dataId);
  assert.ok(dataId.length > 10);
  await again.close();
});

test('an entry read from LMDB is its own memory', async () => {
  const store = await lmdb();
  await store.commit([entry('account.a', 1, 'kept')]);
  const first = store.get('account.a')!;
  await store.commit([entry('account.a', 2, 'other')]);
  assert.is(store.get('account.a')!.revision, 2);
  assert.is(new TextDecoder().decode(first.sealed), 'kept');
  await store.close();
});

test('a closed store says that it can not write', async () => {
  const store = await lmdb();
  await store.close();
  const error = await store.commit([entry('account.a', 1)]).catch((fault) => fault);
  assert.match(String(error), /closed/);
});

test.after(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

test.run();
