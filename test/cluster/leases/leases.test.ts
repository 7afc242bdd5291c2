/** Leases over the memory bucket: takeover only when it is safe, epochs that rise, and what a sole store changes. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeRecord, encodeRecord, keys, type LeaseRecord } from '../../../cluster/directory/records.ts';
import type { Lease } from '../../../cluster/leases/ownership.ts';
import { createWorld, type NodeOptions, settled, type World, type WorldNode } from '../directory/world.ts';

const test = suite('leases');
const T = 6000;
const MARGIN = 1000;
const shared: Partial<NodeOptions> = { isSoleStore: () => false };
const store = (mailHost: string) => `store of ${mailHost}`;
const never = new AbortController().signal;

async function two(options: Partial<NodeOptions> = shared) {
  const world = await createWorld({ mailHosts: ['h1', 'h2'] });
  const nodes = await Promise.all(['n1', 'n2'].map((me) => world.node({ ...options, me })));
  assert.ok(await world.clock.until(() => nodes.every((node) => node.directory.isFresh()), 10_000));
  return { world, n1: nodes[0]!, n2: nodes[1]! };
}

const acquire = (world: World, node: WorldNode, mailHost = 'h1', storeEpoch = 0, ms = 60_000) =>
  settled(world, node.leases.acquire(mailHost, storeEpoch, store(mailHost), never), ms);

/** Asks for a lease and leaves it open whether it comes. */
function asking(node: WorldNode, mailHost = 'h1') {
  const asked: { lease?: Lease; error?: unknown } = {};
  const ending = new AbortController();
  const over = node.leases.acquire(mailHost, 0, store(mailHost), ending.signal).then(
    (lease) => {
      asked.lease = lease;
    },
    (error) => {
      asked.error = error;
    },
  );
  return { asked, over, ending };
}

const inBucket = (world: World, mailHost = 'h1') => {
  const key = keys.lease(mailHost);
  return decodeRecord(world.seal, key, world.server.entry(key)!.value!)!.value as LeaseRecord;
};

test('a free mailHost is acquired at once, in an epoch above that of lease and store', async () => {
  const { world, n1 } = await two();
  const begun = world.clock.monotonic();
  const lease = await acquire(world, n1, 'h1', 41);
  assert.ok(world.clock.monotonic() - begun < 50);
  assert.ok(lease.isHeld());
  assert.is(lease.epoch, 42);
  assert.equal(n1.leases.list(), [{ mailHost: 'h1', epoch: 42, holder: 'n1' }]);
  await world.close();
});

test('a lease is renewed and held for as long as its node lives, and nobody else gets it', async () => {
  const { world, n1, n2 } = await two();
  const lease = await acquire(world, n1);
  const { asked, over, ending } = asking(n2);
  await world.clock.run(60_000);
  assert.ok(lease.isHeld());
  assert.is(asked.lease, undefined);
  ending.abort(new Error('enough'));
  await settled(world, over);
  assert.match(String(asked.error), /enough/);
  await world.close();
});

test('a lease given back is taken at once by who waits, in a higher epoch', async () => {
  const { world, n1, n2 } = await two();
  const lease = await acquire(world, n1);
  const { asked } = asking(n2);
  await world.clock.run(1000);
  let lost = 0;
  lease.onLost(() => lost++);
  await settled(world, lease.release());
  assert.not(lease.isHeld());
  assert.is(lost, 1);
  await world.clock.run(500);
  assert.is(asked.lease?.epoch, lease.epoch + 1);
  await world.close();
});

for (const how of ['cut', 'killed', 'stopped', 'suspended'] as const) {
  test(`a holder that is ${how} serves no more before another may take over`, async () => {
    const { world, n1, n2 } = await two();
    const lease = await acquire(world, n1);
    const { asked } = asking(n2);
    await world.clock.run(10_000);
    const begun = world.clock.monotonic();
    if (how === 'cut') n1.cut();
    else if (how === 'killed') n1.kill();
    else n1.clock.stop(how === 'suspended');
    const isBoth = () => asked.lease !== undefined && !n1.clock.isStopped() && lease.isHeld();
    assert.not(await world.clock.until(isBoth, 20_000), 'never two owners');
    assert.ok(asked.lease?.isHeld());
    assert.ok(world.clock.monotonic() - begun >= T);
    assert.is(asked.lease!.epoch, lease.epoch + 1);
    n1.clock.go();
    assert.not(lease.isHeld(), 'in the very turn in which it goes on');
    n1.mend();
    await world.clock.run(20_000);
    assert.not(lease.isHeld(), 'and never again');
    assert.ok(asked.lease!.isHeld());
    await world.close();
  });
}

