/** Registration, heartbeats and departure; and a bucket that went back, or was tampered with. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryEntryStore } from '../../../cluster/directory/memory-entry-store.ts';
import { decodeRecord, encodeRecord, keys, type Registration } from '../../../cluster/directory/records.ts';
import { createWorld, edit, MAX_STALE_MS, settled, type World, type WorldNode } from '../directory/world.ts';

const test = suite('node session');
const ALICE = 'alice@example.test';
const BOB = 'bob@example.test';
let operations = 0;
const change = (node: WorldNode, value: number, name = ALICE) =>
  node.directory.change(name, edit(name, value), { operation: `operation ${operations++}` });
const quota = (node: WorldNode, name = ALICE) => node.directory.find(name)?.settings.quotaOctets;
const names = (node: WorldNode) =>
  node.members
    .list()
    .map(({ me }) => me)
    .sort();

async function changed(world: World, node: WorldNode, value: number, name = ALICE) {
  const result = await settled(world, change(node, value, name));
  assert.equal(result.ok ? 'ok' : result.refusal, 'ok');
}

async function three() {
  const world = await createWorld();
  const nodes = await Promise.all(['n1', 'n2', 'n3'].map((me) => world.node({ me })));
  assert.ok(await world.clock.until(() => nodes.every((node) => node.directory.isFresh()), 10_000), 'all are fresh');
  return { world, nodes, n1: nodes[0]!, n2: nodes[1]!, n3: nodes[2]! };
}

/** Watches for max-stale and until all are fresh; fails as soon as one is fresh and shows something else than `value`. */
async function healsTo(world: World, nodes: readonly WorldNode[], value: number, ms = 20_000) {
  const isWrong = () => nodes.some((node) => node.directory.isFresh() && quota(node) !== value);
  const isDone = () => nodes.every((node) => node.directory.isFresh());
  const begun = world.clock.monotonic();
  await world.clock.until(isWrong, MAX_STALE_MS); // what was fresh before may be so for a while
  await world.clock.until(() => isWrong() || isDone(), ms - (world.clock.monotonic() - begun));
  assert.not(isWrong(), 'no node is ever fresh with an older version');
  assert.ok(isDone(), 'all are fresh again');
}

test('each node is registered at all of them, with its start', async () => {
  const { world, n1, n3 } = await three();
  assert.equal(names(n1), ['n1', 'n2', 'n3']);
  const { startId } = n1.members.list().find(({ me }) => me === 'n2')!;
  assert.ok(n3.members.isRegistered('n2', startId));
  assert.not(n3.members.isRegistered('n2', 'another start'));
  await world.close();
});

test('a node that leaves is gone at the others at once, and accepts no login from then on', async () => {
  const { world, n1, n2 } = await three();
  const seen: number[] = [];
  n1.members.onChange((members) => seen.push(members.length));
  const leaving = n2.leave();
  assert.not(n2.directory.isFresh());
  await settled(world, leaving);
  world.nodes.splice(world.nodes.indexOf(n2), 1);
  await world.clock.run(100);
  assert.equal(names(n1), ['n1', 'n3']);
  assert.equal(seen, [2]);
  await world.close();
});

test('freshness is made by a round trip when it is asked for', async () => {
  const world = await createWorld();
  const n1 = await world.fresh({ me: 'n1', timing: { heartbeatMs: 60_000 } });
  await world.clock.run(MAX_STALE_MS + 1);
  assert.not(n1.directory.isFresh());
  const begun = world.clock.monotonic();
  assert.ok(await settled(world, n1.directory.freshen(1000)));
  assert.ok(world.clock.monotonic() - begun < 50);
  await world.close();
});

test('a restart with the same data directory takes the registration over at once', async () => {
  const { world, n1, n2 } = await three();
  const old = n2.members.list().find(({ me }) => me === 'n2')!.startId;
  const disk = n2.kill();
  const begun = world.clock.monotonic();
  const again = await world.fresh({ me: 'n2', disk });
  assert.ok(world.clock.monotonic() - begun < 1500, 'it waited for nobody but the next heartbeats');
  assert.not(n1.members.isRegistered('n2', old));
  assert.equal(names(again), ['n1', 'n2', 'n3']);
  await world.close();
});

