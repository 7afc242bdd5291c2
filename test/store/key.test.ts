/** Keys: order, prefixes and octets. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { afterPrefix, decodeKey, encodeKey, justAfter, type Key } from '../../store/key.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const part = fc.oneof(text, fc.constantFrom('', '\0', '\0\u00ff', 'a\0b', 'ÿ'), fc.nat(), fc.nat({ max: 2 ** 47 }));
const key = fc.array(part, { maxLength: 4 });

/** The order that the octets must keep: part by part, text below numbers, UTF-8 order among texts. */
function order(a: Key, b: Key): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const [x, y] = [a[at]!, b[at]!];
    if (typeof x !== typeof y) return typeof x === 'string' ? -1 : 1;
    const sign = typeof x === 'number' ? x - (y as number) : Buffer.compare(Buffer.from(x), Buffer.from(y as string));
    if (sign !== 0) return Math.sign(sign);
  }
  return Math.sign(a.length - b.length);
}

test('a key decoded is the key that was encoded', () => {
  fc.assert(fc.property(key, (k) => assert.equal(decodeKey(encodeKey(k)), k)));
});

test('octets are ordered as the tuples are', () => {
  fc.assert(
    fc.property(key, key, (a, b) => assert.is(Math.sign(Buffer.compare(encodeKey(a), encodeKey(b))), order(a, b))),
  );
});

test('exactly the keys below a prefix lie in its range', () => {
  fc.assert(
    fc.property(key, key, (prefix, k) => {
      const [low, octets] = [encodeKey(prefix), encodeKey(k)];
      const isInside = Buffer.compare(octets, low) >= 0 && Buffer.compare(octets, afterPrefix(low)) < 0;
      const isBelow = prefix.every((each, at) => k[at] === each);
      assert.is(isInside, isBelow);
    }),
  );
});

test('nothing lies between a key and what is just after it', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const [octets, other] = [encodeKey(a), encodeKey(b)];
      assert.is(Buffer.compare(other, octets) > 0, Buffer.compare(other, justAfter(octets)) >= 0);
    }),
  );
});

test('what is no whole number, or too long, is no key', () => {
  for (const wrong of [-1, 1.5, Number.NaN, 2 ** 48]) assert.throws(() => encodeKey([wrong]), /not a key number/);
  assert.throws(() => encodeKey(['x'.repeat(2000)]), /a key of 2002 octets/);
});

test.run();
