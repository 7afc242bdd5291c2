/** What a node saw go back stays seen: over cut sessions, kills, and other nodes that repair at the same time. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bucket, WatchEvent } from '../../../cluster/directory/bucket.ts';
import { keys } from '../../../cluster/directory/records.ts';
import { createWorld, edit, settled, type World, type WorldNode } from '../directory/world.ts';

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

/** A bucket whose watch lags as a stream's consumer does: what was overwritten meanwhile is passed over, the rest comes apart. */
function laggingBucket(world: World) {
  let isHeld = false;
  let goOn = () => {};
  const client = world.server.client(world.clock, { latencyMs: () => 1 });
  const bucket: Bucket = {
    ...client,
    async *watch(after, signal): AsyncIterable<WatchEvent> {
      let hasGap = false;
      for await (const event of client.watch(after, signal)) {
        while (isHeld) await new Promise<void>((resolve) => (goOn = resolve));
        if (event.kind === 'entry') {
          const { key, revision } = event.entry;
          const isPassedOver = world.server.entry(key)!.revision !== revision;
          if (isPassedOver && !hasGap) yield { kind: 'gap' };
          hasGap ||= isPassedOver;
          if (isPassedOver) continue;
          await new Promise<void>((resolve) => world.clock.after(1, resolve));
        }
        yield event;
        if (hasGap && event.kind === 'entry' && event.entry.revision === world.server.snapshot().last) {
          hasGap = false;
          yield { kind: 'caught-up' };
        }
      }
    },
  };
  return {
    bucket,
    hold: () => {
      isHeld = true;
    },
    goOn: () => {
      isHeld = false;
      goOn();
    },
  };
}

test.run();
