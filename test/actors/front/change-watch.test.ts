/** News of accounts: one subscription for all who look, and `lost` wherever some may have been missed. */
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ChangeWatch } from '../../../actors/front/change-watch.ts';
import type { ChangeEvent } from '../../../actors/mailbox-owner/event.ts';
import { type Bus, BusError, type Service } from '../../../cluster/bus/bus.ts';
import { LocalBus } from '../../../cluster/bus/local-bus.ts';
import { subjects } from '../../../cluster/subjects.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { silentLog } from '../../../telemetry/log.ts';
import { FakeClock } from '../../cluster/bus/fake-clock.ts';

const names = subjects('test');
const event = (mailbox: number, modSeq: number): ChangeEvent => ({
  ...{ kind: 'messages', epoch: 1, account: 'a', mailbox, before: modSeq - 1, modSeq },
});

function watching() {
  const bus = new LocalBus({ clock: systemClock, log: silentLog });
  const clock = new FakeClock();
  let subscriptions = 0;
  let isBroken: (subject: string) => boolean = () => false;
  let connection: (connected: boolean) => void = () => {};
  const counted: Bus = Object.assign(Object.create(bus) as Bus, {
    async subscribe(...given: Parameters<Bus['subscribe']>): Promise<Service> {
      if (isBroken(given[0])) throw new BusError('disconnected', given[0]);
      const service = await bus.subscribe(...given);
      subscriptions += 1;
      return {
        async stop() {
          subscriptions -= 1;
          await service.stop();
        },
      };
    },
    onConnection(listener: (connected: boolean) => void): Service {
      connection = listener;
      return { stop: async () => {} };
    },
  });
  const watch = new ChangeWatch({ bus: counted, subjects: names, clock, log: silentLog });
  const listens = () => {
    const heard: (ChangeEvent | 'lost')[] = [];
    const end = watch.watch('n1', 'a', (each) => heard.push(each));
    return { heard, end };
  };
  const publish = (each: ChangeEvent) => bus.publish(names.changed('n1', 'a'), each);
  return {
    bus,
    watch,
    listens,
    publish,
    clock,
    subscriptions: () => subscriptions,
    breaks: (which: (subject: string) => boolean) => {
      isBroken = which;
    },
    connected: (is: boolean) => connection(is),
  };
}
const rest = async () => {
  for (let turns = 0; turns < 5; turns++) await turn();
};

test('what may have been missed before the subscription stood is told as lost, then each event as it comes', async () => {
  const { listens, publish, watch } = watching();
  const one = listens();
  await rest();
  assert.equal(one.heard, ['lost']);
  publish(event(1, 5));
  await rest();
  assert.equal(one.heard, ['lost', event(1, 5)]);
  await watch.stop();
});

test('who comes later shares the subscription, and hears the last of each mailbox at once', async () => {
  const { listens, publish, subscriptions, watch } = watching();
  const one = listens();
  await rest();
  publish(event(1, 5));
  publish(event(1, 6));
  publish(event(2, 3));
  await rest();
  const before = subscriptions();
  const other = listens();
  assert.equal(other.heard, [], 'not from within the call');
  await rest();
  assert.equal(other.heard, [event(1, 6), event(2, 3)]);
  assert.is(subscriptions(), before);
  one.end();
  publish(event(1, 7));
  await rest();
  assert.is(one.heard.length, 4, 'nothing after its end');
  assert.equal(other.heard.at(-1), event(1, 7));
  other.end();
  await rest();
  assert.is(subscriptions(), 0);
  assert.is(watch.size, 0);
  await watch.stop();
});

test('an owner that begins is told to all who look at its accounts', async () => {
  const { bus, listens, watch } = watching();
  const one = listens();
  await rest();
  bus.publish(names.changedOwner('n1'), { kind: 'owner', epoch: 2 } satisfies ChangeEvent);
  await rest();
  assert.equal(one.heard.at(-1), { kind: 'owner', epoch: 2 });
  await watch.stop();
});

test('a node that was cut off has lost some', async () => {
  const { listens, connected, watch } = watching();
  const one = listens();
  await rest();
  connected(false);
  assert.is(one.heard.length, 1);
  connected(true);
  assert.equal(one.heard, ['lost', 'lost']);
  await watch.stop();
});

test('a subscription that fails is tried again, ever more rarely, and what was missed meanwhile is told as lost', async () => {
  const { breaks, clock, listens, publish, subscriptions, watch } = watching();
  let tries = 0;
  const isOwners = (subject: string) => subject === names.changedOwner('n1');
  breaks((subject) => {
    if (isOwners(subject)) tries += 1;
    return isOwners(subject); // one of the two stands, and is of no use alone
  });
  const one = listens();
  await rest();
  assert.equal([tries, subscriptions(), one.heard], [1, 0, []]);
  publish(event(1, 5));
  for (const ms of [500, 1_000, 2_000]) {
    clock.advance(ms - 1);
    await rest();
    const before = tries;
    clock.advance(1);
    await rest();
    assert.is(tries, before + 1, `after ${ms} ms`);
  }
  breaks(() => false);
  clock.advance(4_000);
  await rest();
  assert.equal(one.heard, ['lost']);
  publish(event(1, 6));
  await rest();
  assert.equal(one.heard, ['lost', event(1, 6)], 'each once');
  one.end();
  await rest();
  assert.is(subscriptions(), 0);
  await watch.stop();
});

test('one that waits to be tried again is tried when this node is in touch with the others again', async () => {
  const { breaks, connected, listens, watch } = watching();
  breaks(() => true);
  const one = listens();
  await rest();
  breaks(() => false);
  connected(true);
  await rest();
  assert.equal(one.heard, ['lost']);
  await watch.stop();
});

test('one that failed and that nobody looks at any more is not tried again', async () => {
  const { breaks, clock, listens, subscriptions, watch } = watching();
  breaks(() => true);
  const one = listens();
  await rest();
  one.end();
  breaks(() => false);
  clock.advance(60_000);
  await rest();
  assert.equal([subscriptions(), watch.size], [0, 0]);
  await watch.stop();
});

test('one that ends before the subscription stands leaves none behind', async () => {
  const { listens, subscriptions, watch } = watching();
  listens().end();
  await rest();
  assert.is(subscriptions(), 0);
  await watch.stop();
});

test.run();
