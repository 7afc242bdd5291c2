/**
 * Three nodes over a real nats-server: changes, a restart, a store directory replaced by an older copy, and a stranger with
 * a NATS connection. The races are in cluster-directory.test.ts and schedules.test.ts; here the server is the judge.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalBus } from '../../../cluster/bus/local-bus.ts';
import { openEntryStore } from '../../../cluster/directory/entry-store.ts';
import { initClusterDirectory } from '../../../cluster/directory/init-directory.ts';
import { bucketName, createJetStreamBucket, openJetStreamBucket } from '../../../cluster/directory/jetstream-bucket.ts';
import { type OpenDirectory, openClusterDirectory } from '../../../cluster/directory/open-directory.ts';
import { decodeRecord, keys } from '../../../cluster/directory/records.ts';
import { sealWith } from '../../../cluster/directory/seal.ts';
import { connectNats, type NatsLink } from '../../../cluster/nats/connect.ts';
import { subjects } from '../../../cluster/subjects.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { silentLog } from '../../../telemetry/log.ts';
import { type NatsServer, natsServer } from '../../support/nats-server.ts';
import { edit } from './world.ts';

const test = suite('directory over nats-server');
const ALICE = 'alice@example.test';
const BOB = 'bob@example.test';
const CLUSTER = 'test';
const MAX_STALE_MS = 1500;
const seal = sealWith(new Uint8Array(32).fill(9));
const timing = { heartbeatMs: 250, requestTimeoutMs: 1000, marginMs: 250, deregisterAfterMs: 3000, retryMs: 100 };

type Node = OpenDirectory & { readonly me: string };

async function cluster() {
  const { server, missing } = await natsServer();
  if (!server) throw new Error(missing);
  const folder = await mkdtemp(join(tmpdir(), 'homing-nats-directory-'));
  const bus = new LocalBus({ clock: systemClock, log: silentLog });
  const links: NatsLink[] = [];
  const nodes: Node[] = [];
  let starts = 0;
  const link = async () => {
    const made = await connectNats({ servers: [server.address] }, { me: 'test', log: silentLog, clock: systemClock });
    links.push(made);
    return made;
  };
  const node = async (me: string): Promise<Node> => {
    const own = await link();
    const path = join(folder, me);
    await createJetStreamBucket(own.connection, bucketName(CLUSTER));
    const bucket = await openJetStreamBucket(own, bucketName(CLUSTER), systemClock);
    const mailHosts = [{ mailHost: me, storeId: `store of ${me}` }];
    await initClusterDirectory(bucket, {
      me,
      path,
      seal,
      settings: { cluster: CLUSTER, maxStaleMs: MAX_STALE_MS },
      mailHosts,
    });
    const opened = await openClusterDirectory({
      me,
      startId: `start ${starts++}`,
      mailHosts: [me],
      cluster: CLUSTER,
      subjects: subjects(CLUSTER),
      store: openEntryStore(path),
      bucket,
      bus,
      seal,
      clock: systemClock,
      log: silentLog,
      timing,
    });
    nodes.push({ ...opened, me });
    return nodes.at(-1)!;
  };
  const close = async () => {
    for (const each of nodes) await each.leave();
    await bus.close();
    for (const each of links) await each.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { server, folder, link, node, nodes, close };
}

async function three() {
  const made = await cluster();
  const [n1, n2, n3] = [await made.node('n1'), await made.node('n2'), await made.node('n3')];
  for (const each of [n1, n2, n3]) assert.ok(await each.directory.freshen(10_000), `${each.me} is fresh`);
  return { ...made, n1, n2, n3 };
}

/** A test with a cluster of its own, which ends with it however it ends. */
function on(name: string, run: (made: Awaited<ReturnType<typeof three>>) => Promise<void>): void {
  test(name, async () => {
    const made = await three();
    try {
      await run(made);
    } finally {
      await made.close();
    }
  });
}

