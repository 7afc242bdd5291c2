/** The table's comparison of servers. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { besideFirst } from '../../bench/measure.ts';

test('each row is compared with the first: how many times as much that one has', () => {
  const rows = besideFirst([{ rate: 200 }, { rate: '100' }, { rate: 400 }], 'rate');
  assert.equal(
    rows.map((row) => row['the first to it']),
    ['1.00 x', '2.00 x', '0.50 x'],
  );
});

test.run();
