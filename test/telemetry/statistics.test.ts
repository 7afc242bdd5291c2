/** Counters, and the block that shows them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Statistics, statisticsBlock } from '../../telemetry/statistics.ts';

const head = {
  daemon: 'pop3d',
  node: 'n1',
  pid: 4711,
  version: '0.1.0',
  nowMs: Date.UTC(2026, 10, 22, 14, 30, 5, 250),
  startedMs: Date.UTC(2026, 10, 22, 14, 0, 0),
  uptimeMs: 1_805_250,
};

test('each protocol has counters of its own, the same at each asking', () => {
  const statistics = new Statistics();
  statistics.of('pop3').command();
  statistics.of('pop3').command();
  statistics.of('lmtp').command();
  assert.is(statistics.of('pop3').read().commands, 2);
  assert.equal(
    [...statistics.read()].map(([protocol, { commands }]) => [protocol, commands]),
    [
      ['pop3', 2],
      ['lmtp', 1],
    ],
  );
});

test('what was read does not change afterwards', () => {
  const counted = new Statistics().of('pop3');
  counted.loggedIn('PLAIN', true);
  const before = counted.read();
  counted.loggedIn('PLAIN', true);
  counted.connectionRefused('too-many');
  counted.did('messages-retrieved');
  assert.equal(before.logIns, { PLAIN: { accepted: 1, refused: 0 } });
  assert.equal(before.connectionsRefused, {});
  assert.equal(before.deeds, {});
});

test('a block: a dated title, then a name and a number a line, in an order that does not depend on what came first', () => {
  const counted = new Statistics().of('pop3');
  for (let i = 0; i < 3; i++) counted.connectionOpened();
  counted.connectionClosed();
  counted.connectionRefused('too-many');
  counted.connectionRefused('address');
  counted.connectionRefused('too-many');
  counted.loggedIn('PASS', true);
  counted.loggedIn('PASS', false);
  counted.loggedIn('APOP', true);
  for (let i = 0; i < 7; i++) counted.command();
  counted.received(100);
  counted.received(23);
  counted.sent(4567);
  counted.did('messages-retrieved');
  counted.did('messages-removed', 5);
  counted.did('messages-retrieved', 2);
  assert.is(
    statisticsBlock(head, counted.read()),
    [
      '--- 2026-11-22T14:30:05.250Z pop3d of n1, homing 0.1.0, process 4711',
      'started 2026-11-22T14:00:00.000Z',
      'uptime-seconds 1805',
      'connections-now 2',
      'connections-total 3',
      'connections-refused 3',
      'connections-refused.address 1',
      'connections-refused.too-many 2',
      'logins-accepted 2',
      'logins-refused 1',
      'logins-accepted.APOP 1',
      'logins-refused.APOP 0',
      'logins-accepted.PASS 1',
      'logins-refused.PASS 1',
      'commands 7',
      'octets-in 123',
      'octets-out 4567',
      'messages-removed 5',
      'messages-retrieved 3',
      '',
      '',
    ].join('\n'),
  );
});

test.run();
