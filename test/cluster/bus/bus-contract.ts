/**
 * What every bus does, whoever carries its messages: LocalBus and NatsBus pass this same file. A pair is two buses that
 * reach each other, or one bus twice.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bus, BusError, type BusFailure, MAX_CHUNK, type StreamHandler } from '../../../cluster/bus/bus.ts';
import type { FakeClock } from './fake-clock.ts';

export type BusPair = {
  readonly asker: Bus;
  readonly server: Bus;
  readonly clock: FakeClock;
  /** Resolves when what either bus has sent so far was heard by the other. */
  settle(): Promise<void>;
  /** Log lines of `error` so far. */
  faults(): number;
  close(): Promise<void>;
};

const TIMEOUT_MS = 5_000;
const LIMITS = { timeoutMs: TIMEOUT_MS };

export const octets = (size: number, fill = 1): Uint8Array => new Uint8Array(size).fill(fill);

/** Resolves with the failure of a promise that must fail with a BusError. */
export async function failureOf(promise: Promise<unknown>): Promise<BusFailure> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof BusError) return error.failure;
    throw error;
  }
  throw new Error('it did not fail');
}

/** A promise and its resolver: an event that a test waits for. */
export function event<T = void>() {
  let happen!: (value: T) => void;
  const happened = new Promise<T>((resolve) => {
    happen = resolve;
  });
  return { happen, happened };
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** Yields for ever, counting, and tells when it was let go. */
function endless(size = 10) {
  const left = event();
  const state = { yielded: 0, left: left.happened };
  const handler: StreamHandler = async function* () {
    try {
      for (;;) {
        state.yielded += 1;
        yield octets(size, state.yielded % 256);
      }
    } finally {
      left.happen();
    }
  };
  return { handler, state };
}

export function busContract(name: string, makePair: () => Promise<BusPair>): void {
  const test = suite(`bus contract: ${name}`);
  /** Each test has subjects and a pair of its own, closed whatever happens. */
  const check = (sentence: string, run: (pair: BusPair) => Promise<void>) =>
    test(sentence, async () => {
      const pair = await makePair();
      try {
        await run(pair);
      } finally {
        await pair.close();
      }
    });

  check('a request is answered by the server of its subject', async ({ asker, server }) => {
    await server.serve('t.double', (request) => (request as number) * 2);
    await server.serve('t.length', async (request) => (request as string).length);
    assert.is(await asker.ask('t.double', 21, LIMITS), 42);
    assert.is(await asker.ask('t.length', 'three', LIMITS), 5);
  });

  check('plain data arrives as it was sent', async ({ asker, server }) => {
    await server.serve('t.echo', (request) => request);
    const values: unknown[] = [
      null,
      undefined,
      true,
      0,
      -1,
      1.5,
      2 ** 31,
      2 ** 32,
      -(2 ** 31) - 1,
      Number.MAX_SAFE_INTEGER,
      2 ** 60,
      Number.POSITIVE_INFINITY,
      1n,
      -1n,
      2n ** 63n,
      -(2n ** 200n),
      '',
      'grüße\u0000\r\n',
      [],
      [undefined, null, [[]]],
      {},
      { a: undefined, b: { c: [1, { d: 'e' }] } },
      { constructor: 1, length: 2, 'a.b': 3 },
    ];
    for (const value of values) assert.equal(await asker.ask('t.echo', value, LIMITS), value);
    const answer = await asker.ask('t.echo', { a: undefined }, LIMITS);
    assert.ok('a' in (answer as object), 'a field that is undefined is still a field');
  });

  check('octets stay octets, of the plain kind', async ({ asker, server }) => {
    const seen = event<unknown>();
    await server.serve('t.octets', (request) => {
      seen.happen((request as { bytes: unknown }).bytes);
      return { bytes: octets(3, 7) };
    });
    const answer = (await asker.ask('t.octets', { bytes: Uint8Array.of(0, 255, 10) }, LIMITS)) as { bytes: unknown };
    for (const [got, expected] of [
      [await seen.happened, [0, 255, 10]],
      [answer.bytes, [7, 7, 7]],
    ] as const) {
      assert.instance(got, Uint8Array);
      assert.not(Buffer.isBuffer(got), 'not a Buffer, whose slice() aliases');
      assert.equal([...(got as Uint8Array)], expected);
    }
    const none = (await asker.ask('t.octets', { bytes: octets(0) }, LIMITS)) as { bytes: Uint8Array };
    assert.is(none.bytes.length, 3);
  });

  check('a request that nobody serves fails at once', async ({ asker, clock }) => {
    assert.is(await failureOf(asker.ask('t.nobody', 1, LIMITS)), 'no-responders');
    assert.is(await failureOf(collect(asker.stream('t.nobody', 1, { idleTimeoutMs: TIMEOUT_MS }))), 'no-responders');
    assert.is(clock.monotonic(), 0);
    assert.is(clock.waiting, 0, 'no timer is left behind');
  });

  check('a request that is not answered in time fails, and its late answer harms nobody', async (pair) => {
    const { asker, server, clock } = pair;
    const asked = event();
    const release = event();
    await server.serve('t.slow', async (request) => {
      asked.happen();
      await release.happened;
      return request;
    });
    const answer = failureOf(asker.ask('t.slow', 1, LIMITS));
    await asked.happened;
    clock.advance(TIMEOUT_MS - 1);
    release.happen();
    clock.advance(1);
    assert.is(await answer, 'timeout');
    await pair.settle();
    assert.is(await asker.ask('t.slow', 2, LIMITS), 2);
  });

  check('an aborted signal ends the wait with its own reason', async ({ asker, server, clock }) => {
    const asked = event();
    const release = event();
    await server.serve('t.hang', () => {
      asked.happen();
      return release.happened;
    });
    const reason = new Error('the client went away');
    const abort = new AbortController();
    const answer = asker.ask('t.hang', 1, { ...LIMITS, signal: abort.signal });
    await asked.happened;
    abort.abort(reason);
    assert.is(await answer.catch((error) => error), reason);
    assert.is(await asker.ask('t.hang', 1, { ...LIMITS, signal: abort.signal }).catch((error) => error), reason);
    assert.is(clock.waiting, 0);
    release.happen(); // a bus that closes waits for its handlers
  });

  check('a handler that throws is a fault, of which nothing crosses', async ({ asker, server, faults }) => {
    await server.serve('t.throws', () => {
      throw new Error('secret of the server');
    });
    await server.serve('t.rejects', () => Promise.reject(new Error('secret of the server')));
    await server.serve('t.after', () => 'still there');
    for (const subject of ['t.throws', 't.rejects']) {
      const error = await asker.ask(subject, 1, LIMITS).catch((thrown: unknown) => thrown);
      assert.instance(error, BusError);
      assert.is((error as BusError).failure, 'fault');
      assert.is((error as BusError).cause, undefined);
      assert.not.match(`${(error as BusError).stack}`, /secret/);
    }
    assert.is(faults(), 2, "the server's log has them");
    assert.is(await asker.ask('t.after', 1, LIMITS), 'still there');
  });

  check('of a queue group one member gets each request, and all get some', async ({ asker, server }) => {
    const counts = [0, 0, 0];
    for (const index of counts.keys()) {
      await server.serve('t.group', () => ++counts[index]!, { queue: 'group' });
    }
    for (let n = 0; n < 90; n++) await asker.ask('t.group', n, LIMITS);
    assert.is(counts[0]! + counts[1]! + counts[2]!, 90);
    assert.ok(
      counts.every((count) => count > 0),
      `shared out: ${counts}`,
    );
  });

  check('a member of the group in this process is preferred', async ({ asker, server }) => {
    await server.serve('t.near', () => 'far', { queue: 'group' });
    const near = await asker.serve('t.near', () => 'near', { queue: 'group' });
    const answers = new Set<unknown>();
    for (let n = 0; n < 20; n++) answers.add(await asker.ask('t.near', n, LIMITS));
    if (asker !== server) assert.equal([...answers], ['near']);
    await near.stop();
    assert.is(await asker.ask('t.near', 1, LIMITS), 'far');
  });

  check('two servers of one subject without a queue: one of them answers, once', async ({ asker, server }) => {
    let handled = 0;
    for (let n = 0; n < 2; n++) await server.serve('t.twice', () => ++handled);
    for (let n = 1; n <= 10; n++) assert.is(await asker.ask('t.twice', n, LIMITS), n);
  });

  check('stop lets the running handler finish and answer, and takes no more', async ({ asker, server }) => {
    const asked = event();
    const release = event();
    const service = await server.serve('t.stop', async () => {
      asked.happen();
      await release.happened;
      return 'finished';
    });
    const answer = asker.ask('t.stop', 1, LIMITS);
    await asked.happened;
    let isStopped = false;
    const stopped = service.stop().then(() => {
      isStopped = true;
    });
    assert.is(await failureOf(asker.ask('t.elsewhere', 1, LIMITS)), 'no-responders'); // a round trip's time
    assert.not(isStopped, 'it waits for the handler');
    release.happen();
    assert.is(await answer, 'finished');
    await stopped;
    await service.stop(); // twice is once
    assert.is(await failureOf(asker.ask('t.stop', 1, LIMITS)), 'no-responders');
  });

  check('a message reaches every listener whose pattern it falls under, once each, in order', async (pair) => {
    const { asker, server } = pair;
    const heard: string[] = [];
    const patterns = ['t.changed.h1.bob', 't.changed.*.bob', 't.changed.>', 't.changed.h1.*', 't.changed.h1.bob'];
    for (const [index, pattern] of patterns.entries()) {
      await asker.subscribe(pattern, (message, subject) => heard.push(`${index} ${subject} ${message}`));
    }
    await asker.subscribe('t.changed', () => heard.push('never'));
    await asker.subscribe('t.changed.h1', () => heard.push('never'));
    server.publish('t.changed.h1.bob', 1);
    server.publish('t.changed.h2.bob', 2);
    server.publish('t.changed.h1.bob', 3);
    await pair.settle();
    const of = (index: number) => heard.filter((line) => line.startsWith(`${index} `)).map((line) => line.slice(2));
    const bob1 = ['t.changed.h1.bob 1', 't.changed.h1.bob 3'];
    assert.equal(of(0), bob1);
    assert.equal(of(1), ['t.changed.h1.bob 1', 't.changed.h2.bob 2', 't.changed.h1.bob 3']);
    assert.equal(of(2), of(1));
    assert.equal(of(3), bob1);
    assert.equal(of(4), bob1);
    assert.is(heard.length, 12);
  });

  check('a publisher hears its own message once, and not within its own turn', async (pair) => {
    const heard: unknown[] = [];
    await pair.asker.subscribe('t.own', (message) => heard.push(message));
    pair.asker.publish('t.own', 'mine');
    assert.is(heard.length, 0);
    await pair.settle();
    assert.equal(heard, ['mine']);
  });

  check('a listener that throws is logged, and the others still hear', async (pair) => {
    const heard: unknown[] = [];
    await pair.asker.subscribe('t.bad', () => {
      throw new Error('not today');
    });
    await pair.asker.subscribe('t.bad', (message) => heard.push(message));
    pair.server.publish('t.bad', 1);
    pair.server.publish('t.bad', 2);
    await pair.settle();
    assert.equal(heard, [1, 2]);
    assert.is(pair.faults(), 2);
  });

  check('a stopped listener hears nothing more; another of the same pattern does', async (pair) => {
    const heard: string[] = [];
    const first = await pair.asker.subscribe('t.two', (message) => heard.push(`first ${message}`));
    await pair.asker.subscribe('t.two', (message) => heard.push(`second ${message}`));
    await first.stop();
    pair.server.publish('t.two', 1);
    await pair.settle();
    assert.equal(heard, ['second 1']);
  });

  check('requests are not heard by listeners, nor messages by servers', async (pair) => {
    const heard: unknown[] = [];
    let served = 0;
    await pair.server.serve('t.kinds', () => ++served);
    await pair.asker.subscribe('t.>', (message) => heard.push(message));
    assert.is(await pair.asker.ask('t.kinds', 'request', LIMITS), 1);
    pair.server.publish('t.kinds', 'message');
    await pair.settle();
    assert.equal(heard, ['message']);
    assert.is(served, 1);
  });

  check('one subject may have a server of requests and another of streams', async ({ asker, server }) => {
    await server.serve('t.both', () => 'answer');
    await server.serveStream('t.both', async function* () {
      yield octets(5);
    });
    for (let n = 0; n < 20; n++) {
      assert.is(await asker.ask('t.both', n, LIMITS), 'answer');
      const chunks = await collect(asker.stream('t.both', n, { idleTimeoutMs: TIMEOUT_MS }));
      assert.equal(
        chunks.map(({ length }) => length),
        [5],
      );
    }
    await server.serveStream('t.streams', async function* () {});
    assert.is(await failureOf(asker.ask('t.streams', 1, LIMITS)), 'no-responders');
  });

  check('a served subject has no wildcards', async ({ server }) => {
    const refused = await server.serve('t.*', () => 1).catch((error: unknown) => error);
    assert.instance(refused, TypeError);
  });

  check('a stream arrives whole and in order', async ({ asker, server, clock }) => {
    await server.serveStream('t.count', async function* (request) {
      for (let n = 0; n < (request as number); n++) yield octets(n % 50, n % 256);
    });
    for (const count of [0, 1, 8, 9, 300]) {
      const chunks = await collect(asker.stream('t.count', count, { idleTimeoutMs: TIMEOUT_MS }));
      assert.is(chunks.length, count);
      for (const [n, chunk] of chunks.entries()) assert.equal([...chunk], [...octets(n % 50, n % 256)]);
      assert.not(chunks.some((chunk) => Buffer.isBuffer(chunk)));
    }
    assert.is(clock.waiting, 0, 'no timer is left behind');
  });

  check('many streams at once do not mix', async ({ asker, server }) => {
    await server.serveStream('t.many', async function* (request) {
      for (let n = 0; n < 40; n++) yield octets(n + 1, request as number);
    });
    const streams = Array.from({ length: 20 }, (_, index) =>
      collect(asker.stream('t.many', index, { idleTimeoutMs: TIMEOUT_MS, credit: 1 + (index % 5) })),
    );
    for (const [index, chunks] of (await Promise.all(streams)).entries()) {
      assert.is(chunks.length, 40);
      for (const [n, chunk] of chunks.entries()) assert.equal([...chunk], [...octets(n + 1, index)]);
    }
  });

  check('a chunk of MAX_CHUNK passes, a larger one breaks the stream', async ({ asker, server, faults }) => {
    await server.serveStream('t.chunk', async function* (size) {
      yield octets(size as number, 9);
    });
    const [whole] = await collect(asker.stream('t.chunk', MAX_CHUNK, { idleTimeoutMs: TIMEOUT_MS }));
    assert.is(whole?.length, MAX_CHUNK);
    assert.is(await failureOf(collect(asker.stream('t.chunk', MAX_CHUNK + 1, { idleTimeoutMs: TIMEOUT_MS }))), 'fault');
    assert.is(faults(), 1);
  });

  check('a reader that does not read leaves the sender at most `credit` chunks ahead', async (pair) => {
    for (const credit of [1, 3, 8]) {
      const { handler, state } = endless();
      const service = await pair.server.serveStream(`t.ahead${credit}`, handler);
      const stream = pair.asker.stream(`t.ahead${credit}`, null, { idleTimeoutMs: TIMEOUT_MS, credit });
      const reader = stream[Symbol.asyncIterator]();
      for (let taken = 1; taken <= 40; taken++) {
        const { value } = await reader.next();
        assert.is((value as Uint8Array)[0], taken);
        await pair.settle();
        assert.ok(state.yielded <= taken + credit, `${state.yielded} yielded, ${taken} taken, credit ${credit}`);
      }
      await reader.return!();
      await state.left;
      await service.stop();
    }
  });

  check('a reader that leaves early runs the handler’s finally and aborts its signal', async ({ asker, server }) => {
    const { handler, state } = endless();
    const aborted = event();
    await server.serveStream('t.early', (request, signal) => {
      signal.addEventListener('abort', () => aborted.happen());
      return handler(request, signal);
    });
    for await (const chunk of asker.stream('t.early', null, { idleTimeoutMs: TIMEOUT_MS })) {
      if (chunk[0] === 3) break;
    }
    await state.left;
    await aborted.happened;
  });

  check('a reader that leaves before the first chunk lets the handler go too', async (pair) => {
    const { asker, server } = pair;
    const begun = event();
    const left = event();
    const stuck = await server.serveStream('t.stuck', async function* (_request, signal) {
      try {
        begun.happen();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        yield octets(1);
      } finally {
        left.happen();
      }
    });
    const abort = new AbortController();
    const reading = collect(asker.stream('t.stuck', null, { idleTimeoutMs: TIMEOUT_MS, signal: abort.signal }));
    await begun.happened;
    const reason = new Error('gone');
    abort.abort(reason);
    assert.is(await reading.catch((error) => error), reason);
    await left.happened;
    await stuck.stop();
    assert.is(pair.clock.waiting, 0);
  });

  check('a sender that throws breaks the stream after what it sent; a short stream never looks whole', async (pair) => {
    const { asker, server, faults } = pair;
    await server.serveStream('t.breaks', async function* () {
      yield octets(1);
      yield octets(2);
      throw new Error('secret of the server');
    });
    await server.serveStream('t.never', () => {
      throw new Error('secret of the server');
    });
    const sizes: number[] = [];
    const reading = async () => {
      for await (const chunk of asker.stream('t.breaks', null, { idleTimeoutMs: TIMEOUT_MS })) sizes.push(chunk.length);
    };
    assert.is(await failureOf(reading()), 'fault');
    assert.equal(sizes, [1, 2]);
    assert.is(await failureOf(collect(asker.stream('t.never', null, { idleTimeoutMs: TIMEOUT_MS }))), 'fault');
    assert.is(faults(), 2);
  });

  check('a sender that is silent too long breaks the stream, and is let go', async (pair) => {
    const { asker, server, clock } = pair;
    const silent = event();
    const left = event();
    await server.serveStream('t.silent', async function* (_request, signal) {
      try {
        yield octets(1);
        silent.happen();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      } finally {
        left.happen();
      }
    });
    const reading = failureOf(collect(asker.stream('t.silent', null, { idleTimeoutMs: TIMEOUT_MS })));
    await silent.happened;
    await pair.settle();
    clock.advance(TIMEOUT_MS);
    assert.is(await reading, 'timeout');
    await left.happened;
  });

  check('a reader that takes minutes for a chunk loses nothing', async (pair) => {
    const { asker, server, clock } = pair;
    await server.serveStream('t.minutes', async function* () {
      for (let n = 0; n < 20; n++) yield octets(100, n);
    });
    const got: number[] = [];
    for await (const chunk of asker.stream('t.minutes', null, { idleTimeoutMs: TIMEOUT_MS, credit: 2 })) {
      got.push(chunk[0]!);
      if (got.length % 5 !== 0) continue;
      for (let second = 0; second < 180; second += 5) {
        clock.advance(5_000);
        await pair.settle();
      }
    }
    assert.equal(
      got,
      Array.from({ length: 20 }, (_, n) => n),
    );
  });

  check('stop of a stream service lets a running stream finish', async ({ asker, server }) => {
    const begun = event();
    const service = await server.serveStream('t.last', async function* () {
      for (let n = 0; n < 30; n++) {
        begun.happen();
        yield octets(1, n);
      }
    });
    const reading = collect(asker.stream('t.last', null, { idleTimeoutMs: TIMEOUT_MS, credit: 1 }));
    await begun.happened;
    const stopped = service.stop();
    assert.is((await reading).length, 30);
    await stopped;
    assert.is(await failureOf(collect(asker.stream('t.last', null, { idleTimeoutMs: TIMEOUT_MS }))), 'no-responders');
  });

  check('close breaks what is asked and streamed, and refuses what comes after', async ({ asker, server, clock }) => {
    const asked = event();
    await server.serve('t.close', (_request) => {
      asked.happen();
      return new Promise((resolve) => release.happened.then(resolve));
    });
    const release = event<unknown>();
    const { handler, state } = endless();
    await server.serveStream('t.close', handler);
    const answer = failureOf(asker.ask('t.close', 1, LIMITS));
    const reader = asker.stream('t.close', null, { idleTimeoutMs: TIMEOUT_MS })[Symbol.asyncIterator]();
    await reader.next();
    await asked.happened;
    assert.ok(asker.connected());
    const closed = asker.close();
    assert.is(await answer, 'closed');
    const drain = async () => {
      for (;;) if ((await reader.next()).done) return;
    };
    assert.is(await failureOf(drain()), 'closed');
    await state.left;
    release.happen(null);
    await closed;
    assert.not(asker.connected());
    assert.is(await failureOf(asker.ask('t.close', 1, LIMITS)), 'closed');
    assert.is(await failureOf(asker.serve('t.more', () => 1)), 'closed');
    assert.is(await failureOf(collect(asker.stream('t.close', 1, { idleTimeoutMs: TIMEOUT_MS }))), 'closed');
    asker.publish('t.close', 1); // may be lost, and is
    assert.is(clock.waiting, 0);
  });

  test.run();
}
