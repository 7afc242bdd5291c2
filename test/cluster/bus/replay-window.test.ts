/** The anti-replay window: RFC 4303 §3.4.3, RFC 6479 §2. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ReplayWindow, WINDOW } from '../../../cluster/bus/replay-window.ts';

/** Takes a counter as a receiver does: marked when fresh. */
const take = (window: ReplayWindow, counter: number): boolean => {
  const isFresh = window.isFresh(counter);
  if (isFresh) window.mark(counter);
  return isFresh;
};

test('counters in order are fresh, each once', () => {
  const window = new ReplayWindow();
  for (let counter = 1; counter < 3 * WINDOW; counter++) {
    assert.ok(take(window, counter));
    assert.not(take(window, counter));
  }
});

test('a counter out of order is fresh within the window, and never below it', () => {
  const window = new ReplayWindow();
  const newest = 10 * WINDOW;
  assert.ok(take(window, newest));
  assert.ok(take(window, newest - WINDOW));
  assert.not(take(window, newest - WINDOW));
  assert.not(take(window, newest - WINDOW - 64));
  assert.not(take(window, 1));
});

test('a leap far ahead forgets nothing that could be fresh again', () => {
  const window = new ReplayWindow();
  assert.ok(take(window, 5));
  assert.ok(take(window, 2 ** 52));
  assert.not(take(window, 5));
  assert.ok(take(window, 2 ** 52 - 31));
  assert.not(take(window, 2 ** 52));
});

test('asking changes nothing', () => {
  const window = new ReplayWindow();
  assert.ok(window.isFresh(9) && window.isFresh(9));
  window.mark(9);
  assert.not(window.isFresh(9));
});

test('property: no counter is taken twice, and none within the window is refused once', () => {
  const near = fc.integer({ min: 1, max: 4 * WINDOW });
  const steps = fc.array(fc.oneof(near, fc.integer({ min: 1, max: 200 })), { maxLength: 400 });
  fc.assert(
    fc.property(steps, (counters) => {
      const window = new ReplayWindow();
      const taken = new Set<number>();
      let highest = 0;
      for (const counter of counters) {
        const isFresh = take(window, counter);
        if (taken.has(counter)) assert.not(isFresh, `${counter} was taken twice`);
        else if (highest - counter <= WINDOW) assert.ok(isFresh, `${counter} is near ${highest} and was refused`);
        if (isFresh) taken.add(counter);
        highest = Math.max(highest, counter);
      }
    }),
  );
});

test.run();
