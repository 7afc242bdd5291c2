/** The two statecharts, driven without a mailHost. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createActor, fromPromise } from 'xstate';
import { timersOf } from '../../../actors/machine-clock.ts';
import {
  type Begun,
  type LiveSession,
  mailboxOwnerMachine,
  mailHostMachine,
} from '../../../actors/mailbox-owner/machine.ts';
import { manualClock } from '../manual-clock.ts';

const never = () => new Promise<never>(() => {});

function mailHost(actors: {
  acquire?: () => Promise<number>;
  begin?: () => Promise<Begun>;
  watch?: () => Promise<void>;
  leave?: () => Promise<void>;
}) {
  const clock = manualClock();
  const machine = mailHostMachine.provide({
    actors: {
      acquireLease: fromPromise(actors.acquire ?? (async () => 1)),
      beginEpoch: fromPromise(actors.begin ?? (async () => 'begun' as const)),
      watch: fromPromise(actors.watch ?? never),
      leave: fromPromise(actors.leave ?? (async () => {})),
    },
  });
  const actor = createActor(machine, { input: { mailHost: 'h1' }, clock: timersOf(clock) });
  const seen: string[] = [];
  actor.subscribe(({ value }) => {
    if (seen.at(-1) !== String(value)) seen.push(String(value));
  });
  return { actor: actor.start(), seen, clock };
}

const reaches = (actor: ReturnType<typeof mailHost>['actor'], state: string): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (String(actor.getSnapshot().value) === state) resolve();
    };
    actor.subscribe({ next: look, complete: look });
    look();
  });

test('a mailHost serves only after its lease and its epoch, and stops through leaving', async () => {
  const { actor, seen } = mailHost({ acquire: async () => 7 });
  await reaches(actor, 'serving');
  assert.is(actor.getSnapshot().context.epoch, 7);
  actor.send({ type: 'STOP' });
  actor.send({ type: 'STOP' });
  await reaches(actor, 'stopped');
  assert.equal(seen, ['waitingForLease', 'beginningEpoch', 'serving', 'stopping', 'stopped']);
});

test('a mailHost that was deposed leaves before it waits for the lease again', async () => {
  let lose = () => {};
  let epoch = 0;
  const { actor, seen } = mailHost({
    acquire: async () => ++epoch,
    watch: () =>
      new Promise((resolve) => {
        lose = resolve;
      }),
  });
  await reaches(actor, 'serving');
  lose();
  await reaches(actor, 'deposed');
  await reaches(actor, 'serving');
  assert.equal(seen.slice(3), ['deposed', 'waitingForLease', 'beginningEpoch', 'serving']);
  assert.is(actor.getSnapshot().context.epoch, 2);
  actor.stop();
});

test('without room for its epoch it waits and tries again', async () => {
  const outcomes: Begun[] = ['full', 'begun'];
  const { actor, clock, seen } = mailHost({ begin: async () => outcomes.shift()! });
  await reaches(actor, 'waitingForRoom');
  clock.advance(2_000);
  await reaches(actor, 'serving');
  assert.equal(seen.slice(1), ['beginningEpoch', 'waitingForRoom', 'beginningEpoch', 'serving']);
  actor.stop();
});

for (const [what, actors] of [
  ['a lease that is refused', { acquire: () => Promise.reject(new Error('other store')) }],
  ['an epoch that can not begin', { begin: () => Promise.reject(new Error('other store')) }],
  ['a store that failed', { watch: () => Promise.reject(new Error('other store')) }],
] as const) {
  test(`${what} ends the mailHost after it left`, async () => {
    const { actor, seen } = mailHost(actors);
    await reaches(actor, 'failed');
    assert.is(actor.getSnapshot().context.fault, 'Error: other store');
    assert.is(seen.at(-2), 'failing');
  });
}

test('a mailHost can be stopped while it waits for its lease', async () => {
  const { actor, seen } = mailHost({ acquire: never });
  actor.send({ type: 'STOP' });
  await reaches(actor, 'stopped');
  assert.equal(seen, ['waitingForLease', 'stopping', 'stopped']);
});

const owner = (load: () => Promise<readonly LiveSession[]>) => {
  const clock = manualClock();
  const machine = mailboxOwnerMachine.provide({ actors: { load: fromPromise(load) } });
  const actor = createActor(machine, { input: { account: 'joe' }, clock: timersOf(clock) }).start();
  return { actor, clock };
};
const value = (actor: ReturnType<typeof owner>['actor']) => String(actor.getSnapshot().value);
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('an owner wakes to the sessions that the store knows and to those that open meanwhile', async () => {
  const { actor } = owner(async () => [{ session: 'old', lock: 1 }]);
  actor.send({ type: 'session.opened', live: { session: 'new', lock: 2 } });
  assert.is(value(actor), 'waking');
  await turn();
  assert.is(value(actor), 'serving');
  assert.equal(actor.getSnapshot().context.sessions, [
    { session: 'old', lock: 1 },
    { session: 'new', lock: 2 },
  ]);
  actor.stop();
});

test('an owner goes idle with its last session, serves again with the next, and sleeps when none comes', async () => {
  const { actor, clock } = owner(async () => []);
  await turn();
  assert.is(value(actor), 'idle');
  actor.send({ type: 'session.opened', live: { session: 's', lock: 1 } });
  actor.send({ type: 'session.opened', live: { session: 's', lock: 1 } });
  clock.advance(120_000);
  assert.is(value(actor), 'serving');
  actor.send({ type: 'session.ended', session: 'another' });
  assert.is(value(actor), 'serving');
  actor.send({ type: 'session.ended', session: 's' });
  assert.is(value(actor), 'idle');
  clock.advance(60_000);
  assert.is(value(actor), 'asleep');
  assert.is(actor.getSnapshot().status, 'done');
});

test('an owner whose load failed serves all the same', async () => {
  const { actor } = owner(() => Promise.reject(new Error('store')));
  await turn();
  assert.is(value(actor), 'idle');
  actor.stop();
});

test.run();
