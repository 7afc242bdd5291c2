/** What a node saw go back stays seen: over cut sessions, kills, and other nodes that repair at the same time. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bucket } from '../../../cluster/directory/bucket.ts';
import type { Faults } from '../../../cluster/directory/memory-bucket.ts';
import { decodeRecord, keys, type Registration } from '../../../cluster/directory/records.ts';
import { laggingBucket } from '../directory/lagging-bucket.ts';
import {
  createWorld,
  edit,
  MAX_STALE_MS,
  processClock,
  settled,
  type World,
  type WorldNode,
} from '../directory/world.ts';

const test = suite('a contradicted mirror');
const ALICE = 'alice@example.test';
let operations = 0;

async function changed(world: World, node: WorldNode, value: number) {
  const result = await settled(
    world,
    node.directory.change(ALICE, edit(ALICE, value), { operation: `operation ${operations++}` }),
  );
  assert.ok(result.ok);
}

const seen = (node: WorldNode) => node.directory.find(ALICE)?.settings.quotaOctets;
const isHealed = (nodes: readonly WorldNode[], value: number) =>
  nodes.every((node) => node.directory.isFresh() && seen(node) === value);

async function twoNodes(latencyMs?: () => number) {
  const world = await createWorld(latencyMs && { latencyMs });
  const nodes = [await world.fresh({ me: 'n1' }), await world.fresh({ me: 'n2' })];
  await changed(world, nodes[0]!, 1);
  const snapshot = world.server.snapshot();
  const old = world.server.entry(keys.account(ALICE))!.value!;
  await changed(world, nodes[0]!, 2);
  return { world, nodes, snapshot, old };
}

/** Killed and started again on what its disk had. */
async function restarted(world: World, nodes: readonly WorldNode[], pauseMs: () => number = () => 0) {
  for (const node of nodes) await node.store.durable();
  const disks = nodes.map((node) => node.kill());
  const again: WorldNode[] = [];
  for (const [at, disk] of disks.entries()) {
    again.push(await settled(world, world.open({ me: nodes[at]!.me, disk })));
    await world.clock.run(pauseMs());
  }
  return again;
}

for (const what of ['an old record put back', 'an older copy of the bucket'] as const)
  for (const how of ['a cut session', 'a kill'] as const)
    test(`${what}, seen and not yet repaired, is repaired after ${how}`, async () => {
      const { world, nodes, snapshot, old } = await twoNodes();
      let live = nodes;
      for (const { faults } of nodes)
        faults.fate = (key) => (key === keys.generation || key.startsWith('account') ? 'lost' : 'done');
      if (what === 'an old record put back') world.server.raw(keys.account(ALICE), old);
      else world.server.restore(snapshot);
      await world.clock.run(1300); // heartbeats pass, the repair's own writes do not
      for (const { faults } of nodes) delete faults.fate;
      if (how === 'a kill') live = await restarted(world, nodes);
      else {
        for (const node of nodes) node.cut();
        await world.clock.run(20);
        for (const node of nodes) node.mend();
      }
      const before = world.server.snapshot().last;
      assert.ok(await world.clock.until(() => isHealed(live, 2), 5000));
      const writes = world.server.snapshot().last - before;
      assert.ok(writes < 60, `${writes} writes: sessions that ended each other`);
      const joined = await world.node({ me: 'n4' });
      assert.ok(await world.clock.until(() => isHealed([joined], 2), 10_000), 'a new node learns the new version');
      await world.close();
    });

test('who alone knows a change is waited for also where the older copy has no registration at all', async () => {
  const world = await createWorld();
  const beforeAll = world.server.snapshot();
  const [n1, n2] = [await world.fresh({ me: 'n1' }), await world.fresh({ me: 'n2' })];
  assert.ok(await world.clock.until(() => n2.members.list().length === 2 && n1.members.list().length === 2, 5000));
  n2.cut();
  await world.clock.run(MAX_STALE_MS + 500);
  await changed(world, n1, 1);
  assert.is(seen(n2), undefined);
  n1.clock.stop();
  world.server.restore(beforeAll);
  n2.mend();
  const hasWrittenBack = () => world.server.entry(keys.node('n1')) !== undefined;
  assert.ok(await world.clock.until(hasWrittenBack, 5000), 'what n2 knows of n1 is in the bucket again');
  assert.not(await world.clock.until(() => n2.directory.isFresh(), 2000), 'n2 waits for n1, which is registered');
  n1.clock.go();
  const isWrong = () => [n1, n2].some((node) => node.directory.isFresh() && seen(node) !== 1);
  assert.not((await world.clock.until(() => isWrong() || isHealed([n1, n2], 1), 10_000)) && isWrong());
  assert.ok(isHealed([n1, n2], 1));
  await world.close();
});

