/** LocalBus: the bus contract in its three ways of carrying, and what only a bus within one process can promise. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalBus, type LocalBusOptions } from '../../../cluster/bus/local-bus.ts';
import { throughFrame } from '../../../cluster/frames.ts';
import { type Log, silentLog } from '../../../telemetry/log.ts';
import { type BusPair, busContract } from './bus-contract.ts';
import { FakeClock } from './fake-clock.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function localPair(options: Partial<LocalBusOptions> = {}): Promise<BusPair> {
  const clock = new FakeClock();
  let faults = 0;
  const log: Log = { ...silentLog, error: () => void faults++ };
  const bus = new LocalBus({ clock, log, ...options });
  return { asker: bus, server: bus, clock, settle: turn, faults: () => faults, close: () => bus.close() };
}

busContract('LocalBus', () => localPair());
busContract('LocalBus, every message through a frame', () => localPair({ carry: throughFrame }));
busContract('LocalBus, completions in the event loop’s turns', () => localPair({ schedule: setImmediate }));

test('what is served here is handed over without a copy', async () => {
  const { asker, close } = await localPair();
  const request = { bytes: new Uint8Array(3) };
  await asker.serve('t.same', (given) => given);
  assert.is(await asker.ask('t.same', request, { timeoutMs: 1000 }), request);
  await close();
});

test('through frames, data that is not plain is refused where it is, not changed', async () => {
  const { asker, close, faults } = await localPair({ carry: throughFrame });
  await asker.serve('t.plain', () => ({ when: new Date(0) }));
  for (const [value, where] of [
    [{ a: [new Map()] }, /value\.a\[0\]: a Map/],
    [() => 1, /value: a function/],
    [{ a: { b: new Error('x') } }, /value\.a\.b: a Error/],
  ] as const) {
    const error = await asker.ask('t.plain', value, { timeoutMs: 1000 }).catch((thrown: unknown) => thrown);
    assert.instance(error, TypeError);
    assert.match((error as Error).message, where);
  }
  assert.is(faults(), 0);
  const answer = await asker.ask('t.plain', 1, { timeoutMs: 1000 }).catch((thrown: unknown) => thrown);
  assert.match((answer as Error).message, /fault/);
  assert.is(faults(), 1);
  await close();
});

test('a simulator orders every hand-over', async () => {
  const queue: (() => void)[] = [];
  const { asker, close } = await localPair({ schedule: (run) => void queue.push(run) });
  const handled: unknown[] = [];
  const answered: unknown[] = [];
  await asker.serve('t.order', (request) => {
    handled.push(request);
    return request;
  });
  const asks = [1, 2, 3].map((n) =>
    asker.ask('t.order', n, { timeoutMs: 1000 }).then((answer) => void answered.push(answer)),
  );
  await turn();
  assert.is(queue.length, 3);
  assert.equal(handled, []);
  for (const run of queue.splice(0).reverse()) run();
  await turn();
  assert.equal(handled, [3, 2, 1]);
  assert.equal(answered, []);
  const [first, second, third] = queue.splice(0);
  for (const run of [second!, third!, first!]) run();
  await Promise.all(asks);
  assert.equal(answered, [2, 1, 3]);
  await close();
});

test('embedded there is no one to lose touch with', async () => {
  const { asker, close } = await localPair();
  assert.ok(asker.connected());
  const watch = asker.onConnection(() => assert.unreachable());
  await watch.stop();
  await close();
  assert.not(asker.connected());
});

test.run();
