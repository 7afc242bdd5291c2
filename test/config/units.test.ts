/** Durations and sizes: spellings, limits, round trip. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { durationMs, printDuration, printSize, sizeOctets } from '../../config/units.ts';

test('a duration has one unit, or is whole seconds', () => {
  assert.is(durationMs('500ms'), 500);
  assert.is(durationMs('30s'), 30_000);
  assert.is(durationMs('10m'), 600_000);
  assert.is(durationMs('2h'), 7_200_000);
  assert.is(durationMs('1d'), 86_400_000);
  assert.is(durationMs(3), 3000);
  assert.is(durationMs(0), 0);
});

test('a size is in powers of 1000 or of 1024, or is whole octets', () => {
  assert.is(sizeOctets('500kB'), 500_000);
  assert.is(sizeOctets('64KiB'), 65_536);
  assert.is(sizeOctets('50MiB'), 52_428_800);
  assert.is(sizeOctets('1GB'), 1_000_000_000);
  assert.is(sizeOctets('1GiB'), 1_073_741_824);
  assert.is(sizeOctets('7B'), 7);
  assert.is(sizeOctets(1000), 1000);
});

for (const wrong of [
  '',
  '10',
  's',
  '1.5s',
  '-1s',
  '1 s',
  '1S',
  '1m30s',
  ' 1s',
  '1s\n',
  '9999999999999s',
  '999999999999d',
  '1w',
])
  test(`${JSON.stringify(wrong)} is no duration`, () => assert.is(durationMs(wrong), undefined));

for (const wrong of ['', '10', 'MiB', '1.5MiB', '-1B', '1 MiB', '1mib', '1TiB', '1MiB\n', '9999999999999999B'])
  test(`${JSON.stringify(wrong)} is no size`, () => assert.is(sizeOctets(wrong), undefined));

test('numbers that are not whole, not positive or not exact are neither', () => {
  for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
    assert.is(durationMs(wrong), undefined);
    assert.is(sizeOctets(wrong), undefined);
  }
});

test('what is printed reads as the same value again', () => {
  fc.assert(
    fc.property(fc.nat(), (value) => {
      assert.is(durationMs(printDuration(value)), value);
      assert.is(sizeOctets(printSize(value)), value);
    }),
  );
  assert.is(printDuration(600_000), '10m');
  assert.is(printSize(104_857_600), '100MiB');
});

test('no text makes them throw', () => {
  fc.assert(fc.property(fc.string(), (text) => [durationMs(text), sizeOctets(text)].length === 2));
});

test.run();
