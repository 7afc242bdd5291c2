/** The JetStream bucket on a nats-server of its own: the contract, and what only a real server does. */

import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BucketFault } from '../../../cluster/directory/bucket.ts';
import {
  bucketName,
  createJetStreamBucket,
  jetStreamBucketExists,
  openJetStreamBucket,
} from '../../../cluster/directory/jetstream-bucket.ts';
import { connectNats, type NatsLink } from '../../../cluster/nats/connect.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { silentLog } from '../../../telemetry/log.ts';
import { type NatsServer, natsServer } from '../../support/nats-server.ts';
import { bucketContract } from './bucket-contract.ts';

const test = suite('jetstream bucket');
const { server, missing } = await natsServer();
let buckets = 0;

const linkTo = (to: NatsServer): Promise<NatsLink> =>
  connectNats({ servers: [to.address] }, { me: 'test', log: silentLog, clock: systemClock });

async function opened(to: NatsServer) {
  const link = await linkTo(to);
  const name = bucketName(`bucket ${buckets++}`);
  assert.is(await createJetStreamBucket(link.connection, name), 1);
  const bucket = await openJetStreamBucket(link, name, systemClock);
  const close = async () => {
    await bucket.close();
    await link.close();
  };
  return { link, name, bucket, close };
}

if (!server) {
  test.skip(`all of it: ${missing}`, () => {});
} else {
  bucketContract(test, async () => {
    const { bucket, close } = await opened(server);
    return { bucket, close, settled: (promise) => promise };
  });

  test('a bucket that exists is not made again', async () => {
    const { link, name, bucket, close } = await opened(server);
    await bucket.write('account.a', Uint8Array.of(1), 0, 1000);
    assert.is(await createJetStreamBucket(link.connection, name), 0);
    assert.ok(await jetStreamBucketExists(link.connection, name));
    assert.not(await jetStreamBucketExists(link.connection, bucketName('another')));
    assert.is((await bucket.read('account.a', 1000))?.revision, 1);
    await close();
  });

  test('it can be read with the key-value tools of NATS, and is never read from a replica', async () => {
    const { link, name, bucket, close } = await opened(server);
    await bucket.write('account.a', Uint8Array.of(1, 2), 0, 1000);
    const kv = await new Kvm(link.connection).open(name);
    assert.equal(new Uint8Array((await kv.get('account.a'))!.value), Uint8Array.of(1, 2));
    const { config } = await (await jetstreamManager(link.connection)).streams.info(`KV_${name}`);
    assert.is(config.allow_direct, false);
    assert.is(config.max_msgs_per_subject, 1);
    await close();
  });

  test("a stranger's delete shows as an entry without a value; his purge is refused", async () => {
    const { link, name, bucket, close } = await opened(server);
    await bucket.write('account.a', Uint8Array.of(1), 0, 1000);
    const kv = await new Kvm(link.connection).open(name);
    await kv.delete('account.a');
    assert.equal(await bucket.read('account.a', 1000), { key: 'account.a', revision: 2, value: undefined });
    const purge = await kv.purge('account.a').then(
      () => 'purged',
      () => 'refused',
    );
    assert.is(purge, 'refused');
    const manager = await jetstreamManager(link.connection);
    for (const attempt of [
      () => manager.streams.purge(`KV_${name}`),
      () => manager.streams.deleteMessage(`KV_${name}`, 2),
    ]) {
      assert.is(
        await attempt().then(
          () => 'done',
          () => 'refused',
        ),
        'refused',
      );
    }
    await close();
  });

  test('a bucket that is not there: surely not written, and nothing is made', async () => {
    const { link, close } = await opened(server);
    const bucket = await openJetStreamBucket(link, bucketName('missing'), systemClock);
    const fault = await bucket.write('account.a', Uint8Array.of(1), 0, 1000).catch((error) => error);
    assert.is((fault as BucketFault).failure, 'unavailable');
    assert.not(await jetStreamBucketExists(link.connection, bucketName('missing')));
    await close();
  });

  test('a server that freezes in the middle of a write: unknown; one that is gone: the watch breaks', async () => {
    const { server: own } = await natsServer();
    const { bucket, close } = await opened(own!);
    const ending = new AbortController();
    try {
      const watching = (async () => {
        for await (const _ of bucket.watch(0, ending.signal));
        return 'ended without a fault';
      })().catch((error) => error);
      await bucket.write('account.a', Uint8Array.of(1), 0, 1000);
      own!.freeze();
      let fault: unknown;
      for (let i = 0; fault === undefined; i++) {
        // the signal takes a moment to be felt: some writes may still be answered
        const written = bucket.write(`account.${i}`, Uint8Array.of(1), 0, 300);
        fault = await written.then(
          () => undefined,
          (error) => error,
        );
      }
      assert.is((fault as BucketFault).failure, 'unknown');
      assert.instance(await watching, BucketFault);
    } finally {
      ending.abort();
      own!.thaw();
      await close();
      await own!.stop();
    }
  });

  test('a flood of writes is watched without a gap', async () => {
    const { bucket, close } = await opened(server);
    const ending = new AbortController();
    const revisions: number[] = [];
    const watching = (async () => {
      for await (const event of bucket.watch(0, ending.signal)) {
        if (event.kind !== 'entry') continue;
        revisions.push(event.entry.revision);
        if (revisions.length === 3000) ending.abort();
      }
    })();
    for (let batch = 0; batch < 30; batch++) {
      const writes = Array.from({ length: 100 }, (_, i) =>
        bucket.write(`account.${batch}-${i}`, new Uint8Array(1000), 0, 10_000),
      );
      await Promise.all(writes);
    }
    await watching;
    assert.equal(
      revisions,
      Array.from({ length: 3000 }, (_, i) => i + 1),
    );
    await close();
  });

  test('a watch that passes over what is overwritten says so, and is caught up again only when nothing is missing', async () => {
    const { bucket, close } = await opened(server);
    const ending = new AbortController();
    const acknowledged = [0, 0, 0];
    const before: number[][] = []; // what was acknowledged before each marker was begun
    const write = async (key: string, values: number, noted: (value: number) => void) => {
      let revision = 0;
      for (let value = 1; value <= values; value++) {
        const written = await bucket.write(key, Buffer.from(`${value}`), revision, 10_000);
        assert.ok(written.ok);
        revision = written.value;
        noted(value);
      }
    };
    const writers = acknowledged.map((_, at) =>
      write(`account.${at}`, 400, (value) => {
        acknowledged[at] = value;
      }),
    );
    before.push([...acknowledged]);
    writers.push(write('node.marker', 400, () => before.push([...acknowledged])));
    let passedOver = 0;
    const watch = async () => {
      const mirrored = [0, 0, 0];
      let marker = 0;
      let hasGap = true;
      let told = 0;
      let isAtEnd = false;
      const ended = new AbortController();
      for await (const event of bucket.watch(0, AbortSignal.any([ended.signal, ending.signal]))) {
        if (event.kind === 'entry') {
          if (event.entry.revision > told + 1) passedOver++;
          told = event.entry.revision;
          const value = Number(Buffer.from(event.entry.value!).toString());
          if (event.entry.key === 'node.marker') marker = value;
          else if (event.entry.key === 'node.end') isAtEnd = true;
          else mirrored[Number(event.entry.key.slice(-1))] = value;
        } else hasGap = event.kind === 'gap';
        if (hasGap) continue;
        const wanted = marker === 0 ? [0, 0, 0] : before[marker - 1]!;
        assert.ok(
          mirrored.every((value, at) => value >= wanted[at]!),
          `${mirrored} without a gap, after ${wanted}`,
        );
        if (isAtEnd) ended.abort();
      }
      return mirrored;
    };
    const watches: ReturnType<typeof watch>[] = [];
    for (let each = 0; each < 20; each++) {
      watches.push(watch());
      await bucket.read('node.marker', 10_000);
    }
    await Promise.all(writers);
    await bucket.write('node.end', Buffer.from('0'), 0, 10_000);
    for (const mirrored of await Promise.all(watches)) assert.equal(mirrored.slice(0, 3), [400, 400, 400]);
    assert.ok(passedOver > 0, 'nothing was passed over: the test showed nothing');
    await close();
  });

  test('a watch is caught up while writes never pause', async () => {
    const { bucket, close } = await opened(server);
    const ending = new AbortController();
    const writer = (async () => {
      for (let revision = 0; !ending.signal.aborted; ) {
        const written = await bucket.write('account.a', Uint8Array.of(1), revision, 10_000);
        assert.ok(written.ok);
        revision = written.value;
      }
    })();
    const watches = Array.from({ length: 5 }, async () => {
      for await (const { kind } of bucket.watch(0, ending.signal)) if (kind === 'caught-up') return;
    });
    await Promise.all(watches);
    ending.abort();
    await writer;
    await close();
  });

  test.after(async () => {
    await server.stop();
  });
}

test.run();
