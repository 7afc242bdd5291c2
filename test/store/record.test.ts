/** Journal records: the chain, and what comes back from the wire. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change } from '../../store/change.ts';
import { encode } from '../../store/codec.ts';
import { decodeRecord, encodeRecord, misfit, NOTHING_APPLIED, seal } from '../../store/record.ts';

const changes: Change[] = [
  { type: 'EpochBegan' },
  { type: 'BlobStored', sha256: 'ab', body: 1, sizeOctets: 3, chunks: [Buffer.from('abc')] },
  { type: 'SessionAnswered', session: 's', counter: 2 ** 40, answer: [{ ok: true, value: { uid: 1, sequence: 1 } }] },
];

test('a record decoded is the record that was sealed', () => {
  const record = seal(NOTHING_APPLIED, 3, changes);
  const decoded = decodeRecord(encodeRecord(record));
  assert.ok(decoded.ok);
  assert.equal(decoded.value.changes, changes);
  assert.equal(encodeRecord(decoded.value), encodeRecord(record));
  assert.is(misfit(NOTHING_APPLIED, decoded.value), undefined);
});

test('a record follows only the one it was sealed upon, in its epoch or a later one', () => {
  const first = seal(NOTHING_APPLIED, 3, changes);
  const second = seal(first, 3, []);
  assert.is(misfit(first, second), undefined);
  assert.match(String(misfit(NOTHING_APPLIED, second)), /does not follow/);
  assert.match(String(misfit(seal(NOTHING_APPLIED, 3, []), second)), /follows another/);
  assert.match(String(misfit(first, seal(first, 2, []))), /epoch 2/);
});

test('a record with any octet changed is refused', () => {
  const sent = encodeRecord(seal(NOTHING_APPLIED, 3, changes));
  for (let at = 0; at < sent.length; at++) {
    const spoilt = Buffer.from(sent);
    spoilt[at]! ^= 1;
    const decoded = decodeRecord(spoilt);
    assert.not.ok(decoded.ok, `octet ${at}`);
  }
});

test('no octets make the decoder throw', () => {
  fc.assert(fc.property(fc.uint8Array(), (octets) => assert.not.ok(decodeRecord(octets).ok)));
  fc.assert(fc.property(fc.anything(), (value) => assert.not.ok(decodeRecord(encode([1, value, value])).ok)));
});

test('a record of a newer format is named as such', () => {
  assert.equal(decodeRecord(encode([99])), { ok: false, refusal: 'newer-format' });
});

test.run();
