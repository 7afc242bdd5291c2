/** The check of a directory database finds each kind of damage, and names it; a copy made one's own is no longer the other's. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIdIndex } from '../../../cluster/directory/accounts.ts';
import { checkEntriesInSteps } from '../../../cluster/directory/check-entries.ts';
import { adoptEntryCopy, inspectEntryCopy } from '../../../cluster/directory/copied-entry-store.ts';
import { createEntryStore, openEntryStore } from '../../../cluster/directory/entry-store.ts';
import { memoryEntryStore } from '../../../cluster/directory/memory-entry-store.ts';
import { encodeRecord, keys } from '../../../cluster/directory/records.ts';
import { sealWith } from '../../../cluster/directory/seal.ts';
import { account } from '../../actors/authenticator/fake-directory.ts';

const seal = sealWith(new Uint8Array(32).fill(1));
const other = sealWith(new Uint8Array(32).fill(2));
const joe = account({ name: 'joe@example.test', id: 'a' });
const sound = [
  [keys.settings, { cluster: 'embedded', maxStaleMs: 3000 }],
  [keys.mailHost('n1'), { mailHost: 'n1', storeId: 's1' }],
  [keys.account(joe.name), joe],
] as const;

type Given = readonly (readonly [key: string, value: unknown, by?: typeof seal])[];
type More = { isMirror?: boolean; revision?: number };

async function flawsOf(entries: Given, { isMirror = false, revision = 100 }: More = {}): Promise<string[]> {
  const store = memoryEntryStore('data');
  const stored = entries.map(([key, value, by = seal], index) => {
    const version = (value as { version?: number } | undefined)?.version ?? 1;
    const record = { version, at: 0, by: 'test', after: 0, value };
    return { key, revision: index + 1, sealed: encodeRecord(by, key, record) };
  });
  await store.commit(stored, { generation: isMirror ? 0 : -1, revision });
  const found: string[] = [];
  const say = (flaw: string) => void found.push(flaw);
  const steps = checkEntriesInSteps({ store, seal, mailStores: [{ mailHost: 'n1', storeId: 's1' }], isMirror, say });
  while (!steps.next().done);
  return found;
}

test('a sound directory has no flaws', async () => {
  assert.equal(await flawsOf(sound), []);
  assert.equal(await flawsOf(sound, { isMirror: true }), []);
});

for (const [what, more, expected] of [
  ['a record of another key', [[keys.account('b'), account({ name: 'b' }), other]], /^1 entries do not open/],
  [
    'an account under the name of another',
    [[keys.account('b'), account({ name: 'c', id: 'c' })]],
    /holds the account c/,
  ],
  ['two accounts of one id', [[keys.account('b'), account({ name: 'b', id: 'a' })]], /they share their mail \(id a\)$/],
  [
    'an unfinished rename',
    [[keys.account('b'), account({ name: 'b', id: 'a', renamedFrom: { name: joe.name, version: 1, at: 1 } })]],
    /`homing account rename joe@example.test b` finishes it/,
  ],
  ['an unknown mailHost', [[keys.account('b'), account({ name: 'b', id: 'b', mailHost: 'n9' })]], /n9 is unknown/],
  [
    'a password of shared mailboxes',
    [
      [
        keys.account('b'),
        account({ name: 'b', id: 'b', kind: 'shared', credentials: { POP: { revision: 1 } as never } }),
      ],
    ],
    /home of shared mailboxes and has a password/,
  ],
  ['a lease of another', [[keys.lease('n1'), { mailHost: 'n2', epoch: 1 }]], /not a lease on that mailHost/],
  ['a stray key', [['stray', 1]], /nothing is kept under such a key/],
] as const)
  test(`${what} is found`, async () => {
    const found = await flawsOf([...sound, ...(more as Given)]);
    assert.is(found.length, 1, found.join('\n'));
    assert.match(found[0]!, expected);
  });

test('a store that the directory knows by another id, missing settings and a number to be given out again are found', async () => {
  const [, , mine] = sound;
  assert.match(
    (await flawsOf([sound[0], [keys.mailHost('n1'), { mailHost: 'n1', storeId: 's2' }], mine]))[0]!,
    /store s2/,
  );
  assert.equal(await flawsOf(sound.slice(1)), ['settings: there are none']);
  assert.is((await flawsOf(sound, { revision: 2 })).length, 1);
});

test('a copy is another data directory; a mirror’s copy trusts nothing of what it holds', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-entries-'));
  try {
    const path = join(directory, 'directory');
    await createEntryStore(path);
    const store = openEntryStore(path);
    const sealed = new TextEncoder().encode('value');
    await store.commit([{ key: 'account.a', revision: 7, sealed }], { generation: 3, revision: 7 });
    for (const isMirror of [true, false]) {
      const to = join(directory, `copy ${isMirror}`);
      await store.copyTo(to);
      assert.equal(await inspectEntryCopy(to), { dataId: store.dataId, remembered: { generation: 3, revision: 7 } });
      assert.equal(readdirSync(to), ['data.mdb']);
      await adoptEntryCopy(to, isMirror);
      const copy = openEntryStore(to);
      assert.is.not(copy.dataId, store.dataId);
      assert.equal(copy.get('account.a'), { key: 'account.a', revision: 7, sealed });
      assert.equal(
        copy.remembered(),
        isMirror ? { generation: -1, isDistrusted: true, revision: 7 } : { generation: 3, revision: 7 },
      );
      await copy.close();
    }
    await store.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('an id is found by the name that is left, whatever was told in between', () => {
  const index = createIdIndex([joe]);
  const jim = account({ name: 'jim@example.test', id: 'a' });
  const gone = { ...joe, deleted: true as const };
  index.add(jim);
  index.add({ ...joe, version: 2 });
  index.add(gone);
  assert.is(index.nameOf('a'), jim.name);
  index.add({ ...jim, deleted: true });
  assert.is(index.nameOf('a'), undefined);
});

test.run();
