/** Line feeds without a carriage return: RFC 5321 §2.3.8. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BareLf } from '../../../protocols/wire/bare-lf.ts';
import { cut, oneByOne, someCuts, textOf, wireOctets } from '../../properties/cuts.ts';

const seen = (chunks: readonly Uint8Array[]): boolean => {
  const watch = new BareLf();
  for (const chunk of chunks) watch.pass(chunk);
  return watch.wasSeen;
};

test('a line feed is bare unless the octet before it, in whatever chunk, is a carriage return', () =>
  fc.assert(
    fc.property(wireOctets(60), someCuts, (octets, cuts) => {
      const expected = /(^|[^\r])\n/.test(textOf(octets));
      assert.is(seen([octets]), expected);
      assert.is(seen(cut(octets, cuts)), expected);
      assert.is(seen(oneByOne(octets)), expected);
    }),
    { numRuns: 1000, seed: 1 },
  ));

test('an empty chunk changes nothing', () =>
  assert.not(seen([Uint8Array.of(0x0d), new Uint8Array(0), Uint8Array.of(0x0a)])));

test.run();
