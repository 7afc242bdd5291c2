/** Bitmaps of UIDs give what a walk over the messages would, also in the last block and at the edges of each. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FLAG } from '../../store/flags.ts';
import type { View } from '../../store/key-value.ts';
import { overlay } from '../../store/overlay.ts';
import { mailboxes, uidBits } from '../../store/tables.ts';
import {
  BLOCK_UIDS,
  bitsIn,
  blocksWith,
  countBits,
  editUidBits,
  firstWith,
  hasBit,
  PRESENT,
  rangesWith,
  uidsWith,
} from '../../store/uid-bits.ts';
import { rangesOf, uidsIn } from '../../store/uid-ranges.ts';

const empty: View = { get: () => undefined, range: () => [] };
const LARGEST = 2 ** 32 - 1;
const uid = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: BLOCK_UIDS - 3, max: BLOCK_UIDS + 4 }),
  fc.integer({ min: 5 * BLOCK_UIDS - 3, max: 5 * BLOCK_UIDS + 4 }),
  fc.constantFrom(LARGEST, LARGEST - 1, 2 ** 31, 2 ** 31 + 1),
);
const edit = fc.record({ uid, flags: fc.integer({ min: 0, max: 31 }), isGone: fc.boolean() });
const ascending = (a: number, b: number): number => a - b;

test('bitmaps say what a set of messages would', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(edit, { maxLength: 12 }), { maxLength: 4 }),
      fc.integer({ min: 0, max: 31 }),
      fc.integer({ min: 0, max: 31 }),
      fc.array(uid, { maxLength: 20 }),
      (rounds, set, unset, asked) => {
        const to = overlay(empty);
        const model = new Map<number, number>();
        for (const edits of rounds) {
          const bits = editUidBits(to, 'joe', 3);
          for (const each of edits) {
            if (each.isGone) model.delete(each.uid);
            else model.set(each.uid, each.flags);
            for (const flag of [PRESENT, ...Object.values(FLAG)]) {
              const isSet = !each.isGone && (flag === PRESENT || (each.flags & flag) !== 0);
              if (isSet) bits.set(flag, each.uid);
              else bits.clear(flag, each.uid);
            }
          }
          bits.write();
        }
        const expected = [...model]
          .filter(([, flags]) => (flags & set) === set && (flags & unset) === 0)
          .map(([each]) => each)
          .sort(ascending);
        assert.equal([...uidsWith(to, 'joe', 3, { set, unset })], expected);
        assert.equal(rangesWith(to, 'joe', 3, { set, unset }), rangesOf(expected));
        const within = rangesOf([...new Set(asked)].sort(ascending));
        assert.equal(
          [...uidsIn(rangesWith(to, 'joe', 3, { set, unset }, within))],
          expected.filter((each) => asked.includes(each)),
        );
        assert.equal(firstWith(to, 'joe', 3, 2, { set, unset }), expected.slice(0, 2));
        for (const each of asked) assert.is(hasBit(to, 'joe', 3, each), model.has(each));
        assert.equal([...uidsWith(to, 'joe', 2)], []);
        assert.equal([...uidsWith(to, 'joe', 30)], []);
        for (const { row } of uidBits.range(to, [])) assert.ok(row.length > 0 && row.at(-1) !== 0);
        if (model.size === 0) assert.equal(Array.from(uidBits.range(to, [])), []);
      },
    ),
  );
});

test('blocks can be asked for from one on, and counted', () => {
  const to = overlay(empty);
  const bits = editUidBits(to, 'joe', 1);
  for (const each of [1, 2, 4096, 4097, 9000]) bits.set(PRESENT, each);
  bits.write();
  const blocks = [...blocksWith(to, 'joe', 1)];
  assert.equal(
    blocks.map(({ block, bits: of }) => [block, of.length, countBits(of), [...bitsIn(of)]]),
    [
      [0, 512, 3, [0, 1, 4095]],
      [1, 1, 1, [0]],
      [2, 101, 1, [807]],
    ],
  );
  assert.equal(
    [...blocksWith(to, 'joe', 1, {}, 1)].map(({ block }) => block),
    [2],
  );
});

test('bitmaps beside the rows of mailboxes are neither found among them, nor they among bitmaps', () => {
  const to = overlay(empty);
  const row = { name: 'x', uidValidity: 1, uidNext: 1, modSeq: 1, messages: 0, octets: 0, unseen: 0, deleted: 0 };
  const rest = { deletedOctets: 0, recentFrom: 1, vanishedFrom: 1, vanishedRanges: 0, vanishedLast: null };
  for (const mailbox of [1, 2, 3]) {
    mailboxes.put(to, ['joe', mailbox], { ...row, ...rest });
    const bits = editUidBits(to, 'joe', mailbox);
    bits.set(PRESENT, 5);
    bits.set(FLAG.seen, 5);
    bits.write();
  }
  assert.equal(
    [...mailboxes.range(to, ['joe'])].map(({ key }) => key),
    [
      ['joe', 1],
      ['joe', 2],
      ['joe', 3],
    ],
  );
  assert.equal(
    [...mailboxes.range(to, [], { after: ['joe', 1], limit: 1 })].map(({ key }) => key),
    [['joe', 2]],
  );
  assert.is([...uidBits.range(to, [])].length, 6);
  assert.is([...uidBits.range(to, ['joe', 2])].length, 2);
});

test.run();
