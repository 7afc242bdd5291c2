/** What was found, octet for octet, by the examples of the RFCs named. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { NumberSet, Response, Thread } from '../../../protocols/imap/response.ts';
import { encoded } from './encoded.ts';

const says = (response: Response, line: string) => assert.is(encoded(response), `${line}\r\n`);
/** `3 [6 [4], [44]]` as nested arrays: a message, then its children; null for one that is not there. */
type Nested = readonly [number | null, ...Nested[]];
const thread = ([number, ...children]: Nested): Thread => ({ number, children: children.map(thread) });
const threads = (...all: Nested[]): Response => ({ type: 'THREAD', threads: all.map(thread) });

test('RFC 3501 §7.2.5, RFC 7162 §3.1.5: SEARCH, and with MODSEQ', () => {
  says({ type: 'SEARCH', numbers: [2, 3, 6] }, '* SEARCH 2 3 6');
  says({ type: 'SEARCH', numbers: [] }, '* SEARCH');
  says(
    { type: 'SEARCH', numbers: [2, 5, 6, 7, 11, 12, 18, 19, 20, 23], modSeq: 917162500 },
    '* SEARCH 2 5 6 7 11 12 18 19 20 23 (MODSEQ 917162500)',
  );
});

test('RFC 7162 §7: nothing found has no MODSEQ', () => {
  says({ type: 'SEARCH', numbers: [], modSeq: 5 }, '* SEARCH');
});

test('RFC 5256 §4: SORT', () => {
  says({ type: 'SORT', numbers: [5, 3, 4, 1, 2] }, '* SORT 5 3 4 1 2');
  says({ type: 'SORT', numbers: new Set([84]).values(), modSeq: 7 }, '* SORT 84 (MODSEQ 7)');
});

test('RFC 4731 §3, RFC 7162 §3.1.10: ESEARCH', () => {
  const esearch = (tag: string, found: object, uid = false) => ({ type: 'ESEARCH', tag, uid, ...found }) as Response;
  says(esearch('A282', { min: 2, count: 3 }), '* ESEARCH (TAG "A282") MIN 2 COUNT 3');
  says(esearch('A283', { all: [2, 10, 11] }), '* ESEARCH (TAG "A283") ALL 2,10:11');
  says(esearch('A285', { min: 7, max: 3800 }, true), '* ESEARCH (TAG "A285") UID MIN 7 MAX 3800');
  says(esearch('A286', { count: 15 }), '* ESEARCH (TAG "A286") COUNT 15');
  says(esearch('a3', { min: 2, max: 23, modSeq: 917162488 }), '* ESEARCH (TAG "a3") MIN 2 MAX 23 MODSEQ 917162488');
  says(esearch('a', { all: [1, 2, 3, 5], modSeq: 1236 }), '* ESEARCH (TAG "a") ALL 1:3,5 MODSEQ 1236');
  says(esearch('a', { all: [5, 3, 2, 1], modSeq: 1236 }), '* ESEARCH (TAG "a") ALL 5,3,2,1 MODSEQ 1236');
  const all = [{ from: 4, to: 18 }, 21, 28];
  says(esearch('a567', { count: 17, all }, true), '* ESEARCH (TAG "a567") UID COUNT 17 ALL 4:18,21,28'); // RFC 9051 §7.3.4
  says(esearch('a', {}), '* ESEARCH (TAG "a")');
  says({ type: 'ESEARCH', uid: false, count: 0 }, '* ESEARCH COUNT 0');
});

test('RFC 7162 §3.2.10: VANISHED', () => {
  const vanished = (earlier: boolean, uids: NumberSet): Response => ({ type: 'VANISHED', earlier, uids });
  says(vanished(false, [405, 407, 410, 425]), '* VANISHED 405,407,410,425');
  says(
    vanished(true, [41, { from: 43, to: 116 }, 118, { from: 120, to: 211 }, { from: 214, to: 540 }]),
    '* VANISHED (EARLIER) 41,43:116,118,120:211,214:540',
  );
  says(vanished(true, [{ from: 1, to: 5 }, 6, { from: 7, to: 7 }, 9]), '* VANISHED (EARLIER) 1:7,9');
  assert.throws(() => encoded(vanished(false, [])), /no numbers/);
  assert.throws(() => encoded(vanished(false, [{ from: 3, to: 2 }])), /goes down/);
  assert.throws(() => encoded(vanished(false, [0])), /wire/);
  assert.throws(() => encoded(vanished(false, [{ from: 1, to: Number.POSITIVE_INFINITY }])), /wire/);
});

test('RFC 5256 §4: THREAD', () => {
  says(threads([2], [3, [6, [4, [23]], [44, [7, [96]]]]]), '* THREAD (2)(3 6 (4 23)(44 7 96))');
  says(threads([null, [3], [5]]), '* THREAD ((3)(5))');
  says(threads(), '* THREAD');
  says(
    threads([166], [null, [170], [179]], [171], [null, [177], [183], [188, [184], [189]], [185, [186]]], [197, [198]]),
    '* THREAD (166)((170)(179))(171)((177)(183)(188 (184)(189))(185 186))(197 198)',
  );
});

test('RFC 5256 §5: a missing parent of one child is not told, of none not made', () => {
  says(threads([null, [3]]), '* THREAD (3)');
  says(threads([1, [null, [3], [4]], [5]]), '* THREAD (1 ((3)(4))(5))');
  assert.throws(() => encoded(threads([null])), /without a message/);
});

test('attack: a thread may be as deep as its mailbox is large', () => {
  const depth = 100_000;
  let chain: Thread = { number: depth, children: [] };
  let fork: Thread = { number: depth, children: [] };
  for (let number = depth - 1; number > 0; number -= 1) {
    chain = { number, children: [chain] };
    fork = { number, children: [fork, { number: depth + number, children: [] }] };
  }
  assert.is(encoded({ type: 'THREAD', threads: [chain] }).match(/\d+/g)!.length, depth);
  assert.is(encoded({ type: 'THREAD', threads: [fork] }).match(/\)/g)!.length, 2 * depth - 1);
});

test.run();
