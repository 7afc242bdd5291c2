/** Sequence sets: read, printed, and resolved against numbers that are there. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  countIn,
  isIn,
  parseSequenceSet,
  printSequenceSet,
  type Range,
  rangesOf,
  type Span,
  sequenceSpans,
  spansOf,
  uidSpans,
} from '../../../protocols/imap/sequence-set.ts';

const range = (from: number | '*', to: number | '*' = from): Range => ({ from, to });
const ranges = (text: string): readonly Range[] => {
  const set = parseSequenceSet(text);
  if (set === undefined || set === '$') throw new Error(`${text} is no list of ranges`);
  return set;
};
const numbersIn = (spans: readonly Span[]): number[] =>
  spans.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));

test('RFC 9051 §9: a set is numbers and ranges in either order, with a star for the last', () => {
  assert.equal(parseSequenceSet('2,4:7,9,12:*'), [range(2), range(4, 7), range(9), range(12, '*')]);
  assert.equal(parseSequenceSet('*:4,5:7'), [range('*', 4), range(5, 7)]);
  assert.equal(parseSequenceSet('*'), [range('*')]);
  assert.equal(parseSequenceSet('4294967295'), [range(4_294_967_295)]);
  assert.is(parseSequenceSet('$'), '$'); // RFC 5182 §2
});

test('what is no set is none', () => {
  const none = [
    '',
    ',',
    '1,',
    ',1',
    '1,,2',
    '0',
    '01',
    '1:',
    ':1',
    '1:2:3',
    '4294967296',
    '-1',
    '1 ',
    ' 1',
    '1;2',
    '**',
    '1*',
    '$,1',
    '1,$',
    '1:0',
    'a',
  ];
  for (const text of none) assert.is(parseSequenceSet(text), undefined, text);
  assert.is(parseSequenceSet(Array.from({ length: 100_001 }, () => '1').join()), undefined);
});

test("RFC 9051 §9: the text's own examples", () => {
  assert.equal(numbersIn(spansOf(ranges('2,4:7,9,12:*'), 15)), [2, 4, 5, 6, 7, 9, 12, 13, 14, 15]);
  assert.equal(numbersIn(spansOf(ranges('*:4,5:7'), 10)), [4, 5, 6, 7, 8, 9, 10]);
  assert.equal(numbersIn(spansOf(ranges('4:2'), 10)), [2, 3, 4]);
});

test('RFC 9051 §9: 3291:* is the last UID even where that is less, and nothing where there is none', () => {
  assert.equal(uidSpans(ranges('3291:*'), [5, 300]), [{ first: 2, last: 2 }]);
  assert.equal(uidSpans(ranges('3291:*'), []), []);
  assert.equal(uidSpans(ranges('*'), []), []);
});

test('RFC 9051 §9: a sequence number that no message has is refused, a UID that none has is passed over', () => {
  assert.equal(sequenceSpans(ranges('1:3'), 3), { ok: true, value: [{ first: 1, last: 3 }] });
  for (const text of ['4', '1,4', '2:4', '4:*'])
    assert.equal(sequenceSpans(ranges(text), 3), { ok: false, refusal: 'no-such-message' }, text);
  for (const text of ['*', '1:*', '1']) assert.is(sequenceSpans(ranges(text), 0).ok, false, text);
  assert.equal(uidSpans(ranges('1,7,9:20,30'), [7, 8, 15, 20, 21]), [
    { first: 1, last: 1 },
    { first: 3, last: 4 },
  ]);
});

test('runs that rise by one are ranges, in the order given', () => {
  assert.is(printSequenceSet(rangesOf([3, 4, 5, 9, 1, 2, 2])), '3:5,9,1:2,2');
  assert.is(printSequenceSet(rangesOf([])), '');
  assert.is(printSequenceSet('$'), '$');
  assert.is(printSequenceSet([range(5, '*'), range('*')]), '5:*,*');
});

const end = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant('*' as const));
const anySet = fc.array(fc.record({ from: end, to: end }, { noNullPrototype: true }), { minLength: 1, maxLength: 12 });
const anyUids = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 30 }).map((u) => u.sort((a, b) => a - b));

test('what is printed parses back', () => {
  fc.assert(fc.property(anySet, (set) => assert.equal(parseSequenceSet(printSequenceSet(set)), set)));
});

test('spans rise, with a gap between any two, and hold just what the ranges do', () => {
  const holds = (set: readonly Range[], number: number, largest: number) =>
    set.some(({ from, to }) => {
      const [a, b] = [from === '*' ? largest : from, to === '*' ? largest : to];
      return Math.min(a, b) <= number && number <= Math.max(a, b);
    });
  fc.assert(
    fc.property(anySet, fc.integer({ min: 1, max: 60 }), (set, largest) => {
      const spans = spansOf(set, largest);
      for (let i = 1; i < spans.length; i += 1) assert.ok(spans[i]!.first > spans[i - 1]!.last + 1);
      for (let number = 1; number <= 61; number += 1) {
        assert.is(isIn(spans, number), holds(set, number, largest), `${number}`);
      }
      assert.is(countIn(spans), numbersIn(spans).length);
    }),
  );
});

test('UIDs resolve to the places of just those that are there', () => {
  fc.assert(
    fc.property(anySet, anyUids, (set, uids) => {
      const largest = uids.at(-1) ?? 0;
      const wanted = new Set(numbersIn(spansOf(set, largest)));
      const expected = uids.flatMap((uid, i) => (wanted.has(uid) ? [i + 1] : []));
      assert.equal(numbersIn(uidSpans(set, Uint32Array.from(uids))), expected);
    }),
  );
});

test('attack: random text never throws', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789*:,$ a'), maxLength: 30 });
  fc.assert(
    fc.property(text, (t) => {
      const set = parseSequenceSet(t);
      if (set !== undefined) assert.is(parseSequenceSet(printSequenceSet(set)) === undefined, false);
    }),
  );
});

test('attack: a huge set against a huge mailbox, and 1:4294967295 many times over', () => {
  const uids = Uint32Array.from({ length: 1_000_000 }, (_, i) => 2 * i + 1);
  const backwards = Array.from({ length: 32_000 }, (_, i) => range(2_000_000 - 60 * i));
  assert.is(countIn(uidSpans(backwards, uids)), 0);
  assert.is(
    countIn(
      uidSpans(
        backwards.map(({ from }) => range(Number(from) - 1)),
        uids,
      ),
    ),
    32_000,
  );
  assert.is(
    countIn(
      uidSpans(
        Array.from({ length: 32_000 }, () => range(1, 4_294_967_295)),
        uids,
      ),
    ),
    1_000_000,
  );
  assert.is(spansOf([range(1, '*'), range('*', 1)], 4_294_967_295).length, 1);
});

test.run();