test('the same name from another data directory waits until the registration stood unchanged', async () => {
  const { world, n1, n2 } = await three();
  const other = await world.node({ me: 'n2', dataId: 'another directory' });
  await world.clock.run(10_000);
  assert.not(other.directory.isFresh(), 'as long as the first one beats');
  assert.ok(n1.directory.isFresh());
  n2.kill();
  assert.ok(await world.clock.until(() => other.directory.isFresh(), 10_000));
  await world.close();
});

test('a silent node is deregistered only after its key stood unchanged; back again, it registers anew', async () => {
  const { world, n1, n3 } = await three();
  n3.cut();
  await world.clock.run(MAX_STALE_MS);
  assert.equal(names(n1), ['n1', 'n2', 'n3']);
  assert.ok(await world.clock.until(() => names(n1).length === 2, 5000));
  n3.mend();
  assert.ok(await world.clock.until(() => n3.directory.isFresh(), 5000));
  assert.equal(names(n1), ['n1', 'n2', 'n3']);
  assert.equal(world.errors, [], 'an overwritten registration is no regression');
  await world.close();
});

test('a node that slept finds nobody dead when it wakes', async () => {
  const { world, n1, n2, n3 } = await three();
  for (const node of [n1, n2, n3]) node.clock.stop(true);
  await world.clock.run(60_000);
  let fewest = 3;
  n1.members.onChange((members) => {
    fewest = Math.min(fewest, members.length);
  });
  n1.clock.go();
  await world.clock.run(2000);
  for (const node of [n2, n3]) node.clock.go();
  await world.clock.run(3000);
  assert.is(fewest, 3);
  assert.ok([n1, n2, n3].every((node) => node.directory.isFresh()));
  await world.close();
});

test('the bucket away for a minute and back: nobody is deregistered, and all are fresh within five seconds', async () => {
  const { world, nodes, n1 } = await three();
  await changed(world, n1, 1);
  const starts = n1.members
    .list()
    .map(({ me, startId }) => `${me} ${startId}`)
    .sort();
  for (const node of nodes) node.cut();
  await world.clock.run(60_000);
  assert.ok(nodes.every((node) => !node.directory.isFresh()));
  for (const node of nodes) node.mend();
  await healsTo(world, nodes, 1, 5000);
  assert.equal(
    n1.members
      .list()
      .map(({ me, startId }) => `${me} ${startId}`)
      .sort(),
    starts,
  );
  assert.equal(world.errors, []);
  await world.close();
});

test('a cut connection resumes without a sweep, and with what was missed', async () => {
  const { world, n1, n2 } = await three();
  await changed(world, n1, 1);
  n2.cut();
  await world.clock.run(2000);
  await changed(world, n1, 2);
  world.said.length = 0;
  n2.mend();
  await healsTo(world, [n2], 2, 3500);
  const loads = world.said.filter(({ message }) => message === 'directory mirror caught up');
  assert.equal(
    loads.map(({ fields }) => (fields as { swept: boolean }).swept),
    [false],
  );
  await world.close();
});

test('restored from an older copy while all live: noticed, repaired under a new generation, never followed', async () => {
  const { world, nodes, n1, n2 } = await three();
  await changed(world, n1, 1);
  await changed(world, n1, 1, BOB);
  const copy = world.server.snapshot();
  await changed(world, n2, 2);
  const gone = await settled(
    world,
    n2.directory.change(BOB, (current) => current && { ...current, deleted: true }, { operation: 'delete bob' }),
  );
  assert.ok(gone.ok);
  await world.clock.run(10_000);
  world.server.restore(copy);
  await healsTo(world, nodes, 2);
  assert.ok(
    nodes.every((node) => node.directory.find(BOB) === undefined),
    'tombstones too',
  );
  assert.ok(
    world.errors.some((error) => /WENT BACK/.test(error)),
    'said loudly',
  );
  assert.ok(world.server.entry(keys.generation), 'a new generation');
  // what the bucket holds is the newest again: an empty mirror learns it from there
  const n4 = await world.fresh({ me: 'n4' });
  assert.is(quota(n4), 2);
  assert.is(n4.directory.find(BOB), undefined);
  await changed(world, n1, 3);
  assert.is(quota(n4), 3);
  await world.close();
});

