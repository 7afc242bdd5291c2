/** The POP3 maildrop: numbering, marks, totals, compactness. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  emptyMaildrop,
  highest,
  isMarked,
  maildropOf,
  mark,
  markedUids,
  message,
  messages,
  uniqueId,
  unmarkAll,
} from '../../../actors/pop3/maildrop.ts';

const drop = maildropOf(7, [
  { uid: 11, sizeOctets: 120 },
  { uid: 13, sizeOctets: 200 },
]);

test('messages are numbered from 1 in the order of their UIDs', () => {
  assert.equal(
    [...messages(drop)],
    [
      { number: 1, uid: 11, sizeOctets: 120 },
      { number: 2, uid: 13, sizeOctets: 200 },
    ],
  );
  assert.is(message(drop, 0), undefined);
  assert.is(message(drop, 3), undefined);
  assert.is(highest(emptyMaildrop), 0);
});

test('a marked message is no longer there, and the maildrop it was marked in is as before', () => {
  const marked = mark(drop, 1);
  assert.is(message(marked, 1), undefined);
  assert.is(message(marked, 2)?.uid, 13);
  assert.equal([marked.count, marked.octets, markedUids(marked)], [1, 200, [11]]);
  assert.equal([drop.count, drop.octets, markedUids(drop)], [2, 320, []]);
  assert.equal(unmarkAll(marked), drop);
});

test('a unique-id is 1 to 70 printable characters and no two messages have the same (RFC 1939 §7)', () => {
  const largest = 2 ** 32 - 1;
  assert.is(uniqueId(drop, { uid: 11, sizeOctets: 0 }), '7.11');
  assert.match(uniqueId({ ...drop, uidValidity: largest }, { uid: largest, sizeOctets: 0 }), /^[\x21-\x7e]{1,70}$/);
});

test('a message of 4 GiB is refused, not listed with a wrong size', () => {
  assert.throws(() => maildropOf(7, [{ uid: 1, sizeOctets: 2 ** 32 }]), /4 GiB/);
  assert.is(maildropOf(7, [{ uid: 1, sizeOctets: 2 ** 32 - 1 }]).octets, 2 ** 32 - 1);
});

test('a hundred thousand messages take a megabyte at most, marks and all', () => {
  const many = maildropOf(
    7,
    Array.from({ length: 100_000 }, (_, index) => ({ uid: index + 1, sizeOctets: 2 ** 31 })),
  );
  let marked = many;
  for (let number = 1; number <= 100_000; number += 1000) marked = mark(marked, number);
  assert.ok(marked.uids.byteLength + marked.sizes.byteLength + marked.marks!.byteLength < 1024 * 1024);
  assert.is(many.octets, 100_000 * 2 ** 31);
  assert.is(marked.count, 99_900);
});

test('whatever is marked, counts and sizes are those of a plain list', () =>
  fc.assert(
    fc.property(
      fc.array(fc.nat(1_000_000), { maxLength: 50 }),
      fc.array(fc.integer({ min: 1, max: 50 })),
      (sizes, numbers) => {
        const entries = sizes.map((sizeOctets, index) => ({ uid: index * 3 + 1, sizeOctets }));
        const gone = new Set(numbers.filter((number) => number <= entries.length));
        let marked = maildropOf(1, entries);
        for (const number of gone) marked = mark(marked, number);
        const left = entries.filter((_, index) => !gone.has(index + 1));
        assert.is(marked.count, left.length);
        assert.is(
          marked.octets,
          left.reduce((sum, { sizeOctets }) => sum + sizeOctets, 0),
        );
        assert.equal(
          [...messages(marked)].map(({ uid }) => uid),
          left.map(({ uid }) => uid),
        );
        assert.equal(
          markedUids(marked),
          entries.filter((_, index) => gone.has(index + 1)).map(({ uid }) => uid),
        );
        for (const number of gone) assert.ok(isMarked(marked, number));
      },
    ),
  ));

test.run();