test('the takeover waits T and a margin from what was seen last, and no longer than a renewal more', async () => {
  const { world, n1, n2 } = await two();
  await acquire(world, n1);
  const { asked } = asking(n2);
  await world.clock.run(10_000);
  n1.kill();
  const begun = world.clock.monotonic();
  assert.ok(await world.clock.until(() => asked.lease !== undefined, 60_000));
  const tookMs = world.clock.monotonic() - begun;
  assert.ok(tookMs >= T + MARGIN - T / 3 - 50 && tookMs <= T + MARGIN + 100, `${tookMs} ms`);
  await world.close();
});

test('the same data directory takes its lease over at once after a crash, in a new epoch', async () => {
  const { world, n1 } = await two();
  const lease = await acquire(world, n1);
  const disk = n1.kill();
  const again = await world.fresh({ ...shared, me: 'n1', disk });
  const begun = world.clock.monotonic();
  const next = await acquire(world, again);
  assert.ok(world.clock.monotonic() - begun < 100);
  assert.is(next.epoch, lease.epoch + 1);
  await world.close();
});

test('a copied data directory under another name waits like any other', async () => {
  const { world, n1 } = await two();
  await acquire(world, n1);
  const copy = await world.fresh({ ...shared, me: 'n3', dataId: 'data of n1' });
  const { asked } = asking(copy);
  await world.clock.run(30_000);
  assert.is(asked.lease, undefined);
  await world.close();
});

test('two that wait for a dead holder: one gets it, the other goes on waiting', async () => {
  const { world, n1, n2 } = await two();
  const n3 = await world.fresh({ ...shared, me: 'n3' });
  await acquire(world, n1);
  const asks = [asking(n2), asking(n3)];
  await world.clock.run(5000);
  n1.kill();
  await world.clock.run(40_000);
  assert.is(asks.filter(({ asked }) => asked.lease?.isHeld()).length, 1);
  assert.is(asks.filter(({ asked }) => asked.lease !== undefined).length, 1);
  await world.close();
});

test('a mailHost that the directory knows by another store, or not at all, is never owned', async () => {
  const { world, n1 } = await two();
  const wrong = await settled(
    world,
    n1.leases.acquire('h1', 0, 'a fresh store', never).catch((error) => error),
  );
  assert.match(String(wrong), /known to the directory with store store of h1, but the store here is a fresh store/);
  const unknown = await settled(
    world,
    n1.leases.acquire('h9', 0, 'x', never).catch((error) => error),
  );
  assert.match(String(unknown), /"h9" is not known to the directory/);
  assert.equal(n1.leases.list(), []);
  await world.close();
});

test('a process does not acquire what it holds', async () => {
  const { world, n1 } = await two();
  await acquire(world, n1);
  const error = await settled(
    world,
    n1.leases.acquire('h1', 0, store('h1'), never).catch((fault) => fault),
  );
  assert.match(String(error), /held by this process already/);
  await world.close();
});

test('a renewal whose acknowledgement is lost is found again, and the lease goes on', async () => {
  const { world, n1 } = await two();
  const lease = await acquire(world, n1);
  let turn = 0;
  n1.faults.fate = (key) => (key.startsWith('lease.') && turn++ % 2 === 0 ? 'ack-lost' : 'done');
  await world.clock.run(60_000);
  assert.ok(lease.isHeld());
  assert.ok(turn > 10, 'acknowledgements were lost');
  await world.close();
});

test('a lapsed lease tells so by itself, once', async () => {
  const { world, n1 } = await two();
  const lease = await acquire(world, n1);
  let lostAt = 0;
  lease.onLost(() => {
    assert.is(lostAt, 0);
    lostAt = world.clock.monotonic();
  });
  await world.clock.run(10_000);
  const begun = world.clock.monotonic();
  n1.cut();
  await world.clock.run(30_000);
  assert.ok(lostAt > begun && lostAt <= begun + T);
  await world.close();
});

