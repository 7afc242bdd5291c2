/** Changes, freshness and the barrier over three nodes, in a world where time moves only when told. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keys } from '../../../cluster/directory/records.ts';
import { laggingBucket } from './lagging-bucket.ts';
import { createWorld, edit, MAX_STALE_MS, settled, type World, type WorldNode } from './world.ts';

const test = suite('cluster directory');
const ALICE = 'alice@example.test';
const quota = (node: WorldNode, name = ALICE) => node.directory.find(name)?.settings.quotaOctets;
let operations = 0;
const operation = () => `operation ${operations++}`;
const set = (node: WorldNode, value: number, ifVersion?: number) =>
  node.directory.change(ALICE, edit(ALICE, value), {
    operation: operation(),
    ...(ifVersion === undefined ? {} : { ifVersion }),
  });

async function three(options?: Parameters<typeof createWorld>[0]) {
  const world = await createWorld(options);
  const nodes = await Promise.all(['n1', 'n2', 'n3'].map((me) => world.node({ me })));
  assert.ok(await world.clock.until(() => nodes.every((node) => node.directory.isFresh()), 10_000), 'all are fresh');
  return { world, n1: nodes[0]!, n2: nodes[1]!, n3: nodes[2]! };
}

async function changed(world: World, node: WorldNode, value: number) {
  const result = await settled(world, set(node, value));
  assert.ok(result.ok, `change to ${value}: ${result.ok ? '' : result.refusal}`);
}

test('a change made at one node is at all of them when it succeeds, within a round trip', async () => {
  const { world, n1, n2, n3 } = await three();
  const begun = world.clock.monotonic();
  await changed(world, n1, 1);
  assert.ok(world.clock.monotonic() - begun < 100, 'no timeout was waited for');
  assert.equal(
    [n1, n2, n3].map((node) => quota(node)),
    [1, 1, 1],
  );
  assert.equal(n2.directory.find(ALICE)?.version, 1);
  await world.close();
});

test('a node that is cut off goes stale by itself, and the change waits until it has', async () => {
  const { world, n1, n3 } = await three();
  await changed(world, n1, 1);
  n3.cut();
  const begun = world.clock.monotonic();
  const change = set(n1, 2);
  await world.clock.run(1500);
  assert.ok(n3.directory.isFresh(), 'still within max-stale');
  assert.equal(quota(n3), 1);
  const result = await settled(world, change);
  assert.ok(result.ok);
  assert.ok(world.clock.monotonic() - begun >= MAX_STALE_MS);
  assert.not(n3.directory.isFresh());
  assert.not(await settled(world, n3.directory.freshen(1000)), 'it can not be made fresh either');
  n3.mend();
  assert.ok(await settled(world, n3.directory.freshen(5000)));
  assert.equal(quota(n3), 2);
  await world.close();
});

for (const suspended of [false, true]) {
  test(`a node ${suspended ? 'suspended with its machine' : 'stopped'} during a change never shows the old version as fresh`, async () => {
    const { world, n1, n2 } = await three();
    await changed(world, n1, 1);
    n2.clock.stop(suspended);
    await changed(world, n1, 2);
    n2.clock.go();
    assert.not(n2.directory.isFresh(), 'in the very turn in which it goes on');
    const stale = await world.clock.until(() => n2.directory.isFresh() && quota(n2) !== 2, 10_000);
    assert.not(stale, 'never fresh with the old version');
    assert.ok(n2.directory.isFresh());
    assert.equal(quota(n2), 2);
    await world.close();
  });
}

test('a login whose hash was being computed sees in its last turn that the account has changed', async () => {
  const { world, n1, n2 } = await three();
  await changed(world, n1, 1);
  const before = n2.directory.find(ALICE)!;
  const seen: number[] = [];
  n2.directory.onChange((account) => seen.push(account.version));
  await changed(world, n1, 2);
  assert.ok(n2.directory.isFresh());
  assert.is.not(n2.directory.find(ALICE)!.version, before.version);
  assert.equal(seen, [2]);
  await world.close();
});

test('a dead node delays a change once by max-stale, is deregistered, and delays no more', async () => {
  const { world, n1, n2, n3 } = await three();
  n3.kill();
  let begun = world.clock.monotonic();
  await changed(world, n1, 1);
  assert.ok(world.clock.monotonic() - begun >= MAX_STALE_MS);
  assert.ok(await world.clock.until(() => n2.members.list().length === 2, 8000), 'it was deregistered');
  begun = world.clock.monotonic();
  await changed(world, n1, 2);
  assert.ok(world.clock.monotonic() - begun < 100);
  await world.close();
});

test('a lost acknowledgement is resolved by asking the leader: the change succeeds, once', async () => {
  const { world, n1, n2 } = await three();
  let fate: 'ack-lost' | 'done' = 'ack-lost';
  n1.faults.fate = (key) => {
    if (!key.startsWith('account.')) return 'done';
    const this_ = fate;
    fate = 'done';
    return this_;
  };
  await changed(world, n1, 1);
  assert.equal(n2.directory.find(ALICE)?.version, 1);
  await world.close();
});

test('a write lost on its way is written again, and succeeds', async () => {
  const { world, n1, n2 } = await three();
  let left = 1;
  n1.faults.fate = (key) => (key.startsWith('account.') && left-- > 0 ? 'lost' : 'done');
  await changed(world, n1, 1);
  assert.equal(quota(n2), 1);
  await world.close();
});

test('when nothing is acknowledged the outcome is unknown, and says so', async () => {
  const { world, n1 } = await three();
  n1.faults.fate = (key) => (key.startsWith('account.') ? 'lost' : 'done');
  const result = await settled(world, set(n1, 1));
  assert.equal(result, { ok: false, refusal: 'unknown' });
  await world.close();
});

test('an operation repeated after its answer was lost is recognised and not done twice', async () => {
  const { world, n1, n2 } = await three();
  await changed(world, n1, 1);
  const again = { operation: 'the same', ifVersion: 1 };
  const first = await settled(world, n1.directory.change(ALICE, edit(ALICE, 2), again));
  const second = await settled(world, n2.directory.change(ALICE, edit(ALICE, 2), again));
  assert.ok(first.ok && second.ok);
  assert.is(n1.directory.find(ALICE)!.version, 2);
  await world.close();
});

test('a node that joins during the barrier has the change before it is fresh', async () => {
  const { world, n1, n3 } = await three();
  n3.cut(); // so that the barrier lasts
  const change = set(n1, 1);
  await world.clock.run(500);
  const n4 = await world.node({ me: 'n4' });
  const isStale = await world.clock.until(() => n4.directory.isFresh() && quota(n4) !== 1, 10_000);
  assert.not(isStale);
  assert.ok(n4.directory.isFresh());
  assert.ok((await settled(world, change)).ok);
  await world.close();
});

test('of two changers that race upon one version exactly one wins, fifty times', async () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  const { world, n1, n2, n3 } = await three({ latencyMs: () => Math.floor(random() * 20) });
  await changed(world, n1, 0);
  for (let round = 1; round <= 50; round++) {
    const version = n3.directory.find(ALICE)!.version;
    const results = await settled(world, Promise.all([set(n1, round, version), set(n2, -round, version)]));
    assert.is(results.filter(({ ok }) => ok).length, 1, `round ${round}: one winner`);
    assert.ok(
      results.some((result) => !result.ok && result.refusal === 'conflict'),
      `round ${round}: one conflict`,
    );
    const winner = results[0]!.ok ? round : -round;
    assert.equal(
      [n1, n2, n3].map((node) => quota(node)),
      [winner, winner, winner],
    );
  }
  await world.close();
});

test('two changers that name no version both succeed, one upon the other', async () => {
  const { world, n1, n2, n3 } = await three();
  const results = await settled(world, Promise.all([set(n1, 1), set(n2, 2)]));
  assert.ok(results.every(({ ok }) => ok));
  assert.is(n3.directory.find(ALICE)!.version, 2);
  await world.close();
});

test('a deleted account is absent, its version goes on when it is made anew, and ids follow', async () => {
  const { world, n1, n2 } = await three();
  await changed(world, n1, 1);
  assert.is(n2.directory.findById(`id of ${ALICE}`)?.name, ALICE);
  const gone = await settled(
    world,
    n1.directory.change(ALICE, (current) => current && { ...current, deleted: true }, { operation: operation() }),
  );
  assert.ok(gone.ok);
  assert.is(n2.directory.find(ALICE), undefined);
  assert.is(n2.directory.findById(`id of ${ALICE}`), undefined);
  assert.equal([...n2.directory.accounts()], []);
  const stale = await settled(world, set(n2, 5, 1));
  assert.equal(stale, { ok: false, refusal: 'conflict' });
  const versions: number[] = [];
  const anew = await settled(
    world,
    n2.directory.change(
      ALICE,
      (current, version) => {
        versions.push(version);
        return edit(ALICE, 6)(current);
      },
      { operation: operation(), ifVersion: 0 },
    ),
  );
  assert.ok(anew.ok);
  assert.is(n1.directory.find(ALICE)!.version, 3);
  assert.equal(versions, [3]);
  await world.close();
});

test('a change that was not needed succeeds and writes nothing', async () => {
  const { world, n1 } = await three();
  await changed(world, n1, 1);
  const revision = world.server.entry(keys.account(ALICE))!.revision;
  const result = await settled(
    world,
    n1.directory.change(ALICE, () => undefined, { operation: operation() }),
  );
  assert.ok(result.ok && result.value?.version === 1);
  assert.is(world.server.entry(keys.account(ALICE))!.revision, revision);
  await world.close();
});

test('a node without the bucket refuses changes as unavailable, and nothing is written', async () => {
  const { world, n1, n2 } = await three();
  n1.cut();
  await world.clock.run(MAX_STALE_MS + 1000);
  assert.equal(await settled(world, set(n1, 1)), { ok: false, refusal: 'unavailable' });
  n1.mend();
  await world.clock.run(5000);
  assert.is(quota(n2), undefined);
  await world.close();
});

test('a registration in what the changer passed over holds up its change until that node has confirmed, or the limit', async () => {
  for (const goesOn of [true, false]) {
    const world = await createWorld();
    const changer = laggingBucket(world);
    const n1 = await world.fresh({ me: 'n1', bucket: changer.bucket, clock: world.clock });
    await changed(world, n1, 1);
    changer.hold();
    const newcomer = laggingBucket(world);
    const n2 = await world.fresh({ me: 'n2', bucket: newcomer.bucket, clock: world.clock });
    newcomer.hold();
    const begun = world.clock.monotonic();
    let isDone = false;
    const change = set(n1, 2).then((result) => {
      isDone = true;
      return result;
    });
    const registration = () => world.server.entry(keys.node('n2'))!.revision;
    const landmark = () => world.server.entry(keys.account(ALICE))!.revision;
    assert.ok(await world.clock.until(() => quota(n1) === 2, 100), 'committed');
    assert.ok(registration() < landmark());
    assert.ok(await world.clock.until(() => registration() > landmark(), 1500), 'overwritten by the next heartbeat');
    changer.goOn();
    await world.clock.until(() => isDone, 500);
    assert.not(isDone, 'n2 is fresh and lacks it');
    assert.ok(n2.directory.isFresh());
    assert.is(quota(n2), 1);
    if (goesOn) newcomer.goOn();
    assert.ok((await settled(world, change)).ok);
    assert.ok(goesOn ? quota(n2) === 2 : !n2.directory.isFresh());
    assert.is(world.clock.monotonic() - begun < MAX_STALE_MS, goesOn);
    newcomer.goOn();
    await world.close();
  }
});

test('a changer cut off just after its commit still succeeds, when every other node must be stale or have it', async () => {
  const { world, n1, n2, n3 } = await three();
  n2.faults.latencyMs = () => 40;
  const change = set(n1, 1);
  assert.ok(await world.clock.until(() => world.server.entry(keys.account(ALICE)) !== undefined, 1000));
  assert.ok(await world.clock.until(() => quota(n1) === 1, 100));
  n1.cut();
  const result = await settled(world, change);
  assert.equal(result.ok ? 'ok' : result.refusal, 'ok');
  assert.equal([quota(n2), quota(n3)], [1, 1]);
  await world.close();
});

test('a full disk at the changer: no success, and the change is told as unknown', async () => {
  const { world, n1 } = await three();
  n1.store.full(true);
  assert.equal(await settled(world, set(n1, 1)), { ok: false, refusal: 'unknown' });
  n1.store.full(false);
  await changed(world, n1, 2);
  await world.close();
});

test('a node whose disk has no room for a new account holds up no change to a known one, and sweeps when it starts again', async () => {
  const { world, n1, n2, n3 } = await three();
  await changed(world, n1, 1);
  n2.store.full('for new keys');
  const BOB = 'bob@example.test';
  const made = await settled(world, n1.directory.change(BOB, edit(BOB, 7), { operation: operation() }));
  assert.ok(made.ok, 'after the limit: n2 can not confirm it');
  for (const [value, node] of [n1, n2, n3].entries()) {
    const begun = world.clock.monotonic();
    await changed(world, node, value);
    assert.ok(world.clock.monotonic() - begun < 100, `${node.me}: no timeout was waited for`);
  }
  await world.clock.run(1500); // a heartbeat above bob's entry is on the disk
  await n2.store.durable(keys.node('n2'));
  const disk = n2.kill();
  assert.is(disk.get(keys.account(BOB)), undefined);
  assert.ok(disk.get(keys.node('n2'))!.revision > world.server.entry(keys.account(BOB))!.revision);
  const again = await world.fresh({ me: 'n2', disk });
  assert.is(quota(again, BOB), 7);
  assert.is(quota(again), 2);
  await world.close();
});

test('what succeeded is on the disk of the changer and of a node that confirmed', async () => {
  const { world, n1, n2 } = await three();
  await changed(world, n1, 1);
  for (const disk of [n1.kill(), n2.kill()]) assert.ok(disk.get(keys.account(ALICE)));
  await world.close();
});

test('a node that stops while a change waits answers unknown', async () => {
  const { world, n1, n3 } = await three();
  n3.cut();
  const change = set(n1, 1);
  await world.clock.run(500);
  const leaving = n1.leave();
  assert.equal(await settled(world, change), { ok: false, refusal: 'unknown' });
  await settled(world, leaving);
  world.nodes.splice(world.nodes.indexOf(n1), 1);
  await world.close();
});

test.run();