test('a change that only one living node has seen comes back from that one, though others start first', async () => {
  const { world, n1, n2, n3 } = await three();
  await changed(world, n1, 1);
  n2.cut();
  n3.cut();
  await world.clock.run(MAX_STALE_MS + 500);
  const copy = world.server.snapshot();
  await changed(world, n1, 2); // n2 and n3 are stale: they do not have it
  world.server.restore(copy);
  n1.cut();
  n2.mend();
  n3.mend();
  const isWrong = () => [n2, n3].some((node) => node.directory.isFresh() && quota(node) !== 2);
  assert.not(await world.clock.until(isWrong, 2000), 'they wait for n1, which is registered');
  n1.mend();
  await healsTo(world, [n1, n2, n3], 2);
  await world.close();
});

test('a copy so fresh that it lacks only the last change is noticed as well', async () => {
  const { world, nodes, n1 } = await three();
  await changed(world, n1, 1);
  const copy = world.server.snapshot();
  await changed(world, n1, 2);
  world.server.restore(copy);
  await healsTo(world, nodes, 2);
  await world.close();
});

test('an empty bucket in the place of the old one is filled again from the mirrors', async () => {
  const { world, nodes, n1 } = await three();
  await changed(world, n1, 1);
  for (let i = 0; i < 100; i++) await changed(world, n1, i, `user${i}@example.test`);
  world.server.restore({ last: 0, entries: [] });
  await healsTo(world, nodes, 1);
  const n4 = await world.fresh({ me: 'n4' });
  assert.is([...n4.directory.accounts()].length, 101);
  await world.close();
});

test('two changes that reached one version in two histories: all nodes choose the same', async () => {
  const { world, nodes, n1, n2, n3 } = await three();
  await changed(world, n1, 1);
  const copy = world.server.snapshot();
  n2.cut();
  n3.cut();
  await world.clock.run(MAX_STALE_MS + 500);
  await changed(world, n1, 2); // version 2, known to n1 alone
  n1.cut();
  world.server.restore(copy);
  n2.mend();
  n3.mend();
  await world.clock.until(() => n2.directory.isFresh(), 20_000); // n1 is deregistered by then
  await changed(world, n2, 3); // version 2 too, later
  n1.mend();
  await healsTo(world, nodes, 3);
  assert.equal(
    nodes.map((node) => node.directory.find(ALICE)!.version),
    [2, 2, 2],
  );
  await world.close();
});

test('a stranger who puts an older sealed account back is not followed, and is overwritten', async () => {
  const { world, nodes, n1 } = await three();
  await changed(world, n1, 1);
  const old = world.server.entry(keys.account(ALICE))!.value;
  await changed(world, n1, 2);
  world.server.raw(keys.account(ALICE), old);
  await healsTo(world, nodes, 2);
  await world.clock.run(1000);
  const n4 = await world.fresh({ me: 'n4' });
  assert.is(quota(n4), 2);
  await changed(world, n1, 3);
  await world.close();
});

for (const [what, value] of [
  ['a raw delete', undefined],
  ['garbage', Uint8Array.of(1, 2, 3)],
] as const) {
  test(`${what} of an account is not followed, and is repaired`, async () => {
    const { world, nodes, n1 } = await three();
    await changed(world, n1, 1);
    world.server.raw(keys.account(ALICE), value);
    await healsTo(world, nodes, 1);
    await world.clock.run(1000);
    const n4 = await world.fresh({ me: 'n4' });
    assert.is(quota(n4), 1);
    await world.close();
  });
}

