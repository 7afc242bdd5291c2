/** What every bucket must do: run by memory-bucket.test.ts, local-bucket.test.ts and jetstream-bucket.test.ts. */

import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bucket, BucketFault, type Entry, type WatchEvent } from '../../../cluster/directory/bucket.ts';

export type BucketUnderTest = {
  readonly bucket: Bucket;
  /** Lets a fake clock run while the promise is pending. */
  settled<T>(promise: Promise<T>): Promise<T>;
  close(): Promise<void>;
};

const octets = (text: string) => new TextEncoder().encode(text);
const text = (entry: Entry | undefined) => entry?.value && new TextDecoder().decode(entry.value);
const TIMEOUT_MS = 5000;

/** Reads a watch until `done` holds of all that was told; ends it. */
async function told(
  bucket: Bucket,
  after: number,
  done: (events: readonly WatchEvent[]) => boolean,
  then?: () => void,
) {
  const events: WatchEvent[] = [];
  const ending = new AbortController();
  for await (const event of bucket.watch(after, ending.signal)) {
    events.push(event);
    if (event.kind === 'caught-up') then?.();
    if (done(events)) break;
  }
  ending.abort();
  return events;
}

const isCaughtUp = (events: readonly WatchEvent[]) => events.at(-1)?.kind === 'caught-up';
const said = (events: readonly WatchEvent[]) =>
  events.map((event) => (event.kind === 'entry' ? `${event.entry.key}=${text(event.entry)}` : event.kind));

export function bucketContract(test: Test, open: () => Promise<BucketUnderTest>): void {
  const on = (name: string, run: (under: BucketUnderTest) => Promise<void>) =>
    test(name, async () => {
      const under = await open();
      try {
        await run(under);
      } finally {
        await under.close();
      }
    });
  const put = async ({ bucket, settled }: BucketUnderTest, key: string, value: string, expected: number) => {
    const written = await settled(bucket.write(key, octets(value), expected, TIMEOUT_MS));
    assert.ok(written.ok, `${key} is written`);
    return written.value;
  };

  on('a key without entries is absent', async ({ bucket, settled }) => {
    assert.is(await settled(bucket.read('account.nobody', TIMEOUT_MS)), undefined);
  });

  on('what was written is read, with a revision that rises over all keys', async (under) => {
    const first = await put(under, 'account.a', 'one', 0);
    const second = await put(under, 'node.n1', 'two', 0);
    const third = await put(under, 'account.a', 'three', first);
    assert.ok(first > 0 && second > first && third > second);
    const entry = await under.settled(under.bucket.read('account.a', TIMEOUT_MS));
    assert.is(entry?.key, 'account.a');
    assert.is(entry?.revision, third);
    assert.is(text(entry), 'three');
  });

  on('a write upon another revision is a conflict and changes nothing', async (under) => {
    const { bucket, settled } = under;
    const first = await put(under, 'account.a', 'one', 0);
    for (const expected of [0, first - 1, first + 1]) {
      const written = await settled(bucket.write('account.a', octets('other'), expected, TIMEOUT_MS));
      assert.equal(written, { ok: false, refusal: 'conflict' });
    }
    assert.is(text(await settled(bucket.read('account.a', TIMEOUT_MS))), 'one');
  });

  on('of many writes at once upon one revision exactly one is accepted', async (under) => {
    const first = await put(under, 'account.a', 'one', 0);
    const writes = Array.from({ length: 20 }, (_, i) =>
      under.bucket.write('account.a', octets(`${i}`), first, TIMEOUT_MS),
    );
    const results = await under.settled(Promise.all(writes));
    assert.is(results.filter(({ ok }) => ok).length, 1);
  });

  on('keys of every legal kind and large octet values come back as they were', async ({ bucket, settled }) => {
    const value = new Uint8Array(100_000).map((_, i) => i % 251);
    for (const key of ['settings', 'account.joe=40example=2Etest', 'account.A-b_c=3D', 'lease.=']) {
      assert.ok((await settled(bucket.write(key, value, 0, TIMEOUT_MS))).ok);
      assert.equal((await settled(bucket.read(key, TIMEOUT_MS)))?.value, value);
    }
  });

  on('a watch of an empty bucket is caught up at once', async ({ bucket, settled }) => {
    assert.equal(said(await settled(told(bucket, 0, isCaughtUp))), ['caught-up']);
  });

  on('a watch tells the newest entry of each key in order, says so, and goes on', async (under) => {
    const first = await put(under, 'account.a', 'one', 0);
    await put(under, 'account.b', 'two', 0);
    await put(under, 'account.a', 'three', first);
    const events = await under.settled(
      told(
        under.bucket,
        0,
        (so) => so.length === 4,
        () => void under.bucket.write('account.c', octets('four'), 0, TIMEOUT_MS),
      ),
    );
    assert.equal(said(events), ['account.b=two', 'account.a=three', 'caught-up', 'account.c=four']);
  });

  on('a watch from a revision tells only what came after it', async (under) => {
    await put(under, 'account.a', 'one', 0);
    const second = await put(under, 'account.b', 'two', 0);
    await put(under, 'account.c', 'three', 0);
    assert.equal(said(await under.settled(told(under.bucket, second, isCaughtUp))), ['account.c=three', 'caught-up']);
  });

  on('a watch from the newest revision is caught up at once', async (under) => {
    const newest = await put(under, 'account.a', 'one', 0);
    assert.equal(said(await under.settled(told(under.bucket, newest, isCaughtUp))), ['caught-up']);
  });

  on('two watches are told the same', async (under) => {
    const done = (events: readonly WatchEvent[]) => events.length === 2;
    const both = Promise.all([told(under.bucket, 0, done), told(under.bucket, 0, done)]);
    await put(under, 'account.a', 'one', 0);
    const [one, other] = await under.settled(both);
    assert.equal(said(one).sort(), said(other).sort());
  });

  on('an aborted watch ends without a fault', async ({ bucket, settled }) => {
    const ending = new AbortController();
    const reading = (async () => {
      for await (const event of bucket.watch(0, ending.signal)) if (event.kind === 'caught-up') ending.abort();
    })();
    await settled(reading);
    assert.ok(ending.signal.aborted);
  });

  on('a thousand entries are told in order before the watch is caught up', async (under) => {
    const writes = Array.from({ length: 1000 }, (_, i) =>
      under.bucket.write(`account.${i}`, octets(`${i}`), 0, TIMEOUT_MS),
    );
    const revisions = (await under.settled(Promise.all(writes))).map((written) => (written.ok ? written.value : 0));
    const events = await under.settled(told(under.bucket, 0, isCaughtUp));
    const seen = events.flatMap((event) => (event.kind === 'entry' ? [event.entry.revision] : []));
    assert.equal(
      seen,
      [...revisions].sort((a, b) => a - b),
    );
  });

  on('a closed bucket says that it is unavailable', async ({ bucket, settled }) => {
    await settled(bucket.close());
    const attempts: (() => Promise<unknown>)[] = [
      () => bucket.write('account.a', octets('x'), 0, TIMEOUT_MS),
      () => bucket.read('account.a', TIMEOUT_MS),
    ];
    for (const attempt of attempts) {
      const error = await settled(attempt().catch((fault) => fault));
      assert.instance(error, BucketFault);
      assert.is((error as BucketFault).failure, 'unavailable');
    }
  });
}
