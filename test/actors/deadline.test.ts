/** When a connection has been waited for too long. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Limits } from '../../actors/connection-terms.ts';
import { Deadline } from '../../actors/deadline.ts';
import { manualClock } from './manual-clock.ts';

const limits: Limits = { idleMs: 1000, writeMs: 100 };

test('what is awaited has its limit, from when it began to be awaited', () => {
  const clock = manualClock(0);
  const deadline = new Deadline();
  deadline.watch('client', limits, clock);
  clock.advance(500);
  deadline.watch('client', limits, clock); // no step further
  assert.is(deadline.missed(999), undefined);
  assert.is(deadline.missed(1000), 'client');
  deadline.watch('reader', limits, clock);
  assert.is(deadline.missed(599), undefined);
  assert.is(deadline.missed(600), 'reader');
});

test('a step further begins it anew, once', () => {
  const clock = manualClock(0);
  const deadline = new Deadline();
  deadline.watch('client', limits, clock);
  clock.advance(900);
  deadline.progress();
  deadline.watch('client', limits, clock);
  clock.advance(50);
  deadline.watch('client', limits, clock);
  assert.is(deadline.missed(1899), undefined);
  assert.is(deadline.missed(1900), 'client');
});

test('what we do unasked gives the client no more time; what it asked for does', () => {
  const clock = manualClock(0);
  const deadline = new Deadline();
  deadline.watch('client', limits, clock);
  clock.advance(600);
  deadline.watch('us', limits, clock);
  deadline.watch('client', limits, clock);
  assert.is(deadline.missed(1000), 'client');
  deadline.progress();
  deadline.watch('us', limits, clock);
  clock.advance(300);
  deadline.watch('client', limits, clock);
  assert.is(deadline.missed(1899), undefined);
  assert.is(deadline.missed(1900), 'client');
});

test('the time to log in begins once, whatever is awaited and however often', () => {
  const clock = manualClock(0);
  const deadline = new Deadline();
  deadline.begin({ ...limits, logInMs: 500 }, clock);
  deadline.watch('client', limits, clock);
  clock.advance(400);
  deadline.progress();
  deadline.watch('client', limits, clock);
  assert.not(deadline.isLogInOverdue(499));
  assert.ok(deadline.isLogInOverdue(500));
  deadline.watch('us', limits, clock);
  assert.ok(deadline.isLogInOverdue(500));
  const free = new Deadline();
  free.begin(limits, clock);
  free.watch('client', limits, clock);
  assert.not(free.isLogInOverdue(Number.MAX_SAFE_INTEGER), 'LMTP has none');
});

test('an end that was set holds whatever is awaited, and the earliest one of several', () => {
  const deadline = new Deadline();
  assert.not(deadline.isEnd(Number.MAX_SAFE_INTEGER));
  deadline.endBy(20);
  deadline.endBy(30);
  assert.not(deadline.isEnd(19));
  assert.ok(deadline.isEnd(20));
});

test('our own work has no limit but its own', () => {
  const clock = manualClock(0);
  const deadline = new Deadline();
  assert.is(deadline.missed(Number.MAX_SAFE_INTEGER), undefined);
  deadline.watch('client', limits, clock);
  deadline.watch('us', limits, clock);
  assert.is(deadline.missed(Number.MAX_SAFE_INTEGER), undefined);
});

test.run();
