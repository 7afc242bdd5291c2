/** An even pace, measured from when an operation was due. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pace } from '../../bench/paced.ts';

test('what holds up one operation holds up none that are due after it, and errors are counted apart', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const begun: number[] = [];
  let tellEnough = () => {};
  const enough = new Promise<void>((resolve) => (tellEnough = resolve));
  const paced = pace({
    perSecond: 1000,
    operation: async (number) => {
      begun.push(number);
      if (begun.length === 20) tellEnough();
      if (number === 0) await held;
      if (number === 1) throw new Error('the second');
    },
  });
  await enough;
  release();
  const measured = await paced.end();
  assert.equal(begun.slice(0, 20), [...Array(20).keys()]);
  assert.is(measured.errors, 1);
  assert.is(measured.firstError, 'Error: the second');
  assert.is(measured.operations, begun.length - 1);
});

test.run();