test('a heartbeat that lands upon what others wrote back, at the very revision of one forgotten, proves nothing', async () => {
  const world = await createWorld();
  const beforeAll = world.server.snapshot();
  const n2 = await world.fresh({ me: 'n2' });
  const n1 = await world.fresh({ me: 'n1' });
  const key = keys.node('n1');
  const known = () => world.server.entry(key)!.revision;
  const before = known();
  assert.ok(await world.clock.until(() => known() > before, 5000));
  await world.clock.run(10); // heard by n1 itself
  const revision = known();
  n1.clock.stop();
  await changed(world, n2, 2);
  // what n2 writes then: its heartbeat, the generation, and n1's registration
  world.server.restore({ ...beforeAll, last: revision - 3 });
  assert.ok(await world.clock.until(() => world.server.entry(key) !== undefined, 5000));
  assert.is(known(), revision, 'by chance: the same revision');
  n1.clock.go();
  assert.ok(
    await world.clock.until(() => isHealed([n1, n2], 2), 10_000),
    'n1 sweeps, and nobody waits for it for ever',
  );
  await world.close();
});

test('what others wrote back of a node that stands still is not its word, in a generation that was not swept here', async () => {
  for (const gapMs of [0, 10, 15, 20, 22, 24, 26, 28, 30, 35, 50]) {
    const world = await createWorld({ latencyMs: () => 10 });
    const beforeAll = world.server.snapshot();
    const nodes: WorldNode[] = [];
    for (const me of ['n1', 'n2', 'n3']) nodes.push(await world.fresh({ me }));
    const [n1, n2, n3] = nodes as [WorldNode, WorldNode, WorldNode];
    const cutOff = [n2, n3];
    const registration = (sealed: Uint8Array | undefined) =>
      sealed && (decodeRecord(world.seal, keys.node('n1'), sealed)?.value as Registration | undefined);
    await changed(world, n1, 1);
    for (const node of cutOff) node.cut();
    world.server.restore(beforeAll);
    assert.ok(await world.clock.until(() => world.server.entry(keys.generation) !== undefined, 8000));
    const afterwards = world.server.snapshot(); // has the new generation
    const hasSwept = () => registration(world.server.entry(keys.node('n1'))?.value)?.synced === 1;
    assert.ok(await world.clock.until(hasSwept, 8000));
    for (const node of cutOff) {
      node.mend();
      const knows = () => registration(node.store.get(keys.node('n1'))?.sealed)?.synced === 1;
      assert.ok(await world.clock.until(knows, 8000));
      node.cut();
      assert.not(node.store.remembered().generation === 1, 'heard of it, and did not get to sweep it');
    }
    await world.clock.run(MAX_STALE_MS + 6500);
    await changed(world, n1, 2);
    n1.clock.stop();
    world.server.restore(afterwards);
    n2.mend();
    void n2.directory.freshen(3000);
    await world.clock.run(gapMs);
    n3.mend();
    void n3.directory.freshen(3000);
    const isWrong = () => cutOff.some((node) => node.directory.isFresh() && seen(node) !== 2);
    assert.not(await world.clock.until(isWrong, 4000), `${gapMs} ms apart: they wait for n1`);
    n1.clock.go();
    assert.ok(await world.clock.until(() => isHealed(nodes, 2), 20_000), `${gapMs} ms apart`);
    await world.close();
  }
});

test('nodes that come back one after the other to an older copy agree on one new generation', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    let state = seed * 7919;
    const random = () => {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      return state / 0x7fffffff;
    };
    const { world, nodes, snapshot } = await twoNodes(() => 0.5 + 3 * random());
    let live = nodes;
    const gapMs = () => Math.floor(400 * random());
    if (seed % 2 === 0) {
      for (const node of nodes) await node.store.durable();
      world.server.restore(snapshot);
      live = await restarted(world, nodes, gapMs);
    } else {
      for (const node of nodes) node.cut();
      world.server.restore(snapshot);
      for (const node of nodes) {
        node.mend();
        await world.clock.run(gapMs());
      }
    }
    assert.ok(await world.clock.until(() => isHealed(live, 2), 5000), `seed ${seed}`);
    await world.close();
  }
});

