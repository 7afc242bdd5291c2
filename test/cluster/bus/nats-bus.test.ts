/**
 * NatsBus over a real nats-server: the bus contract, what a stranger on NATS can and can't do, and connections, readers and
 * senders that are lost on the way. Skipped, visibly, where no nats-server is installed.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_MESSAGE } from '../../../cluster/bus/bus.ts';
import { LocalBus } from '../../../cluster/bus/local-bus.ts';
import { NatsBus } from '../../../cluster/bus/nats-bus.ts';
import { KEEPALIVE_MS, READER_SILENT_MS } from '../../../cluster/bus/nats-stream.ts';
import { FrameSealer } from '../../../cluster/frames.ts';
import { connectNats, type NatsLink } from '../../../cluster/nats/connect.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { type MemoryLog, memoryLog } from '../../../telemetry/memory-log.ts';
import { natsServer } from '../../support/nats-server.ts';
import { type BusPair, busContract, event, failureOf, octets } from './bus-contract.ts';
import { FakeClock } from './fake-clock.ts';

const { server: nats, missing } = await natsServer();
const LIMITS = { timeoutMs: 5_000 };
const STREAM = { idleTimeoutMs: 5_000 };

type Node = {
  readonly bus: NatsBus;
  readonly link: NatsLink;
  readonly sealer: FrameSealer;
  readonly log: MemoryLog;
  close(): Promise<void>;
};

const clusterKey = randomBytes(32);

async function node(clock: FakeClock, key: Uint8Array = clusterKey): Promise<Node> {
  const log = memoryLog();
  const link = await connectNats({ servers: [nats!.address] }, { me: 'test', log, clock: systemClock });
  const sealer = new FrameSealer({ key, clock, log });
  const bus = new NatsBus({ link, local: new LocalBus({ clock, log }), sealer, clock, log });
  const close = async () => {
    await bus.close();
    await link.close();
  };
  return { bus, link, sealer, log, close };
}

/** What `from` sent has reached the server, then what the server sent has reached `to`: there and back, and their answers. */
async function settle(...nodes: readonly { readonly link: NatsLink }[]): Promise<void> {
  for (let round = 0; round < 2; round++) {
    for (const { link } of nodes) await link.connection.flush();
    for (const { link } of nodes) await link.connection.flush();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function pairOf(nodes: readonly Node[], clock: FakeClock): Promise<BusPair> {
  return {
    asker: nodes.at(-1)!.bus,
    server: nodes[0]!.bus,
    clock,
    settle: () => settle(...nodes),
    faults: () => nodes.flatMap(({ log }) => log.entries).filter(({ level }) => level === 'error').length,
    close: async () => void (await Promise.all(nodes.map((each) => each.close()))),
  };
}

/** Runs with two nodes, a and b, that share a clock, and closes them whatever happens. */
async function withTwo(run: (a: Node, b: Node, clock: FakeClock) => Promise<void>): Promise<void> {
  const clock = new FakeClock();
  const a = await node(clock);
  const b = await node(clock);
  try {
    await run(a, b, clock);
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

/** A stranger with a NATS connection of his own, who hears everything and repeats what he likes. */
async function withStranger(run: (stranger: NatsConnection, heard: Msg[]) => Promise<void>): Promise<void> {
  const stranger = await connect({ servers: nats!.address });
  try {
    const heard: Msg[] = [];
    stranger.subscribe('>', { callback: (_error, message) => void heard.push(message) });
    await stranger.flush();
    await run(stranger, heard);
  } finally {
    await stranger.close();
  }
}

const repeat = (stranger: NatsConnection, { subject, data, reply }: Msg) =>
  stranger.publish(subject, data, reply ? { reply } : {});

if (nats === undefined) test.skip(missing, () => {});
else {
  busContract('NatsBus, both in one process', async () => {
    const clock = new FakeClock();
    return pairOf([await node(clock)], clock);
  });

  busContract('NatsBus, two connections', async () => {
    const clock = new FakeClock();
    return pairOf([await node(clock), await node(clock)], clock);
  });

  test('what is served in this process never touches NATS', () =>
    withTwo(async (a) =>
      withStranger(async (_stranger, heard) => {
        await a.bus.serve('t.here', (request) => request);
        await a.bus.serveStream('t.here', async function* () {
          yield octets(1);
        });
        const request = { same: true };
        assert.is(await a.bus.ask('t.here', request, LIMITS), request);
        for await (const chunk of a.bus.stream('t.here', null, STREAM)) assert.is(chunk.length, 1);
        await settle(a);
        assert.is(heard.filter(({ subject }) => subject === 't.here').length, 0);
      }),
    ));

  test('a listener to everything learns no secret, and what he repeats does nothing', () =>
    withTwo(async (a, b) =>
      withStranger(async (stranger, heard) => {
        const secret = 'the-secret-of-alice';
        const served: unknown[] = [];
        const told: unknown[] = [];
        let opened = 0;
        await a.bus.serve('t.secret', (request) => {
          served.push(request);
          return { secret };
        });
        await a.bus.subscribe('t.told', (message) => told.push(message));
        await a.bus.serveStream('t.body', async function* () {
          opened += 1;
          for (let n = 0; n < 20; n++) yield Buffer.from(secret);
        });
        assert.equal(await b.bus.ask('t.secret', { secret }, LIMITS), { secret });
        b.bus.publish('t.told', { secret });
        let chunks = 0;
        for await (const chunk of b.bus.stream('t.body', { secret }, STREAM)) chunks += chunk.length > 0 ? 1 : 0;
        await settle(a, b);
        await stranger.flush();

        const captured = heard.splice(0);
        assert.ok(captured.length > 25, `${captured.length} frames: requests, answers, messages, chunks and credit`);
        for (const { subject, reply, data } of captured) {
          assert.not.match(`${subject} ${reply} ${Buffer.from(data).toString('latin1')}`, /secret-of/);
        }
        const before = a.sealer.refused.replayed + b.sealer.refused.replayed;
        for (const message of captured) repeat(stranger, message);
        for (const { subject, data } of captured) stranger.publish(subject, data, { reply: 'stranger.inbox' });
        for (const { data, reply } of captured)
          stranger.publish('t.secret', data, { reply: reply || 'stranger.inbox' });
        await stranger.flush();
        await settle(a, b);
        assert.is(served.length, 1);
        assert.is(told.length, 1);
        assert.is(opened, 1);
        assert.is(chunks, 20);
        assert.ok(a.sealer.refused.replayed + b.sealer.refused.replayed > before);
        assert.is(await b.bus.ask('t.secret', { secret }, LIMITS).then(() => served.length), 2, 'and all goes on');
      }),
    ));

  test('what a stranger makes up is dropped, counted and said, and not too often', () =>
    withTwo(async (a, b) =>
      withStranger(async (stranger) => {
        let served = 0;
        await a.bus.serve('t.forged', () => ++served);
        for (let n = 0; n < 50; n++) {
          stranger.publish('t.forged', randomBytes(n), { reply: 'stranger.inbox' });
          stranger.publish(
            't.forged',
            Buffer.concat([Buffer.of(1), randomBytes(30), Buffer.of(1), randomBytes(n + 16)]),
            {
              reply: 'stranger.inbox',
            },
          );
        }
        await stranger.flush();
        await settle(a, b);
        assert.is(served, 0);
        const { truncated, version, forged } = a.sealer.refused;
        assert.ok(forged >= 50 && truncated + version > 0);
        const warnings = a.log.entries.filter(({ message }) => message === 'bus frame refused');
        assert.ok(warnings.length >= 2 && warnings.length <= 3, `${warnings.length} warnings, one for each kind`);
        assert.is(await b.bus.ask('t.forged', 1, LIMITS), 1);
      }),
    ));

  test('nodes with different cluster keys do not hear each other', async () => {
    const clock = new FakeClock();
    const a = await node(clock);
    const other = await node(clock, randomBytes(32));
    try {
      let served = 0;
      await a.bus.serve('t.key', () => ++served);
      const answer = failureOf(other.bus.ask('t.key', 1, LIMITS));
      await settle(other, a);
      clock.advance(LIMITS.timeoutMs);
      assert.is(await answer, 'timeout');
      assert.is(served, 0);
      assert.is(a.sealer.refused.forged, 1);
    } finally {
      await Promise.all([a.close(), other.close()]);
    }
  });

  test('a captured request does nothing at a server that has not seen it, once it is old', () =>
    withTwo(async (a, b, clock) =>
      withStranger(async (stranger, heard) => {
        const first = await a.bus.serve('t.old', () => 'a');
        assert.is(await b.bus.ask('t.old', 1, LIMITS), 'a');
        await stranger.flush();
        await first.stop();
        const request = heard.find(({ subject }) => subject === 't.old')!;
        const restarted = await node(clock);
        try {
          let served = 0;
          await restarted.bus.serve('t.old', () => ++served);
          clock.advance(121_000);
          repeat(stranger, request);
          await stranger.flush();
          await settle(restarted);
          assert.is(served, 0);
          assert.is(restarted.sealer.refused.stale, 1);
        } finally {
          await restarted.close();
        }
      }),
    ));

  test('a message too large for NATS is refused at its sender', () =>
    withTwo(async (a, b) => {
      await a.bus.serve('t.large', () => octets(MAX_MESSAGE));
      const error = await b.bus.ask('t.large', octets(MAX_MESSAGE), LIMITS).catch((thrown: unknown) => thrown);
      assert.instance(error, RangeError);
      assert.throws(() => b.bus.publish('t.large', octets(MAX_MESSAGE)), /at most/);
      assert.is(await failureOf(b.bus.ask('t.large', 1, LIMITS)), 'fault');
      await a.bus.serve('t.fits', (request) => request);
      const whole = (await b.bus.ask('t.fits', octets(MAX_MESSAGE - 10, 3), LIMITS)) as Uint8Array;
      assert.is(whole.length, MAX_MESSAGE - 10);
    }));

  test('a reader that dies is missed by its keepalive, and the handler is let go', () =>
    withTwo(async (a, b, clock) => {
      const left = event();
      await a.bus.serveStream('t.dies', async function* () {
        try {
          for (;;) yield octets(1);
        } finally {
          left.happen();
        }
      });
      const reader = b.bus.stream('t.dies', null, STREAM)[Symbol.asyncIterator]();
      await reader.next();
      await settle(a, b);
      await b.link.connection.close(); // as a process dies: nothing is said any more
      clock.advance(READER_SILENT_MS);
      await left.happened;
    }));

  test('a sender that dies is missed at a keepalive, long before the time limit', () =>
    withTwo(async (a, b, clock) => {
      const begun = event();
      await a.bus.serveStream('t.gone', async function* (_request, signal) {
        yield octets(1);
        begun.happen();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      });
      const stream = b.bus.stream('t.gone', null, { idleTimeoutMs: 3_600_000 });
      const reader = stream[Symbol.asyncIterator]();
      await reader.next();
      await begun.happened;
      let failure: string | undefined;
      const next = failureOf(reader.next()).then((why) => {
        failure = why;
      });
      await a.link.connection.close();
      while (failure === undefined) {
        clock.advance(KEEPALIVE_MS); // once is enough when the server has noticed that the sender's socket is gone
        await settle(b);
      }
      await next;
      assert.is(failure, 'no-responders');
    }));

  test('a chunk that got lost breaks the stream', () =>
    withTwo(async (a, b) => {
      const release = event();
      await a.bus.serveStream('t.gap', async function* () {
        yield octets(1);
        await release.happened;
        for (let n = 2; n < 10; n++) yield octets(n);
      });
      const publish = a.link.connection.publish.bind(a.link.connection);
      const sizes: number[] = [];
      const reading = async () => {
        for await (const chunk of b.bus.stream('t.gap', null, STREAM)) {
          sizes.push(chunk.length);
          let seen = 0;
          a.link.connection.publish = (subject, payload, options) => {
            if (++seen !== 2) publish(subject, payload, options); // the second frame from now on is lost
          };
          release.happen();
        }
      };
      assert.is(await failureOf(reading()), 'disconnected');
      assert.equal(sizes, [1, 2]);
    }));

  test('without NATS: asks fail at once, local subjects go on; when it is back, all is', () =>
    withTwo(async (a, b) => {
      const asked = event();
      const changes: boolean[] = [];
      const wentOff = event();
      const cameBack = event();
      b.bus.onConnection((connected) => {
        changes.push(connected);
        (connected ? cameBack : wentOff).happen();
      });
      const aCameBack = event();
      a.bus.onConnection((connected) => connected && aCameBack.happen());
      const release = event();
      await a.bus.serve('t.far', async (request) => {
        asked.happen();
        if (request === 'wait') await release.happened;
        return 'far';
      });
      await b.bus.serve('t.near', () => 'near');
      await a.bus.serveStream('t.far', async function* () {
        for (let n = 0; n < 100; n++) yield octets(10);
      });
      const pending = failureOf(b.bus.ask('t.far', 'wait', { timeoutMs: 300_000 }));
      await asked.happened;
      const reader = b.bus.stream('t.far', null, { idleTimeoutMs: 300_000 })[Symbol.asyncIterator]();
      await reader.next();

      await nats.kill();
      assert.is(await pending, 'disconnected');
      await wentOff.happened;
      assert.not(b.bus.connected());
      const drain = async () => {
        for (;;) if ((await reader.next()).done) return;
      };
      assert.is(await failureOf(drain()), 'disconnected', 'not a short end');
      assert.is(await failureOf(b.bus.ask('t.far', 1, LIMITS)), 'disconnected');
      assert.is(await failureOf(b.bus.stream('t.far', 1, STREAM)[Symbol.asyncIterator]().next()), 'disconnected');
      assert.is(await b.bus.ask('t.near', 1, LIMITS), 'near');
      await b.bus.serve('t.meanwhile', () => 'served while away');
      b.bus.publish('t.lost', 1);
      release.happen();

      const downSince = performance.now();
      await nats.restart();
      await Promise.all([cameBack.happened, aCameBack.happened]);
      assert.ok(performance.now() - downSince < 5_000, 'healed within five seconds');
      assert.equal(changes, [false, true]);
      assert.ok(b.bus.connected());
      await settle(a, b);
      assert.is(await b.bus.ask('t.far', 1, LIMITS), 'far');
      assert.is(await a.bus.ask('t.meanwhile', 1, LIMITS), 'served while away');
      let count = 0;
      for await (const _chunk of b.bus.stream('t.far', null, STREAM)) count += 1;
      assert.is(count, 100);
    }));

  test('a nats-server that hangs is noticed, and healed from when it goes on', () =>
    withTwo(async (a, b) => {
      await a.bus.serve('t.hung', () => 'there');
      const wentOff = event();
      b.bus.onConnection((connected) => !connected && wentOff.happen());
      const both = [a, b].map(({ link }) => {
        const back = event();
        link.onConnection((connected) => connected && back.happen());
        return back.happened;
      });
      const aWentOff = event();
      a.bus.onConnection((connected) => !connected && aWentOff.happen());
      await nats.freeze();
      const pending = failureOf(b.bus.ask('t.hung', 1, { timeoutMs: 300_000 }));
      assert.is(await pending, 'disconnected');
      await Promise.all([wentOff.happened, aWentOff.happened]);
      const since = performance.now();
      nats.thaw();
      await Promise.all(both);
      assert.ok(performance.now() - since < 5_000, 'healed within five seconds');
      await settle(a, b);
      assert.is(await b.bus.ask('t.hung', 1, LIMITS), 'there');
    }));

  test.after(() => nats.stop());
}

test.run();