test('a sole store: the lease outlives the bucket being away, for its open sessions', async () => {
  const { world, n1, n2 } = await two({});
  const lease = await acquire(world, n1);
  for (const node of [n1, n2]) node.cut();
  await world.clock.run(60_000);
  assert.ok(lease.isHeld());
  for (const node of [n1, n2]) node.mend();
  await world.clock.run(10_000);
  assert.ok(lease.isHeld());
  assert.is(inBucket(world).epoch, lease.epoch);
  await world.close();
});

test('a sole store seen taken by another is lost at once', async () => {
  const { world, n1, n2 } = await two({});
  const lease = await acquire(world, n1);
  n1.cut();
  const other = await acquire(world, n2);
  assert.ok(lease.isHeld(), 'it could not know');
  let lost = 0;
  lease.onLost(() => lost++);
  n1.mend();
  await world.clock.until(() => lost > 0, 5000);
  assert.not(lease.isHeld());
  assert.ok(other.isHeld());
  await world.close();
});

test('a bucket that went back to another holder: the living lease is put back, in its epoch', async () => {
  const { world, n1, n2 } = await two();
  const old = await acquire(world, n2);
  const copy = world.server.snapshot();
  await settled(world, old.release());
  const lease = await acquire(world, n1);
  await world.clock.run(3000);
  world.server.restore(copy);
  await world.clock.run(10_000);
  assert.is(inBucket(world).holder, 'n1');
  assert.is(inBucket(world).epoch, lease.epoch);
  await world.close();
});

test("an old holder's lease put back by a stranger deposes nobody", async () => {
  const { world, n1, n2 } = await two();
  const old = await acquire(world, n2);
  const sealed = world.server.entry(keys.lease('h1'))!.value;
  await settled(world, old.release());
  const lease = await acquire(world, n1);
  world.server.raw(keys.lease('h1'), sealed);
  await world.clock.run(20_000);
  assert.ok(lease.isHeld());
  assert.is(inBucket(world).epoch, lease.epoch);
  await world.close();
});

test("another's record of the same version and a later clock ends a lease, which is never put back over it", async () => {
  const { world, n1 } = await two();
  const lease = await acquire(world, n1);
  await world.clock.run(7000);
  const key = keys.lease('h1');
  const { version, at } = decodeRecord(world.seal, key, world.server.entry(key)!.value!)!;
  const value: LeaseRecord = {
    mailHost: 'h1',
    holder: 'n2',
    startId: 'other',
    dataId: 'other',
    epoch: lease.epoch + 1,
  };
  world.server.raw(key, encodeRecord(world.seal, key, { version, at: at + 5, by: 'other', after: 0, value }));
  await world.clock.run(3000);
  assert.not(lease.isHeld());
  assert.is(inBucket(world).holder, 'n2');
  await world.close();
});

test('a lease that a repair put back is given back all the same', async () => {
  const { world, n1 } = await two();
  const lease = await acquire(world, n1);
  await world.clock.run(1000);
  const key = keys.lease('h1');
  const { revision } = world.server.entry(key)!;
  world.server.raw(key, undefined);
  const isPutBack = () => world.server.entry(key)!.value !== undefined;
  assert.ok(await world.clock.until(isPutBack, 1000));
  assert.ok(world.server.entry(key)!.revision > revision);
  await world.clock.run(100);
  await settled(world, lease.release());
  assert.ok(inBucket(world).released);
  await world.close();
});

test('leases of many mailHosts do not disturb one another', async () => {
  const { world, n1, n2 } = await two();
  const one = await acquire(world, n1, 'h1');
  const other = await acquire(world, n2, 'h2');
  await world.clock.run(30_000);
  assert.ok(one.isHeld() && other.isHeld());
  assert.equal(
    [...n1.leases.list()].sort((a, b) => (a.mailHost < b.mailHost ? -1 : 1)),
    [
      { mailHost: 'h1', epoch: 1, holder: 'n1' },
      { mailHost: 'h2', epoch: 1, holder: 'n2' },
    ],
  );
  await world.close();
});

test.run();
