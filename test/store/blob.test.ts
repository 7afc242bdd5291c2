/** Bodies: cut anywhere, read from anywhere, they are the same octets. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { apply } from '../../store/apply.ts';
import { CHUNK_OCTETS, chunkCount, cut, MAX_READ_OCTETS, readMessage, sha256 } from '../../store/blob.ts';
import type { View } from '../../store/key-value.ts';
import { overlay } from '../../store/overlay.ts';
import { chunks, messages } from '../../store/tables.ts';
import { delivery } from './store-contract.ts';

const empty: View = { get: () => undefined, range: () => [] };
const TRACE_OCTETS = 17; // what store-contract's delivery prepends

const size = fc.oneof(
  fc.nat({ max: 40 }),
  fc.integer({ min: CHUNK_OCTETS - 20, max: CHUNK_OCTETS + 20 }),
  fc.integer({ min: 2 * CHUNK_OCTETS - 20, max: 2 * CHUNK_OCTETS + 20 }),
);

test('a body is cut into full chunks and a last one', () => {
  fc.assert(
    fc.property(size, (octets) => {
      const pieces = cut(Buffer.alloc(octets, 1));
      assert.is(pieces.length, chunkCount(octets));
      assert.ok(pieces.slice(0, -1).every((piece) => piece.length === CHUNK_OCTETS));
      assert.is(Buffer.concat(pieces).length, octets);
    }),
  );
});

test('reads from any octet give the message from there on, in pieces that a stream may carry', () => {
  fc.assert(
    fc.property(size, fc.double({ min: 0, max: 1, noNaN: true }), (octets, where) => {
      const body = Buffer.alloc(octets);
      for (let at = 0; at < octets; at += 7) body[at] = at & 0xff;
      const view = overlay(empty);
      for (const change of delivery('joe', body)) apply(view, change);
      const row = messages.get(view, 'joe', 1, 1)!;
      const whole = Buffer.concat([row.trace, body]);
      const from = Math.floor(where * whole.length);
      const pieces: Uint8Array[] = [];
      for (let at = from; at < whole.length; at += pieces.at(-1)!.length) {
        const piece = readMessage(view, row, at)!;
        assert.ok(piece.length > 0 && piece.length <= MAX_READ_OCTETS);
        pieces.push(piece);
      }
      assert.ok(Buffer.concat(pieces).equals(whole.subarray(from)));
      assert.is(readMessage(view, row, whole.length)!.length, 0);
    }),
    { numRuns: 60 },
  );
});

test('a message whose body lacks a chunk is not read short', () => {
  const view = overlay(empty);
  for (const change of delivery('joe', Buffer.alloc(2 * CHUNK_OCTETS, 'x'))) apply(view, change);
  const row = messages.get(view, 'joe', 1, 1)!;
  chunks.remove(view, 1, 1);
  assert.ok(readMessage(view, row, 0));
  assert.is(readMessage(view, row, CHUNK_OCTETS + TRACE_OCTETS), undefined);
});

test('the name of a body is its SHA-256', () => {
  assert.is(sha256(Buffer.from('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test.run();
