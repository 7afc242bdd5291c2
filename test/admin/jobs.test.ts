/** Jobs: looked at, cancelled, forsaken, failed; one at a time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ControlAnswer } from '../../admin/control.ts';
import { createJobs, type JobLook, type Work } from '../../admin/jobs.ts';
import { silentLog } from '../../telemetry/log.ts';
import { manualClock } from '../actors/manual-clock.ts';

class Refused extends Error {}

function world() {
  const clock = manualClock();
  const linesOf = (error: unknown) => (error instanceof Refused ? ['refused', 'twice'] : undefined);
  const jobs = createJobs({ clock, log: silentLog, linesOf });
  const begin = (work: Work): string => {
    const answer = jobs.begin('work', work);
    assert.ok(answer.ok);
    return (answer.value as { job: string }).job;
  };
  const look = (job: string): Promise<ControlAnswer> => jobs.verbs['job.look']!({ job });
  return { clock, jobs, begin, look };
}

const errorsOf = (answer: ControlAnswer): readonly string[] => (answer.ok ? [] : answer.errors);
const lookOf = (answer: ControlAnswer): JobLook => {
  assert.ok(answer.ok);
  return answer.value as JobLook;
};
/** Ends when its signal is aborted, as it should. */
const untilAborted: Work = (_, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('a job tells how far it is, then what came of it, once', async () => {
  const { begin, look } = world();
  let end: (value: string) => void = () => {};
  const job = begin((tell) => {
    tell({ step: 'half', done: 1, total: 2 });
    return new Promise((resolve) => (end = resolve));
  });
  assert.equal(lookOf(await look(job)), { state: 'running', progress: { step: 'half', done: 1, total: 2 } });
  assert.equal(errorsOf(await look('7')).length, 1);
  end('made');
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(lookOf(await look(job)), { state: 'done', value: 'made' });
  assert.match(errorsOf(await look(job))[0]!, /no such job/);
});

test('a second job is refused while one is under way, and not afterwards', async () => {
  const { jobs, begin } = world();
  const job = begin(untilAborted);
  assert.match(errorsOf(jobs.begin('another', untilAborted))[0]!, /work is under way/);
  assert.ok((await jobs.verbs['job.cancel']!({ job })).ok);
  begin(untilAborted);
  await jobs.stop();
});

test('an ended job waits for its look while others begin and end, and is forgotten when nobody looks', async () => {
  const { begin, look, clock } = world();
  const endNow = async (value: string): Promise<string> => {
    const job = begin(async () => value);
    await clock.until(Promise.resolve());
    return job;
  };
  const [first, second] = [await endNow('one'), await endNow('two')];
  const third = begin(untilAborted);
  assert.equal(lookOf(await look(first)), { state: 'done', value: 'one' });
  assert.match(errorsOf(await look(first))[0]!, /no such job/);
  assert.is(lookOf(await look(third)).state, 'running');
  clock.advance(20_000);
  await clock.until(Promise.resolve());
  assert.match(errorsOf(await look(second))[0]!, /no such job/);
  assert.match(errorsOf(await look(third))[0]!, /nobody waits/);
  const fourth = begin(untilAborted);
  clock.advance(20_000);
  await clock.until(Promise.resolve());
  clock.advance(20_000);
  assert.match(errorsOf(await look(fourth))[0]!, /no such job/, 'forsaken twice');
});

test('what was refused says why in its own lines; a fault says what it was', async () => {
  const { begin, look, clock } = world();
  const refused = begin(async () => Promise.reject(new Refused()));
  await clock.until(Promise.resolve());
  assert.equal(errorsOf(await look(refused)), ['refused', 'twice']);
  const failed = begin(async () => Promise.reject(new Error('broken')));
  await clock.until(Promise.resolve());
  assert.equal(errorsOf(await look(failed)), ['work: broken']);
});

test('a job that nobody looks at is ended; one that is looked at goes on', async () => {
  const { begin, look, clock } = world();
  let isAborted = false;
  const job = begin((tell, signal) => {
    signal.addEventListener('abort', () => (isAborted = true));
    return untilAborted(tell, signal);
  });
  for (let second = 0; second < 60; second += 15) {
    clock.advance(15_000);
    assert.is(lookOf(await look(job)).state, 'running');
  }
  clock.advance(20_000);
  assert.ok(isAborted);
  await clock.until(Promise.resolve());
  assert.match(errorsOf(await look(job))[0]!, /nobody waits for it any more/);
});

test('a stop cancels what runs and waits for its end', async () => {
  const { jobs, begin } = world();
  const order: string[] = [];
  begin(async (tell, signal) => {
    await untilAborted(tell, signal).catch(() => {});
    order.push('ended');
  });
  await jobs.stop();
  order.push('stopped');
  assert.equal(order, ['ended', 'stopped']);
});

test.run();
