/** The walk over some messages of a mailbox finds what asking for each would. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { View } from '../../store/key-value.ts';
import { overlay } from '../../store/overlay.ts';
import { messages, messagesAmong, unpackMessage } from '../../store/tables.ts';

const empty: View = { get: () => undefined, range: () => [] };
const uidSet = (max: number) => fc.uniqueArray(fc.integer({ min: 1, max }), { maxLength: 30 });

test('messages among some UIDs are those that are there, close together or far apart', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(30, 2000).chain((max) => fc.tuple(uidSet(max), uidSet(max))),
      ([there, asked]) => {
        const view = overlay(empty);
        for (const mailbox of [1, 2, 3]) {
          for (const uid of there) {
            const trace = Buffer.from(`${mailbox}`);
            const flags = { flags: 0, saveDate: 0, emailId: uid };
            const row = { modSeq: 1, sequence: uid, internalDate: 0, sizeOctets: 9, trace, blob: 'b', ...flags };
            messages.put(view, ['joe', mailbox, uid], row);
          }
        }
        const uids = asked.sort((a, b) => a - b);
        const found = [...messagesAmong(view, 'joe', 2, uids)];
        const expected = uids.filter((uid) => there.includes(uid));
        assert.equal(
          found.map(({ uid, packed }) => [uid, unpackMessage(packed).sequence, String(unpackMessage(packed).trace)]),
          expected.map((uid) => [uid, uid, '2']),
        );
      },
    ),
  );
});

test.run();
