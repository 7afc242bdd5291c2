/** What a mirror follows, refuses and finds lost; and the order of records that decides it. */

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryEntryStore } from '../../../cluster/directory/memory-entry-store.ts';
import { createMirror } from '../../../cluster/directory/mirror.ts';
import {
  compareRecords,
  decodeRecord,
  encodeRecord,
  keys,
  type StoredRecord,
} from '../../../cluster/directory/records.ts';
import { sealWith } from '../../../cluster/directory/seal.ts';
import { silentLog } from '../../../telemetry/log.ts';

const test = suite('mirror');
const seal = sealWith(new Uint8Array(32).fill(1));
const A = keys.account('a@example.test');
const B = keys.account('b@example.test');

const record = (version: number, by = 'op', at = 0): StoredRecord => ({
  version,
  at,
  by,
  after: 0,
  value: { version, by },
});
const entry = (key: string, revision: number, of: StoredRecord | undefined) => ({
  key,
  revision,
  value: of && encodeRecord(seal, key, of),
});

function mirror() {
  const made = createMirror(memoryEntryStore('data'), seal, silentLog);
  made.begin(0);
  return made;
}

test('a record that rises is followed; one that does not is refused and listed as broken', () => {
  const m = mirror();
  assert.is(m.deliver(entry(A, 1, record(1))), 'followed');
  assert.is(m.deliver(entry(A, 2, record(3))), 'followed');
  assert.is(m.deliver(entry(A, 3, record(2))), 'refused');
  assert.is(m.get(A)?.record.version, 3);
  assert.equal([...m.broken()], [[A, 3]]);
  assert.is(m.deliver(entry(A, 4, record(3))), 'same');
  assert.equal([...m.broken()], []);
  assert.is(m.get(A)?.revision, 4);
});

test('a raw delete, garbage, and another key’s record are refused; unknown keys with them are ignored', () => {
  const m = mirror();
  m.deliver(entry(A, 1, record(1)));
  assert.is(m.deliver(entry(A, 2, undefined)), 'refused');
  assert.is(m.deliver({ key: A, revision: 3, value: Uint8Array.of(1, 2, 3) }), 'refused');
  assert.is(m.deliver({ key: A, revision: 4, value: encodeRecord(seal, B, record(9)) }), 'refused');
  assert.is(m.deliver({ key: B, revision: 5, value: encodeRecord(seal, A, record(9)) }), 'ignored');
  assert.is(m.get(A)?.record.version, 1);
  assert.is(m.get(B), undefined);
});

test('a revision that does not rise within one watch is a bucket that went back', () => {
  const m = mirror();
  m.deliver(entry(A, 5, record(1)));
  assert.is(m.deliver(entry(B, 5, record(1))), 'went-back');
  assert.is(m.deliver(entry(B, 4, record(1))), 'went-back');
  assert.is(m.get(B), undefined);
});

test('what is held above the beginning of a watch and was not told, is lost; what is below was proven', () => {
  const m = mirror();
  m.deliver(entry(A, 1, record(1)));
  m.deliver(entry(B, 2, record(1)));
  m.caughtUp();
  m.begin(1);
  m.caughtUp();
  assert.equal([...m.broken()], [[B, 0]]);
  m.begin(2);
  m.caughtUp();
  assert.equal([...m.broken()], []);
});

test('what this node wrote while a watch catches up is not taken for lost', () => {
  const m = mirror();
  m.deliver(entry(A, 1, record(1)));
  m.caughtUp();
  m.begin(1);
  m.writeThrough({ key: A, revision: 9, record: record(2) }, encodeRecord(seal, A, record(2)), 1);
  m.caughtUp();
  assert.equal([...m.broken()], []);
  assert.is(m.get(A)?.record.version, 2);
});

test('a write of this node is not taken over a newer one that came first', () => {
  const m = mirror();
  m.deliver(entry(A, 1, record(1)));
  m.deliver(entry(A, 3, record(3)));
  m.writeThrough({ key: A, revision: 2, record: record(2) }, encodeRecord(seal, A, record(2)), 1);
  m.writeThrough({ key: A, revision: 4, record: record(2) }, encodeRecord(seal, A, record(2)), 3);
  assert.is(m.get(A)?.record.version, 3);
});

test('of two histories with one version all mirrors choose the later by its clock, in whatever order they come', () => {
  const one = record(2, 'one', 10);
  const other = record(2, 'other', 20);
  for (const order of [
    [one, other],
    [other, one],
  ]) {
    const m = mirror();
    for (const [i, each] of order.entries()) m.deliver(entry(A, i + 1, each));
    assert.is(m.get(A)?.record.by, 'other');
  }
});

const records = fc.record(
  {
    version: fc.integer({ min: 0, max: 5 }),
    at: fc.integer({ min: 0, max: 3 }),
    by: fc.constantFrom('a', 'b', 'c'),
    after: fc.nat(9),
  },
  { noNullPrototype: true },
);

test('records of a key are totally ordered', () => {
  fc.assert(
    fc.property(records, records, records, (a, b, c) => {
      assert.is(Math.sign(compareRecords(a, b)), -Math.sign(compareRecords(b, a)) + 0);
      if (compareRecords(a, b) <= 0 && compareRecords(b, c) <= 0) assert.ok(compareRecords(a, c) <= 0);
    }),
  );
});

test('in whatever order a mirror hears records, it ends with the highest', () => {
  fc.assert(
    fc.property(fc.array(records, { minLength: 1 }), (all) => {
      const m = mirror();
      for (const [i, each] of all.entries()) m.deliver(entry(A, i + 1, each));
      const highest = all.reduce((a, b) => (compareRecords(a, b) >= 0 ? a : b));
      assert.is(compareRecords(m.get(A)!.record, highest), 0);
    }),
  );
});

test('a record opens as it was sealed; octets of any kind open to nothing and throw nothing', () => {
  fc.assert(
    fc.property(records, fc.uint8Array({ maxLength: 200 }), (of, octets) => {
      assert.equal(decodeRecord(seal, A, encodeRecord(seal, A, of)), of);
      assert.is(decodeRecord(seal, A, octets), undefined);
      assert.is(decodeRecord(seal, A, seal.seal(A, octets)), undefined);
    }),
  );
});

test.run();
