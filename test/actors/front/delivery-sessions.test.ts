/** The delivery sessions of a front that ends: told to their owners where these are there, and never waited for. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DeliverySessions } from '../../../actors/front/delivery-sessions.ts';
import { BusError } from '../../../cluster/bus/bus.ts';
import { house } from './fixtures.ts';

async function opened() {
  const around = await house();
  let made = 0;
  const sessions = new DeliverySessions(around.front, () => `start.d${++made}`);
  const both = [(await sessions.borrow('n1'))!, (await sessions.borrow('n1'))!] as const;
  return { ...around, sessions, both };
}

test('stopping does not wait for an owner that is away: what is open there ends with this registration', async () => {
  const { sessions, both, host, bus, subjects, clock } = await opened();
  for (const each of both) sessions.giveBack(each);
  let asked = 0;
  bus.ask = async (subject) => {
    asked += 1;
    assert.is(subject, subjects.mail('n1', 'close'));
    throw new BusError('no-responders', subject);
  };
  const before = clock.monotonic();
  await sessions.stop();
  assert.is(clock.monotonic(), before, 'no time passed');
  assert.is(asked, 2, 'each was told once');
  for (const each of both) assert.not.ok(host.sessions.get(each.id)?.ended);
});

test('nor does one go on asking that had begun to end before', async () => {
  const { sessions, both, bus, clock } = await opened();
  const [first] = both;
  let asked = 0;
  bus.ask = async (subject) => {
    asked += 1;
    throw new BusError('no-responders', subject);
  };
  const ended = first.close();
  for (let turns = 0; asked === 0 && turns < 10; turns += 1) await Promise.resolve();
  const hurried = first.closeOnce(); // while it waits for its next attempt
  await clock.until(Promise.all([ended, hurried]));
  assert.ok(asked <= 2, `${asked} attempts`);
  await sessions.stop();
});

test('an owner that hears it ends the session', async () => {
  const { sessions, both, host } = await opened();
  for (const each of both) sessions.giveBack(each);
  await sessions.stop();
  for (const each of both) assert.ok(host.sessions.get(each.id)?.ended);
});

test.run();
