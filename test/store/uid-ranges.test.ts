/** Ranges of UIDs do what sets of UIDs would. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  countIn,
  includes,
  intersected,
  piecesOf,
  rangesOf,
  type UidRange,
  uidsIn,
  united,
} from '../../store/uid-ranges.ts';

const uids = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 }).map((all) => all.sort((a, b) => a - b));
const uid = fc.integer({ min: 1, max: 60 });

const mustBeRanges = (ranges: Iterable<UidRange>) => {
  let last = -1;
  for (const [from, to] of ranges) {
    assert.ok(from > last + 1 && to >= from, 'ascending, and neither overlapping nor touching');
    last = to;
  }
};

test('ranges hold the UIDs that they were made of', () => {
  fc.assert(
    fc.property(uids, uid, (all, one) => {
      const ranges = rangesOf(all);
      mustBeRanges(ranges);
      assert.equal([...uidsIn(ranges)], all);
      assert.is(countIn(ranges), all.length);
      assert.is(includes(ranges, one), all.includes(one));
    }),
  );
});

test('what is in both, and what is in either', () => {
  fc.assert(
    fc.property(uids, uids, (left, right) => {
      const both = intersected(rangesOf(left), rangesOf(right));
      mustBeRanges(both);
      assert.equal(
        [...uidsIn(both)],
        left.filter((each) => right.includes(each)),
      );
      const either = united([...rangesOf(right), ...rangesOf(left)]);
      mustBeRanges(either);
      assert.equal([...uidsIn(either)], [...uidsIn(rangesOf([...new Set([...left, ...right])].sort((a, b) => a - b)))]);
    }),
  );
});

test('pieces have so many UIDs each, but for the last', () => {
  fc.assert(
    fc.property(uids, fc.integer({ min: 1, max: 20 }), (all, most) => {
      const pieces = [...piecesOf(rangesOf(all), most)];
      assert.equal(
        pieces.flatMap((piece) => [...uidsIn(piece)]),
        all,
      );
      assert.ok(pieces.slice(0, -1).every((piece) => countIn(piece) === most));
      assert.ok(pieces.every((piece) => countIn(piece) > 0));
    }),
  );
});

test('all that a UID can be is one range, and counted without a walk', () => {
  const all: UidRange[] = [[1, 2 ** 32 - 1]];
  assert.is(countIn(all), 2 ** 32 - 1);
  assert.equal(intersected(all, [[7, 9]]), [[7, 9]]);
  const [first] = piecesOf(all, 5);
  assert.equal(first, [[1, 5]]);
});

test.run();
