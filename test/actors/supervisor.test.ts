/** The supervisor: order, restarts, backoff, giving up. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Child, type Policy, Supervisor } from '../../actors/supervisor.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';
import { manualClock } from './manual-clock.ts';

const policy: Policy = { firstDelayMs: 100, mostDelayMs: 1000, mostRestarts: 3, withinMs: 60_000 };
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Children that write down what happens to them, and can be made to fail. */
function family(...names: readonly string[]) {
  const told: string[] = [];
  const fail = new Map<string, (fault: Error) => void>();
  const refusing = new Set<string>();
  const children: Child[] = names.map((name) => ({
    name,
    async start() {
      if (refusing.has(name)) {
        told.push(`${name} refuses`);
        throw new Error(`${name} has no port`);
      }
      told.push(`${name} starts`);
      return {
        failed: new Promise((resolve) => fail.set(name, resolve)),
        async stop() {
          told.push(`${name} stops`);
        },
      };
    },
  }));
  return { children, told, refusing, fail: (name: string) => fail.get(name)!(new Error(`${name} broke`)) };
}

test('children start in their order and stop in reverse', async () => {
  const { children, told } = family('store', 'owners', 'pop3');
  const supervisor = new Supervisor(children, { clock: manualClock(), log: silentLog, policy });
  await supervisor.start();
  assert.equal(
    [...supervisor.states],
    [
      ['store', 'running'],
      ['owners', 'running'],
      ['pop3', 'running'],
    ],
  );
  await supervisor.stop();
  assert.equal(told, ['store starts', 'owners starts', 'pop3 starts', 'pop3 stops', 'owners stops', 'store stops']);
});

test('a child that cannot start at first stops those before it and is told by name', async () => {
  const { children, told, refusing } = family('store', 'pop3', 'lmtp');
  refusing.add('pop3');
  const supervisor = new Supervisor(children, { clock: manualClock(), log: silentLog, policy });
  const fault = await supervisor.start().then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  assert.is(fault?.message, 'pop3 cannot start: pop3 has no port');
  assert.equal(told, ['store starts', 'pop3 refuses', 'store stops']);
});

test('a child that fails is cleared up and restarted alone, after a pause', async () => {
  const clock = manualClock();
  const { children, told, fail } = family('store', 'pop3');
  const supervisor = new Supervisor(children, { clock, log: silentLog, policy });
  await supervisor.start();
  fail('store');
  await turns();
  assert.is(supervisor.states.get('store'), 'waiting');
  clock.advance(99);
  await turns();
  assert.is(supervisor.states.get('store'), 'waiting');
  clock.advance(1);
  await turns();
  assert.is(supervisor.states.get('store'), 'running');
  assert.equal(told, ['store starts', 'pop3 starts', 'store stops', 'store starts']);
  await supervisor.stop();
});

test('the pause doubles while it keeps failing, up to its limit, and is short again after a quiet time', async () => {
  const clock = manualClock();
  const { children, fail } = family('pop3');
  const supervisor = new Supervisor(children, { clock, log: silentLog, policy: { ...policy, mostDelayMs: 300 } });
  await supervisor.start();
  for (const pauseMs of [100, 200, 300]) {
    fail('pop3');
    await turns();
    clock.advance(pauseMs - 1);
    await turns();
    assert.is(supervisor.states.get('pop3'), 'waiting', `before ${pauseMs}`);
    clock.advance(1);
    await turns();
    assert.is(supervisor.states.get('pop3'), 'running', `after ${pauseMs}`);
  }
  clock.advance(policy.withinMs);
  fail('pop3');
  await turns();
  clock.advance(100);
  await turns();
  assert.is(supervisor.states.get('pop3'), 'running');
  await supervisor.stop();
});

test('a child that fails too often is given up, loudly, and the others stop in order when told', async () => {
  const clock = manualClock();
  const errors: string[] = [];
  const log: Log = { ...silentLog, error: (message) => errors.push(message) };
  const { children, told, fail, refusing } = family('store', 'pop3');
  const supervisor = new Supervisor(children, { clock, log, policy });
  await supervisor.start();
  fail('pop3');
  refusing.add('pop3');
  const given = await clock.until(supervisor.failed);
  assert.is(given.message, 'pop3 was given up: pop3 has no port');
  assert.is(told.filter((line) => line === 'pop3 refuses').length, policy.mostRestarts);
  assert.is(errors.filter((message) => message === 'a child failed').length, 1 + policy.mostRestarts);
  assert.is(errors.at(-1), 'a child was given up');
  assert.is(supervisor.states.get('store'), 'running');
  await supervisor.stop();
  assert.is(told.at(-1), 'store stops');
});

test('a stop while a child starts waits for it, tells it by its signal, and stops it', async () => {
  let go: () => void = () => {};
  let aborted = false;
  let stops = 0;
  const slow: Child = {
    name: 'slow',
    async start(signal) {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      await new Promise<void>((resolve) => (go = resolve));
      return {
        async stop() {
          stops += 1;
        },
      };
    },
  };
  const { children, told } = family('after');
  const supervisor = new Supervisor([slow, ...children], { clock: manualClock(), log: silentLog, policy });
  const started = supervisor.start();
  await turns();
  const stopped = supervisor.stop();
  assert.ok(aborted);
  go();
  await Promise.all([started, stopped]);
  assert.is(stops, 1);
  assert.equal(told, []);
});

test('a child that waits for its restart is not started again by a stop', async () => {
  const { children, told, fail } = family('pop3');
  const clock = manualClock();
  const supervisor = new Supervisor(children, { clock, log: silentLog, policy });
  await supervisor.start();
  fail('pop3');
  await turns();
  await supervisor.stop();
  clock.advance(10_000);
  await turns();
  assert.equal(told, ['pop3 starts', 'pop3 stops']);
  assert.is(supervisor.states.get('pop3'), 'stopped');
});

test.run();
