/** Overlays: what is pending is seen as if it stood. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeKey, type Key } from '../../store/key.ts';
import type { View } from '../../store/key-value.ts';
import { overlay } from '../../store/overlay.ts';

const octets = (text: string) => Buffer.from(text);
const empty: View = { get: () => undefined, range: () => [] };
const small = fc.tuple(fc.constantFrom('a', 'b'), fc.nat({ max: 6 }));
const write = fc.tuple(small, fc.option(fc.constantFrom('1', '2', '3')));

test('an overlay over an overlay is the same as one overlay with all writes', () => {
  const options = fc.record({ after: fc.option(small), limit: fc.option(fc.integer({ min: 1, max: 8 })) });
  fc.assert(
    fc.property(
      fc.array(write),
      fc.array(write),
      fc.constantFrom<Key>([], ['a'], ['b']),
      options,
      (first, then, prefix, o) => {
        const flat = overlay(empty);
        const base = overlay(empty);
        const top = overlay(base);
        const put = (to: typeof flat, writes: typeof first) => {
          for (const [key, value] of writes) value === null ? to.remove(key) : to.put(key, octets(value));
        };
        put(flat, [...first, ...then]);
        put(base, first);
        put(top, then);
        const range = { ...(o.after && { after: o.after }), ...(o.limit !== null && { limit: o.limit }) };
        assert.equal([...top.range(prefix, range)], [...flat.range(prefix, range)]);
        for (const [key] of [...first, ...then]) assert.equal(top.get(key), flat.get(key));
        const keys = [...top.range(prefix, range)].map((entry) => encodeKey(entry.key));
        assert.equal(keys, [...keys].sort(Buffer.compare));
      },
    ),
  );
});

test('what is removed above is not seen below it, and the base keeps it', () => {
  const base = overlay(empty);
  base.put(['a', 1], octets('x'));
  const top = overlay(base);
  top.remove(['a', 1]);
  assert.is(top.get(['a', 1]), undefined);
  assert.equal([...top.range(['a'])], []);
  assert.equal(base.get(['a', 1]), octets('x'));
});

test.run();
