/** Log-ins counted on their way to the connection log, which hears all that it would without. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectionLog } from '../../telemetry/connection-log.ts';
import { silentConnectionLog } from '../../telemetry/connection-log.ts';
import { countedConnectionLog } from '../../telemetry/counted-connection-log.ts';
import { Statistics } from '../../telemetry/statistics.ts';

const ends = { session: 's.1', address: '192.0.2.1', port: 4711, local: { address: '192.0.2.2', port: 110 } };

function recording() {
  const heard: unknown[] = [];
  const log: ConnectionLog = {
    begin: (who, protocol) => {
      heard.push(['begin', who, protocol]);
      return {
        failed: (attempt) => heard.push(['failed', attempt]),
        opened: (login) => heard.push(['opened', login]),
        ended: (...how) => heard.push(['ended', ...how]),
      };
    },
  };
  return { heard, log };
}

test('log-ins count by protocol and mechanism; a connection without one counts none; all is passed on as it came', () => {
  const { heard, log } = recording();
  const statistics = new Statistics();
  const record = countedConnectionLog(log, statistics).begin(ends, 'pop3');
  const attempt = { name: 'joe', mechanism: 'PASS', reason: 'wrong-secret' };
  const login = { account: 'joe@example.test', mechanism: 'APOP' };
  const counts = { octetsIn: 1, octetsOut: 2 };
  record.failed(attempt);
  record.failed(attempt);
  record.opened(login);
  record.ended('closed', 'finished', counts);
  countedConnectionLog(log, statistics).begin(ends, 'poppwd').opened();
  assert.equal(statistics.of('pop3').read().logIns, {
    PASS: { accepted: 0, refused: 2 },
    APOP: { accepted: 1, refused: 0 },
  });
  assert.equal(statistics.of('poppwd').read().logIns, {});
  assert.equal(heard, [
    ['begin', ends, 'pop3'],
    ['failed', attempt],
    ['failed', attempt],
    ['opened', login],
    ['ended', 'closed', 'finished', counts],
    ['begin', ends, 'poppwd'],
    ['opened', undefined],
  ]);
});

test('they count where nothing is written, and mechanisms without end take no memory without end', () => {
  const statistics = new Statistics();
  const record = countedConnectionLog(silentConnectionLog, statistics).begin(ends, 'pop3');
  for (let i = 0; i < 1000; i++) record.failed({ name: 'joe', mechanism: `X-${i}`, reason: 'unknown' });
  const { logIns } = statistics.of('pop3').read();
  assert.ok(Object.keys(logIns).length <= 33);
  assert.is(
    Object.values(logIns).reduce((sum, { refused }) => sum + refused, 0),
    1000,
  );
  assert.ok(logIns['other']!.refused > 900);
});

test.run();
