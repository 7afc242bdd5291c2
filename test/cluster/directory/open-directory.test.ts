/** init and open: embedded on LMDB, joining a bucket, and every way an operator can have it wrong. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEntryStore, entryStoreExists, openEntryStore } from '../../../cluster/directory/entry-store.ts';
import { initClusterDirectory, initEmbeddedDirectory } from '../../../cluster/directory/init-directory.ts';
import { memoryBucketServer } from '../../../cluster/directory/memory-bucket.ts';
import { memoryEntryStore } from '../../../cluster/directory/memory-entry-store.ts';
import { openEmbeddedDirectory } from '../../../cluster/directory/open-directory.ts';
import { keys } from '../../../cluster/directory/records.ts';
import { sealWith } from '../../../cluster/directory/seal.ts';
import { type Clock, systemClock } from '../../../kernel/clock.ts';
import { silentLog } from '../../../telemetry/log.ts';
import { CLUSTER, createWorld, edit, MAX_STALE_MS } from './world.ts';

const test = suite('open directory');
const ALICE = 'alice@example.test';
const seal = sealWith(new Uint8Array(32).fill(7));
/** The system's clock with timers that keep the process alive: here they are all there is to wait for. */
const clock: Clock = {
  ...systemClock,
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
const settings = { cluster: CLUSTER, maxStaleMs: MAX_STALE_MS };
const mailHosts = [{ mailHost: 'h1', storeId: 'store 1' }];
const folders: string[] = [];
const path = () => {
  const made = mkdtempSync(join(tmpdir(), 'homing-open-directory-'));
  folders.push(made);
  return join(made, 'directory');
};
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error) => String(error),
  );
const open = (at: string, with_ = seal) =>
  openEmbeddedDirectory({
    me: 'n1',
    startId: `start ${Math.random()}`,
    mailHosts: ['h1'],
    store: openEntryStore(at),
    seal: with_,
    clock: systemClock,
    log: silentLog,
  });

test('embedded: made by init, changed, and there after a restart', async () => {
  const at = path();
  await initEmbeddedDirectory({ me: 'n1', path: at, seal, settings, mailHosts });
  const first = open(at);
  assert.ok(first.directory.isFresh());
  const changed: string[] = [];
  first.directory.onChange((account) => changed.push(`${account.name} ${account.version}`));
  const result = await first.directory.change(ALICE, edit(ALICE, 1), { operation: 'one', ifVersion: 0 });
  assert.ok(result.ok && result.value?.version === 1);
  assert.equal(await first.directory.change(ALICE, edit(ALICE, 2), { operation: 'two', ifVersion: 0 }), {
    ok: false,
    refusal: 'conflict',
  });
  const again = await first.directory.change(ALICE, edit(ALICE, 9), { operation: 'one' });
  assert.ok(again.ok && again.value?.version === 1, 'the same operation is not done twice');
  assert.equal(changed, [`${ALICE} 1`]);
  await first.leave();
  const second = open(at);
  assert.is(second.directory.find(ALICE)?.settings.quotaOctets, 1);
  assert.is(second.directory.findById(`id of ${ALICE}`)?.name, ALICE);
  assert.is([...second.directory.accounts()].length, 1);
  await second.close();
});

test('embedded: twenty changes at once of one account all stand, one upon the other', async () => {
  const at = path();
  await initEmbeddedDirectory({ me: 'n1', path: at, seal, settings, mailHosts });
  const { directory, close } = open(at);
  const changes = Array.from({ length: 20 }, (_, i) =>
    directory.change(ALICE, edit(ALICE, i), { operation: `op ${i}` }),
  );
  assert.ok((await Promise.all(changes)).every(({ ok }) => ok));
  assert.is(directory.find(ALICE)?.version, 20);
  await close();
});

test('embedded: each start owns a mailHost in a new epoch, above its store’s', async () => {
  const at = path();
  await initEmbeddedDirectory({ me: 'n1', path: at, seal, settings, mailHosts });
  const epochs: number[] = [];
  for (const storeEpoch of [0, 0, 10]) {
    const { leases, close } = open(at);
    const lease = await leases.acquire('h1', storeEpoch, 'store 1', new AbortController().signal);
    assert.ok(lease.isHeld());
    epochs.push(lease.epoch);
    await lease.release();
    assert.not(lease.isHeld());
    await close();
  }
  assert.equal(epochs, [1, 2, 11]);
  const { leases, members, close } = open(at);
  assert.match(
    await failure(leases.acquire('h1', 0, 'another', new AbortController().signal)),
    /store here is another/,
  );
  assert.is(members.list().length, 1);
  await close();
});

