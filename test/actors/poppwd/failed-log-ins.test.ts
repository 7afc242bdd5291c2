/** How many log-ins of an account may fail at poppwd before it is refused for a while: row W-27 of the requirements. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FailedLogIns, type Try } from '../../../actors/poppwd/failed-log-ins.ts';
import { memoryLog } from '../../../telemetry/memory-log.ts';
import { keptConnectionLog } from '../../support/connection-entries.ts';
import { overMemory } from '../../support/transcript.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';
import { fakeHouse, poppwd } from './fake-services.ts';

const MINUTE_MS = 60_000;
const BAD = '515 incorrect password or account name';

function served(failures = 10, clock: ManualClock = manualClock()) {
  const kept = keptConnectionLog(clock);
  const log = memoryLog();
  const failedLogIns = new FailedLogIns({ failures, intervalMs: MINUTE_MS }, clock);
  const protocol = poppwd(fakeHouse().services, log, true, kept.log, failedLogIns);
  /** What PASS gets, each time over a connection of its own. */
  const tried = async (secret: string, name = 'joe@example.test'): Promise<string> => {
    const { client, close } = overMemory(protocol, { clock });
    client.send(`USER ${name}\r\nPASS ${secret}\r\n`);
    const [, , answer] = await client.lines(3);
    await close();
    return answer!;
  };
  return { ...kept, clock, log, protocol, failedLogIns, tried };
}

test('W-27: eleven bad within a minute: the twelfth is refused though it is right; a minute later it is not', async () => {
  const { tried, clock, entries, log } = served();
  for (let times = 1; times <= 11; times += 1) {
    assert.is(await tried('wrong'), BAD, `${times}`);
    clock.advance(1000);
  }
  assert.is(await tried('old password'), BAD, 'octet for octet as a wrong one');
  const attempts = entries().filter(({ code }) => code === 'A');
  assert.equal(
    attempts.map(({ fields }) => fields['reason']),
    [...Array(11).fill('bad-credentials'), 'too-many-failures'],
  );
  const told = log.entries.filter(({ fields }) => fields['reason'] === 'too-many-failures');
  assert.is(told.length, 1);
  assert.is(told[0]!.fields['account'], 'joe@example.test');
  clock.advance(MINUTE_MS - 11_000);
  assert.is(await tried('old password'), '200 login OK');
});

test('ten bad are borne; those that succeed, and those that nobody could answer, count for nothing', async () => {
  const { tried } = served();
  for (let times = 0; times < 30; times += 1) assert.is(await tried('old password'), '200 login OK');
  for (let times = 0; times < 30; times += 1) assert.match(await tried('x', 'away'), /^500 /);
  for (let times = 0; times < 10; times += 1) assert.is(await tried('wrong'), BAD);
  assert.is(await tried('old password'), '200 login OK');
});

test('an account is the same however its name is written, and no other is refused for it', async () => {
  const { tried, failedLogIns } = served(2);
  for (const name of ['joe', 'JOE@example.test', 'joe@EXAMPLE.test']) await tried('wrong', name);
  assert.is(await tried('old password'), BAD);
  assert.is(failedLogIns.size, 1);
  for (const name of ['nobody', 'nobody', 'nobody', 'nobody']) assert.is(await tried('wrong', name), BAD);
  assert.is(failedLogIns.size, 2, 'whether there is such an account cannot be seen from it');
});

test('who tries on while refused does not put off the end of it', () => {
  const clock = manualClock();
  const failed = new FailedLogIns({ failures: 1, intervalMs: MINUTE_MS }, clock);
  assert.ok(failed.begin('joe'));
  assert.ok(failed.begin('joe'));
  for (let seconds = 0; seconds < 60; seconds += 1) {
    assert.is(failed.begin('joe'), undefined);
    clock.advance(1000);
  }
  assert.ok(failed.begin('joe'));
});

test('many at the same time are counted before they are answered', () => {
  const failed = new FailedLogIns({ failures: 10, intervalMs: MINUTE_MS }, manualClock());
  const tries = Array.from({ length: 100 }, () => failed.begin('joe')).filter(
    (each): each is Try => each !== undefined,
  );
  assert.is(tries.length, 11);
  tries[0]!.forgive();
  assert.ok(failed.begin('joe'));
  assert.is(failed.begin('joe'), undefined);
});

test('0 is no limit and remembers nothing; a changed limit holds for what has failed already', () => {
  const failed = new FailedLogIns({ failures: 0, intervalMs: MINUTE_MS }, manualClock());
  for (let times = 0; times < 1000; times += 1) assert.ok(failed.begin('joe'));
  assert.is(failed.size, 0);
  failed.allow({ failures: 2, intervalMs: MINUTE_MS });
  for (let times = 0; times < 3; times += 1) assert.ok(failed.begin('joe'));
  assert.is(failed.begin('joe'), undefined);
  failed.allow({ failures: 3, intervalMs: MINUTE_MS });
  assert.ok(failed.begin('joe'));
});

test('what is remembered is bounded in a flood, and nothing is left of it two intervals later', () => {
  const clock = manualClock();
  const failed = new FailedLogIns({ failures: 10, intervalMs: MINUTE_MS }, clock);
  for (let n = 0; n < 100_000; n += 1) failed.begin(`name${n}`);
  assert.ok(failed.size <= 8192, `${failed.size}`);
  clock.advance(2 * MINUTE_MS);
  failed.begin('joe')!.forgive();
  assert.is(failed.size, 0);
});

test('failures of a minute are not forgotten at the turn of it', () => {
  const clock = manualClock();
  const failed = new FailedLogIns({ failures: 1, intervalMs: MINUTE_MS }, clock);
  clock.advance(MINUTE_MS - 1);
  failed.begin('joe');
  clock.advance(1);
  failed.begin('other'); // a new turn
  failed.begin('joe');
  assert.is(failed.begin('joe'), undefined);
  clock.advance(MINUTE_MS - 1);
  assert.ok(failed.begin('joe'), 'the first is a minute old');
  assert.is(failed.begin('joe'), undefined);
});

test('a log-in that was right counts as nothing, though names were forgotten while it was looked at', () => {
  const clock = manualClock();
  const failed = new FailedLogIns({ failures: 1, intervalMs: MINUTE_MS }, clock);
  const both = [failed.begin('joe')!, failed.begin('joe')!];
  for (let name = 0; name < 4096; name += 1) failed.begin(`${name}`);
  for (const each of both) each.forgive();
  assert.ok(failed.begin('joe'));
});

test.run();
