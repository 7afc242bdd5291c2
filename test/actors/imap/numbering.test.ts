/** Sequence numbers against a plain list of UIDs. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { countOf, Numbering, slicesOf, uidsOfBlocks } from '../../../actors/imap/numbering.ts';
import { includes, rangesOf } from '../../../store/uid-ranges.ts';

const numbering = (...uids: number[]) => new Numbering(Uint32Array.from(uids));

test('a sequence set means what it means whatever its order, and * is the last', () => {
  const numbers = numbering(3, 5, 8, 13, 21);
  assert.equal(
    numbers.bySequence([
      { from: '*', to: 4 },
      { from: 2, to: 1 },
      { from: 2, to: 2 },
    ]),
    [
      [1, 2],
      [4, 5],
    ],
  );
  assert.equal(numbers.byUid([{ from: 4, to: 8 }]), [[2, 3]]);
  assert.equal(numbers.byUid([{ from: 559, to: '*' }]), [[5, 5]], 'RFC 9051 §6.4.9: the last one at least');
});

test('a number that no message has is an error, a UID is not (RFC 9051 §9 seq-number, §6.4.9)', () => {
  assert.is(numbering(3, 5).bySequence([{ from: 1, to: 3 }]), undefined);
  assert.is(numbering().bySequence([{ from: '*', to: '*' }]), undefined);
  assert.equal(numbering(3, 5).byUid([{ from: 6, to: 9 }]), []);
  assert.equal(numbering().byUid([{ from: 1, to: '*' }]), []);
});

test('messages come above all others', () => {
  const numbers = numbering(4);
  assert.throws(() => numbers.append([4]), /comes after/);
  numbers.append([5, 9]);
  assert.equal([...numbers.uidsOf(numbers.all())], [4, 5, 9]);
});

const someUids = fc
  .uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 })
  .map((uids) => uids.sort((a, b) => a - b));

test('removing and adding is as in a list of UIDs', () => {
  fc.assert(
    fc.property(someUids, fc.array(someUids, { maxLength: 4 }), (uids, removals) => {
      const numbers = numbering(...uids);
      let model = uids;
      for (const [round, removed] of removals.entries()) {
        const ranges = rangesOf(removed);
        const had = model.flatMap((uid, index) => (includes(ranges, uid) ? [index + 1] : []));
        assert.equal(
          numbers.remove(ranges).flatMap(([from, to]) => list(from, to)),
          had,
        );
        model = model.filter((uid) => !includes(ranges, uid));
        numbers.append([100 + round]);
        model = [...model, 100 + round];
        assert.is(numbers.count, model.length);
        assert.equal([...numbers.uidsOf(numbers.all())], model);
        for (const [index, uid] of model.entries()) {
          assert.is(numbers.sequence(uid), index + 1);
          assert.is(numbers.uid(index + 1), uid);
        }
      }
    }),
  );
});

test('spans, runs and gaps tell the same messages', () => {
  fc.assert(
    fc.property(someUids, someUids, (uids, chosen) => {
      const numbers = numbering(...uids);
      const named = numbers.among(rangesOf(chosen));
      const wanted = uids.filter((uid) => chosen.includes(uid));
      assert.equal([...numbers.uidsOf(named)], wanted);
      assert.equal(numbers.runs(named), rangesOf(wanted));
      assert.equal(
        uids.filter((uid) => includes(numbers.spans(named), uid)),
        wanted,
      );
      const gaps = numbers.gaps();
      for (let uid = 1; uid <= 61; uid++) assert.is(includes(gaps, uid), !uids.includes(uid));
      assert.equal(
        [...slicesOf(named, 3)].flat().reduce((sum, each) => sum + countOf([each]), 0),
        wanted.length,
      );
      for (const slice of slicesOf(named, 3)) assert.ok(countOf(slice) <= 3);
    }),
  );
});

test('bitmaps become UIDs', () => {
  const bits = new Uint8Array(512);
  bits[0] = 0b1000_0001;
  bits[511] = 0b1000_0000;
  assert.equal(
    [
      ...uidsOfBlocks([
        { block: 0, bits },
        { block: 2, bits },
      ]),
    ],
    [1, 8, 4096, 8193, 8200, 12288],
  );
});

test('100,000 messages take 400 kB, and as many go in one pass', () => {
  const uids = Uint32Array.from({ length: 100_000 }, (_, index) => 2 * index + 1);
  const numbers = new Numbering(uids);
  const removed = numbers.remove(rangesOf([...uids].filter((_, index) => index % 3 > 0)));
  assert.is(numbers.count, 33_334);
  assert.is(countOf(removed), 66_666);
  assert.is(numbers.sequence(7), 2);
});

const list = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test.run();
