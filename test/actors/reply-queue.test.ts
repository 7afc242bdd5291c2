/** The queue of replies: order, merging, slices. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ReplyQueue } from '../../actors/reply-queue.ts';

async function* bodyOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}
const text = (octets: Uint8Array | undefined): string | undefined =>
  octets === undefined ? undefined : Buffer.from(octets).toString();

/** Takes all there is, as a connection does. */
async function drain(queue: ReplyQueue): Promise<{ readonly octets: string; readonly writes: number }> {
  let octets = '';
  let writes = 0;
  while (!queue.isEmpty) {
    const merged = queue.takeOctets();
    if (merged !== undefined) {
      octets += text(merged);
      writes += 1;
    }
    for await (const slice of queue.takeBody() ?? []) {
      octets += text(slice);
      writes += 1;
    }
  }
  return { octets, writes };
}

test('octets are merged up to the next body', async () => {
  const queue = new ReplyQueue();
  for (const each of ['a', 'b', bodyOf('c'), 'd']) queue.add(typeof each === 'string' ? Buffer.from(each) : each);
  assert.is(text(queue.takeOctets()), 'ab');
  assert.is(queue.takeOctets(), undefined);
  assert.ok(queue.takeBody());
  assert.is(queue.takeBody(), undefined);
  assert.is(text(queue.takeOctets()), 'd');
  assert.ok(queue.isEmpty);
});

test('it is full with a body at its end, with many replies, or with many octets', () => {
  const queue = new ReplyQueue();
  assert.is(queue.isFull, false);
  for (let i = 0; i < 63; i += 1) queue.add(Buffer.from('x'));
  assert.is(queue.isFull, false);
  queue.add(Buffer.from('x'));
  assert.ok(queue.isFull);
  queue.takeOctets();
  assert.is(queue.isFull, false);
  queue.add(bodyOf('x'));
  assert.ok(queue.isFull);
  const other = new ReplyQueue();
  other.add(Buffer.alloc(40_000));
  assert.is(other.isFull, false);
  other.add(Buffer.alloc(40_000));
  assert.ok(other.isFull);
});

test('a long reply is sent in slices', async () => {
  const queue = new ReplyQueue();
  queue.add(Buffer.alloc(200_000, 'x'));
  assert.is(queue.takeOctets(), undefined);
  const sizes: number[] = [];
  for await (const slice of queue.takeBody()!) sizes.push(slice.length);
  assert.equal(sizes, [65536, 65536, 65536, 3392]);
});

test('whatever is added comes out in its order', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), fc.string({ maxLength: 9 }))), async (replies) => {
      const queue = new ReplyQueue();
      for (const [isBody, each] of replies) queue.add(isBody ? bodyOf(each) : Buffer.from(each));
      const { octets, writes } = await drain(queue);
      assert.is(octets, replies.map(([, each]) => each).join(''));
      assert.ok(writes <= replies.length);
    }),
  ));

test.run();
