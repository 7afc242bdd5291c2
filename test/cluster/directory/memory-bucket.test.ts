/** The memory bucket: the contract, and the faults it can play. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BucketFault } from '../../../cluster/directory/bucket.ts';
import { memoryBucketServer } from '../../../cluster/directory/memory-bucket.ts';
import { bucketContract } from './bucket-contract.ts';
import { fakeClock, processClock, settled } from './world.ts';

const test = suite('memory bucket');
const value = Uint8Array.of(1);

bucketContract(test, async () => {
  const clock = fakeClock();
  return {
    bucket: memoryBucketServer().client(clock, { latencyMs: () => 2 }),
    settled: (promise) => settled({ clock }, promise),
    close: async () => {},
  };
});

test('a write whose acknowledgement is lost is unknown, and stands', async () => {
  const clock = fakeClock();
  const server = memoryBucketServer();
  const bucket = server.client(clock, { fate: () => 'ack-lost' });
  const fault = await settled(
    { clock },
    bucket.write('a', value, 0, 100).catch((error) => error),
  );
  assert.is((fault as BucketFault).failure, 'unknown');
  assert.is(server.entry('a')?.revision, 1);
});

test('a client that is cut can not write, and its watch breaks', async () => {
  const clock = fakeClock();
  const bucket = memoryBucketServer().client(clock);
  const watching = (async () => {
    for await (const _ of bucket.watch(0, new AbortController().signal));
  })().catch((error) => error);
  await clock.run(10);
  bucket.cut();
  assert.instance(await settled({ clock }, watching), BucketFault);
  const fault = await bucket.write('a', value, 0, 100).catch((error) => error);
  assert.is((fault as BucketFault).failure, 'unavailable');
});

test('a stopped client hears everything at once when it goes on, in order', async () => {
  const clock = fakeClock();
  const server = memoryBucketServer();
  const own = processClock(clock);
  const bucket = server.client(own);
  const heard: number[] = [];
  const ending = new AbortController();
  const watching = (async () => {
    for await (const event of bucket.watch(0, ending.signal))
      if (event.kind === 'entry') heard.push(event.entry.revision);
  })();
  await clock.run(10);
  own.stop();
  for (let i = 0; i < 3; i++) server.raw('a', value);
  await clock.run(1000);
  assert.equal(heard, []);
  own.go();
  await clock.run(1);
  assert.equal(heard, [1, 2, 3]);
  ending.abort();
  await watching;
});

test('a restored server is what it was, and gives out the same revisions again', async () => {
  const clock = fakeClock();
  const server = memoryBucketServer();
  server.raw('a', value);
  const snapshot = server.snapshot();
  assert.is(server.raw('b', value), 2);
  server.restore(snapshot);
  assert.is(server.entry('b'), undefined);
  assert.is(server.raw('c', value), 2);
  await clock.run(1);
});

test.run();
