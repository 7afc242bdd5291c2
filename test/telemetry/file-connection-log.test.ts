/** Each connection's entries in their order and number, whatever is told of it: rows G-03 to G-08 and G-20. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { silentConnectionLog } from '../../telemetry/connection-log.ts';
import { openConnectionLog } from '../../telemetry/file-connection-log.ts';
import { silentLog } from '../../telemetry/log.ts';
import { manualClock } from '../actors/manual-clock.ts';
import { keptConnectionLog, readEntry } from '../support/connection-entries.ts';

const ends = { session: 's.1', address: '192.0.2.1', port: 40_110, local: { address: '192.0.2.2', port: 110 } };
const counts = { octetsIn: 12, octetsOut: 345 };
const attempt = { name: 'joe', mechanism: 'PASS', reason: 'wrong-secret' };

test('two failures, a log-in and a goodbye: A A O C, each with what it knows', () => {
  const clock = manualClock(Date.UTC(2026, 10, 22));
  const { log, entries } = keptConnectionLog(clock);
  const record = log.begin(ends, 'pop3');
  record.failed(attempt);
  record.failed({ ...attempt, mechanism: 'APOP' });
  record.opened({ account: 'joe@example.test', mechanism: 'PASS' });
  clock.advance(1234);
  record.ended('closed', 'finished', counts);
  assert.equal(
    entries().map(({ code, fields }) => [code, fields]),
    [
      ['A', { session: 's.1', user: 'joe', mechanism: 'PASS', reason: 'wrong-secret' }],
      ['A', { session: 's.1', user: 'joe', mechanism: 'APOP', reason: 'wrong-secret' }],
      ['O', { session: 's.1', user: 'joe@example.test', mechanism: 'PASS' }],
      ['C', { session: 's.1', ending: 'finished', duration: '1.23', in: '12', out: '345' }],
    ],
  );
  assert.equal(
    entries().map(({ date }) => date.slice(-11)),
    ['00:00:00.00', '00:00:00.00', '00:00:00.00', '00:00:01.23'],
  );
});

test('G-08, G-09: an end before any log-in is also the end of the log-in phase', () => {
  for (const [how, code] of [
    ['closed', 'C'],
    ['aborted', 'X'],
  ] as const) {
    const { log, codes } = keptConnectionLog();
    const record = log.begin(ends, 'poppwd');
    assert.is(codes(), ''); // G-04: not when the connection is accepted
    record.ended(how, 'x', counts);
    assert.is(codes(), `O ${code}`);
  }
});

test('G-07: whatever is told of a connection and in whatever order, its entries are A* O (C|X)', () => {
  const told = fc.array(fc.constantFrom('failed', 'opened', 'closed', 'aborted'), { maxLength: 12 });
  fc.assert(
    fc.property(told, (events) => {
      const { log, codes } = keptConnectionLog();
      const record = log.begin(ends, 'pop3');
      for (const event of events)
        if (event === 'failed') record.failed(attempt);
        else if (event === 'opened') record.opened({ account: 'joe', mechanism: 'PASS' });
        else record.ended(event, 'x', counts);
      record.ended('aborted', 'x', counts);
      assert.match(codes(), /^(A )*O [CX]$/);
    }),
  );
});

test('G-20: LMTP is not logged here, and nothing is where it is off', () => {
  const { log, lines } = keptConnectionLog();
  for (const record of [log.begin(ends, 'lmtp'), silentConnectionLog.begin(ends, 'pop3')]) {
    record.failed(attempt);
    record.opened();
    record.ended('closed', 'finished', counts);
  }
  assert.equal(lines, []);
});

test('in a file: G-01, only the protocols that are asked for; G-21, at once', () => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-connections-'));
  try {
    const file = join(directory, 'connection.log');
    const clock = manualClock();
    const log = openConnectionLog({ file, protocols: ['poppwd'], source: 'n1', clock, log: silentLog });
    const read = () =>
      readFileSync(file, 'utf8')
        .split(/(?<=\n)/)
        .filter(Boolean)
        .map(readEntry);
    log.begin(ends, 'pop3').ended('closed', 'finished', counts);
    const record = log.begin(ends, 'poppwd');
    record.opened();
    assert.equal(
      read().map(({ code, service }) => [code, service]),
      [['O', 'POPPASSD']],
    );
    record.ended('aborted', 'client-gone', counts);
    assert.equal(
      read().map(({ code }) => code),
      ['O', 'X'],
    );
    log.close();
    log.begin(ends, 'poppwd').opened();
    assert.is(read().length, 2);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.run();