let operations = 0;
/** While the connection is away the answer is `unavailable` or `unknown`: the same operation is asked again until it is back. */
async function changed(node: Node, value: number, name = ALICE) {
  const end = systemClock.monotonic() + 10_000;
  const operation = `operation ${operations++}`;
  for (;;) {
    const result = await node.directory.change(name, edit(name, value), { operation });
    if (result.ok) return;
    assert.is.not(result.refusal, 'conflict');
    assert.ok(systemClock.monotonic() < end, 'available in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const quota = (node: Node) => node.directory.find(ALICE)?.settings.quotaOctets;

/** Looks every few milliseconds, that no node is fresh with another value, until `done`. */
async function healed(nodes: readonly Node[], value: number, done: () => Promise<boolean> | boolean, ms = 20_000) {
  const end = systemClock.monotonic() + ms;
  for (;;) {
    for (const node of nodes) {
      if (node.directory.isFresh()) assert.is(quota(node), value, `${node.me} is fresh with an older version`);
    }
    if (nodes.every((node) => node.directory.isFresh()) && (await done())) return;
    assert.ok(systemClock.monotonic() < end, 'healed in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function stale(nodes: readonly Node[], ms = 10_000): Promise<void> {
  const end = systemClock.monotonic() + ms;
  while (nodes.some((node) => node.directory.isFresh())) {
    assert.ok(systemClock.monotonic() < end, 'stale in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Is there a new generation in the bucket? Asked by a connection of its own. */
async function generation(link: NatsLink): Promise<number | undefined> {
  const kv = await new Kvm(link.connection).open(bucketName(CLUSTER));
  return (await kv.get(keys.generation))?.revision;
}

/** The store as it is on the disk of a server that was ended in order. */
async function copyOf(server: NatsServer, to: string): Promise<void> {
  await server.kill();
  await cp(server.storeDirectory, to, { recursive: true });
}

const { server: probe, missing } = await natsServer({ jetStream: false });
await probe?.stop();

if (missing !== undefined) {
  test.skip(`all of it: ${missing}`, () => {});
} else {
  on('a change is at all nodes when it succeeds; fifty in a row, at nodes in turn', async ({ n1, n2, n3 }) => {
    for (let i = 0; i < 50; i++) {
      await changed([n1, n2, n3][i % 3]!, i);
      assert.equal([n1, n2, n3].map(quota), [i, i, i]);
    }
  });

  on(
    'the server restarted: nothing is lost, nobody is deregistered, all are fresh again',
    async ({ server, n1, n2, n3 }) => {
      await changed(n1, 1);
      const before = n1.members
        .list()
        .map(({ me, startId }) => `${me} ${startId}`)
        .sort();
      let fewest = 3;
      n2.members.onChange((members) => {
        fewest = Math.min(fewest, members.length);
      });
      await server.restart();
      await healed([n1, n2, n3], 1, () => true);
      await changed(n3, 2);
      assert.equal([n1, n2, n3].map(quota), [2, 2, 2]);
      assert.equal(
        n1.members
          .list()
          .map(({ me, startId }) => `${me} ${startId}`)
          .sort(),
        before,
      );
      assert.is(fewest, 3);
    },
  );

  on(
    'the server frozen longer than max-stale: no logins, no changes; thawed, all heals',
    async ({ server, n1, n2, n3 }) => {
      await changed(n1, 1);
      server.freeze();
      await stale([n1, n2, n3]);
      assert.not(await n2.directory.freshen(500));
      const refused = await n1.directory.change(ALICE, edit(ALICE, 2), { operation: 'while frozen' });
      assert.equal(refused, { ok: false, refusal: 'unavailable' });
      server.thaw();
      await healed([n1, n2, n3], 1, () => true);
      await changed(n2, 3);
      assert.equal([n1, n2, n3].map(quota), [3, 3, 3]);
    },
  );

  on(
    'the store directory replaced by an older copy: repaired under a new generation, never followed',
    async ({ server, folder, link, node, n1, n2, n3 }) => {
      await changed(n1, 1);
      await changed(n1, 1, BOB);
      const copy = join(folder, 'copy');
      await copyOf(server, copy);
      await server.restart();
      await healed([n1, n2, n3], 1, () => true);
      await changed(n2, 2);
      const gone = await n3.directory.change(BOB, (current) => current && { ...current, deleted: true }, {
        operation: 'gone',
      });
      assert.ok(gone.ok);
      await server.kill();
      await rm(server.storeDirectory, { recursive: true });
      await cp(copy, server.storeDirectory, { recursive: true });
      await server.restart();
      const judge = await link();
      await healed([n1, n2, n3], 2, async () => (await generation(judge)) !== undefined);
      assert.ok(
        [n1, n2, n3].every((each) => each.directory.find(BOB) === undefined),
        'the tombstone too',
      );
      const n4 = await node('n4');
      assert.ok(await n4.directory.freshen(10_000));
      assert.is(quota(n4), 2, 'the bucket itself holds the newest again');
      assert.is(n4.directory.find(BOB), undefined);
      await changed(n4, 3);
      assert.equal([n1, n2, n3].map(quota), [3, 3, 3]);
    },
  );

  on(
    'a stranger on NATS puts an older record back, deletes it, writes garbage: never followed, repaired',
    async ({ link, n1, n2, n3 }) => {
      await changed(n1, 1);
      const stranger = await new Kvm((await link()).connection).open(bucketName(CLUSTER));
      const key = keys.account(ALICE);
      const old = new Uint8Array((await stranger.get(key))!.value);
      await changed(n1, 2);
      for (const tamper of [
        () => stranger.put(key, old),
        () => stranger.delete(key),
        () => stranger.put(key, 'not a record'),
        () => stranger.put(keys.node('n2'), 'not a record'),
      ]) {
        await tamper();
        const isRepaired = async () => {
          const entries = await Promise.all([key, keys.node('n2')].map((each) => stranger.get(each)));
          return entries.every((entry) => {
            const record = entry?.operation === 'PUT' && decodeRecord(seal, entry.key, entry.value);
            return record && record.value !== undefined && (entry.key !== key || record.version === 2);
          });
        };
        await healed([n1, n2, n3], 2, isRepaired);
      }
      await changed(n2, 3);
      assert.equal([n1, n2, n3].map(quota), [3, 3, 3]);
    },
  );

  on(
    'the bucket deleted: no logins and no new bucket by those who serve; made again by init, it is filled',
    async ({ link, node, n1, n2, n3 }) => {
      await changed(n1, 1);
      const manager = await jetstreamManager((await link()).connection);
      await manager.streams.delete(`KV_${bucketName(CLUSTER)}`);
      await stale([n1, n2, n3]);
      const found = await manager.streams.info(`KV_${bucketName(CLUSTER)}`).catch((error) => String(error));
      assert.match(String(found), /not found/);
      const n4 = await node('n4');
      await healed([n1, n2, n3], 1, () => true);
      assert.ok(await n4.directory.freshen(10_000));
      await healed([n1, n2, n3, n4], 1, () => quota(n4) === 1);
    },
  );

  on('a mailHost is owned through NATS, given back, and taken by who waits', async ({ n1, n2 }) => {
    const signal = new AbortController().signal;
    const lease = await n1.leases.acquire('n1', 7, 'store of n1', signal);
    assert.is(lease.epoch, 8);
    const waiting = n2.leases.acquire('n1', 0, 'store of n1', signal);
    await lease.release();
    assert.is((await waiting).epoch, 9);
    await (await waiting).release();
  });
}

test.run();