test('embedded: a missing database, a second init and a wrong cluster key are refused by name', async () => {
  const at = path();
  assert.throws(() => open(at), /missing; `homing init` creates it/);
  await initEmbeddedDirectory({ me: 'n1', path: at, seal, settings, mailHosts });
  assert.match(
    await failure(initEmbeddedDirectory({ me: 'n1', path: at, seal, settings, mailHosts })),
    /exists already/,
  );
  const store = openEntryStore(at);
  const options = { me: 'n1', startId: 's', mailHosts: ['h1'], store, clock: systemClock, log: silentLog };
  assert.throws(
    () => openEmbeddedDirectory({ ...options, seal: sealWith(new Uint8Array(32)) }),
    /does not open with this cluster key/,
  );
  await store.close();
});

test('embedded: an init that broke off is not taken for a whole one', async () => {
  const at = path();
  await createEntryStore(at);
  assert.throws(() => open(at), /init` did not end well/);
});

test('cluster: the first init writes the settings, the next ones join; each makes its own mirror', async () => {
  const server = memoryBucketServer();
  const bucket = server.client(clock);
  const init = (me: string, at: string) =>
    initClusterDirectory(bucket, { me, path: at, seal, settings, mailHosts: [{ mailHost: me, storeId: `of ${me}` }] });
  const paths = [path(), path()];
  assert.equal(await init('n1', paths[0]!), { isFirst: true });
  const revision = server.entry(keys.settings)!.revision;
  assert.equal(await init('n2', paths[1]!), { isFirst: false });
  assert.is(server.entry(keys.settings)!.revision, revision, 'joined, not written again');
  assert.ok(paths.every((at) => entryStoreExists(at)));
});

test('cluster: a wrong key, another cluster and another store of a mailHost are refused, and nothing is made', async () => {
  const bucket = memoryBucketServer().client(clock);
  await initClusterDirectory(bucket, { me: 'n1', path: path(), seal, settings, mailHosts });
  const wrong = { me: 'n2', seal, settings, mailHosts: [] };
  const cases = [
    [{ ...wrong, seal: sealWith(new Uint8Array(32)) }, /cluster key does not open/],
    [{ ...wrong, settings: { ...settings, cluster: 'other' } }, /belongs to the cluster "test", not to "other"/],
    [{ ...wrong, mailHosts: [{ mailHost: 'h1', storeId: 'store 2' }] }, /known to the directory with store store 1/],
  ] as const;
  for (const [options, message] of cases) {
    const at = path();
    assert.match(await failure(initClusterDirectory(bucket, { ...options, path: at })), message);
    assert.not(entryStoreExists(at));
  }
});

test('cluster: serving with a wrong key, of another cluster, or without init, says so', async () => {
  const world = await createWorld();
  const wrongKey = { me: 'n1', seal: sealWith(new Uint8Array(32)) };
  assert.match(await failure(world.node(wrongKey)), /cluster key does not open the directory bucket/);
  assert.match(await failure(world.node({ me: 'n1', cluster: 'other' })), /that of the cluster "test", not of "other"/);
  world.server.restore({ last: 0, entries: [] });
  assert.match(await failure(world.node({ me: 'n1' })), /has no settings; `homing init` writes them/);
  await world.close();
});

test('cluster: a node whose bucket is out of reach opens, refuses logins, and is ready when it is back', async () => {
  const world = await createWorld();
  const n1 = await world.fresh({ me: 'n1' });
  const disk = n1.kill();
  const bucket = world.server.client(world.clock);
  bucket.cut();
  const again = await world.node({ me: 'n1', disk, bucket });
  let isReady: boolean | undefined;
  void again.ready(60_000).then((ready) => {
    isReady = ready;
  });
  await world.clock.run(5000);
  assert.not(again.directory.isFresh());
  assert.is(isReady, undefined);
  bucket.mend();
  await world.clock.run(6000);
  assert.is(isReady, true);
  assert.ok(again.directory.isFresh());
  await world.close();
});

test('cluster: a mirror from memory and one from LMDB tell the same', async () => {
  const world = await createWorld();
  const at = path();
  await createEntryStore(at);
  const store = openEntryStore(at);
  const n1 = await world.fresh({ me: 'n1', disk: memoryEntryStore('m') });
  const n2 = await world.fresh({ me: 'n2', store });
  let isDone = false;
  const change = n1.directory.change(ALICE, edit(ALICE, 5), { operation: 'one' }).then((result) => {
    isDone = true;
    return result;
  });
  // the disk is real and the world's time is not: let it pass no faster than the disk's
  while (!isDone) {
    await world.clock.run(1);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok((await change).ok);
  assert.is(n2.directory.find(ALICE)?.settings.quotaOctets, 5);
  await world.close();
  const reopened = openEntryStore(at);
  assert.ok(reopened.get(keys.account(ALICE)), 'fsynced before it confirmed');
  await reopened.close();
});

test.after(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

test.run();