test('nodes that can not write back for a while do not outgrow each other with generations meanwhile', async () => {
  for (const latencyMs of [1, 2, 3, 5])
    for (const gapMs of [0, 50, 100, 200, 300, 400, 500]) {
      const { world, nodes, snapshot } = await twoNodes(() => latencyMs);
      for (const node of nodes) {
        node.cut();
        node.faults.fate = (key) => (key.startsWith('account') ? 'lost' : 'done');
      }
      world.server.restore(snapshot);
      for (const node of nodes) {
        node.mend();
        await world.clock.run(gapMs);
      }
      await world.clock.run(5000);
      for (const node of nodes) delete node.faults.fate;
      assert.ok(await world.clock.until(() => isHealed(nodes, 2), 8000), `${latencyMs} ms, gap ${gapMs} ms`);
      const { value } = world.server.entry(keys.generation)!;
      const generation = decodeRecord(world.seal, keys.generation, value!)!.version;
      assert.ok(generation <= 2, `${latencyMs} ms, gap ${gapMs} ms: ${generation} generations`);
      const writes = world.server.snapshot().last - snapshot.last;
      assert.ok(writes < 60, `${latencyMs} ms, gap ${gapMs} ms: ${writes} writes`);
      await world.close();
    }
});

test('a heartbeat told over a gap makes nothing fresh: what was overwritten in it may be missing', async () => {
  const world = await createWorld();
  const n1 = await world.fresh({ me: 'n1' });
  const lagging = laggingBucket(world);
  const n2 = await world.fresh({ me: 'n2', bucket: lagging.bucket, clock: world.clock });
  await changed(world, n1, 1);
  await world.clock.run(1500);
  assert.ok(isHealed([n2], 1));
  lagging.hold();
  await changed(world, n1, 2); // by the limit of time: n2 can't confirm it
  await world.clock.run(500); // a heartbeat of n2 lies between the two
  void n1.directory.change(ALICE, edit(ALICE, 3), { operation: `operation ${operations++}` });
  await world.clock.run(5); // committed: version 2 is no longer in the bucket
  lagging.goOn();
  const isWrong = () => n2.directory.isFresh() && seen(n2) === 1;
  await world.clock.until(() => isWrong() || isHealed([n2], 3), 5000);
  assert.not(isWrong(), 'fresh without a version that was acknowledged before');
  assert.ok(isHealed([n2], 3));
  await world.close();
});

/** Its watch, once broken, says nothing more: a connection of which only one end knows that it is no more. */
const halfOpen = (bucket: Bucket): Bucket => ({
  ...bucket,
  async *watch(after, signal) {
    try {
      yield* bucket.watch(after, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
  },
});

/** The only node, a bucket that went back behind its last heartbeat, and how it comes to see that. */
async function contradictedAlone(way: 'watch' | 'heartbeat' | 'change') {
  const world = await createWorld();
  const clock = processClock(world.clock);
  const faults: Partial<Faults> = { latencyMs: () => 1 };
  const client = world.server.client(clock, faults);
  const node = await world.fresh({ me: 'n1', bucket: way === 'watch' ? client : halfOpen(client), clock });
  await changed(world, node, 1);
  const beats = () => world.server.entry(keys.node('n1'))!.revision;
  const { last } = world.server.snapshot();
  assert.ok(await world.clock.until(() => beats() > last, 1100));
  await world.clock.run(5); // heard
  const snapshot = world.server.snapshot();
  await changed(world, node, 2);
  assert.is(snapshot.last, beats(), 'the last heartbeat proves the copy, and lies above the older record');
  world.server.restore(snapshot);
  const again = edit(ALICE, 2);
  if (way === 'change') void node.directory.change(ALICE, again, { operation: `operation ${operations++}` });
  const hasSeen = () => world.errors.includes('directory: the bucket went back');
  assert.ok(await world.clock.until(hasSeen, 2000));
  faults.fate = (key) => (key === keys.node('n1') ? 'done' : 'lost'); // its repair does not reach the bucket
  const kill = () => {
    clock.stop();
    client.cut();
    return node.kill();
  };
  return { world, node, faults, kill };
}

for (const way of ['watch', 'heartbeat', 'change'] as const)
  for (const endsAfterMs of [0, 3, 10, 150, 900])
    for (const how of ['heard again', 'killed'] as const)
      test(`seen by one node alone, by its ${way}, and ${how} ${endsAfterMs} ms later: the older copy is repaired`, async () => {
        const { world, node, faults, kill } = await contradictedAlone(way);
        await world.clock.run(endsAfterMs);
        delete faults.fate;
        let live = node;
        if (how === 'killed') {
          await node.store.durable();
          live = await world.node({ me: 'n1', disk: kill() });
        }
        assert.ok(await world.clock.until(() => isHealed([live], 2), 8000));
        const { value } = world.server.entry(keys.account(ALICE))!;
        assert.ok(decodeRecord(world.seal, keys.account(ALICE), value!)!.version >= 2, 'the bucket has it again');
        await world.close();
      });

test.run();