test('an account sealed for another key is not taken under this one', async () => {
  const { world, nodes, n1 } = await three();
  await changed(world, n1, 1);
  await changed(world, n1, 2, BOB);
  world.server.raw(keys.account('mallory@example.test'), world.server.entry(keys.account(BOB))!.value);
  world.server.raw(keys.account(ALICE), world.server.entry(keys.account(BOB))!.value);
  await healsTo(world, nodes, 1);
  assert.ok(nodes.every((node) => node.directory.find('mallory@example.test') === undefined));
  await world.close();
});

test('a registration overwritten by a stranger with an old one: conflict, doubt, and healed', async () => {
  const { world, nodes, n1 } = await three();
  await changed(world, n1, 1);
  const old = world.server.entry(keys.node('n2'))!.value;
  await world.clock.run(3000);
  world.server.raw(keys.node('n2'), old);
  await world.clock.run(1);
  await healsTo(world, nodes, 1);
  await changed(world, n1, 2);
  await world.close();
});

test('a registration deleted raw is registered again', async () => {
  const { world, nodes, n1, n2 } = await three();
  await changed(world, n1, 1);
  world.server.raw(keys.node('n2'), undefined);
  await world.clock.run(50);
  await healsTo(world, nodes, 1);
  assert.ok(names(n2).includes('n2'));
  await world.close();
});

test('a tombstone written over a live node: it doubts at once and registers anew', async () => {
  const { world, nodes, n1, n2 } = await three();
  await changed(world, n1, 1);
  const entry = world.server.entry(keys.node('n2'))!;
  const record = { version: 1_000_000, at: 0, by: 'someone', after: entry.revision };
  world.server.raw(keys.node('n2'), encodeRecord(world.seal, keys.node('n2'), record));
  assert.ok(await world.clock.until(() => !n2.directory.isFresh(), 100));
  await healsTo(world, nodes, 1);
  assert.equal(names(n1), ['n1', 'n2', 'n3']);
  assert.equal(world.errors, []);
  await world.close();
});

test('lost acknowledgements of heartbeats do not end freshness: the watch tells them', async () => {
  const { world, n1 } = await three();
  n1.faults.fate = (key) => (key === keys.node('n1') ? 'ack-lost' : 'done');
  await world.clock.run(3000);
  const isStale = await world.clock.until(() => !n1.directory.isFresh(), 30_000);
  assert.not(isStale);
  await world.close();
});

test('a restarted node goes on from its mirror, and one with an empty mirror loads it', async () => {
  const { world, n1, n2 } = await three();
  await changed(world, n1, 1);
  await settled(world, n2.leave());
  world.nodes.splice(world.nodes.indexOf(n2), 1);
  await changed(world, n1, 2);
  const again = await world.fresh({ me: 'n2', disk: n2.store.crash() });
  assert.is(quota(again), 2);
  const empty = await world.fresh({ me: 'n5', disk: memoryEntryStore('empty') });
  assert.is(quota(empty), 2);
  await world.close();
});

test('the whole cluster killed and started again heals, though the bucket went back meanwhile', async () => {
  const { world, nodes, n1 } = await three();
  await changed(world, n1, 1);
  const copy = world.server.snapshot();
  await changed(world, n1, 2);
  await world.clock.run(2000);
  const disks = nodes.map((node) => ({ me: node.me, disk: node.kill() }));
  world.server.restore(copy);
  const again = await Promise.all(disks.map((options) => world.node(options)));
  await healsTo(world, again, 2);
  await world.close();
});

test('registrations tell the generation that was swept', async () => {
  const { world, n1 } = await three();
  await world.clock.run(3000);
  const held = world.server.entry(keys.node('n1'))!;
  const registration = decodeRecord(world.seal, keys.node('n1'), held.value!)!.value as Registration;
  assert.is(registration.synced, 0);
  assert.is(registration.me, n1.me);
  await world.close();
});

test.run();
