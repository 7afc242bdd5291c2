/** What a view tells, and when: the rules of RFC 9051 §7.5 and RFC 7162 §3.2 one by one. All at once: test/properties/imap-view.test.ts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Beginning, type ChangesPage, type Dialect, View } from '../../../actors/imap/view.ts';
import type { MessageEntry } from '../../../actors/mailbox-owner/message-requests.ts';
import type { Response } from '../../../protocols/imap/response.ts';
import { FLAG } from '../../../store/flags.ts';
import { rangesOf } from '../../../store/uid-ranges.ts';

const REV1: Dialect = { rev1: true, condstore: false, qresync: false };
const CONDSTORE: Dialect = { rev1: false, condstore: true, qresync: false };
const QRESYNC: Dialect = { rev1: false, condstore: true, qresync: true };

const view = (count: number, more: Partial<Beginning> = {}) =>
  new View({
    uids: Uint32Array.from({ length: count }, (_, index) => index + 1),
    ...{ modSeq: 10, recentFrom: count + 1, keywords: [], rights: 'lrswipkxtea', readOnly: false },
    ...more,
  });

const entry = (uid: number, modSeq: number, flags = 0, keywords?: readonly string[]): MessageEntry => ({
  ...{ uid, modSeq, flags, internalDate: 0, saveDate: 0, sizeOctets: 1, traceOctets: 0, emailId: uid },
  ...(keywords && { keywords }),
});

/** One round that was one page. */
function hear(told: View, modSeq: number, page: Partial<ChangesPage>): void {
  told.absorb({ changed: [], vanished: [], keywords: told.keywords, rights: told.rights, ...page });
  told.settle(modSeq, true);
}

const types = (responses: readonly Response[]) =>
  responses.map((each) =>
    each.type === 'status' ? (typeof each.code === 'object' ? each.code.code : each.code) : each.type,
  );

test('expunges are told lowest first, each by its number at that moment (RFC 9051 §7.5.1)', () => {
  const told = view(11);
  hear(told, 11, {
    vanished: [
      [3, 4],
      [7, 7],
      [11, 11],
    ],
  });
  const expunged = told.tell(REV1, true).map((each) => (each.type === 'EXPUNGE' ? each.sequence : each.type));
  assert.equal(expunged, [3, 3, 5, 8], 'the example of RFC 9051 §6.4.3');
  assert.equal(told.tell(REV1, true), []);
});

test('with QRESYNC it is VANISHED, with the UIDs (RFC 7162 §3.2.10)', () => {
  const told = view(11);
  hear(told, 11, {
    vanished: [
      [3, 4],
      [7, 7],
    ],
  });
  assert.equal(told.tell(QRESYNC, true), [
    { type: 'VANISHED', earlier: false, uids: [{ from: 3, to: 4 }, 7] },
    { type: 'status', status: 'OK', code: { code: 'HIGHESTMODSEQ', modSeq: 11 }, text: 'Highest' },
  ]);
});

test('an expunge waits where numbers may not shift, and EXISTS counts those that wait', () => {
  const told = view(3);
  hear(told, 12, { vanished: [[1, 2]], changed: [entry(4, 12)] });
  assert.equal(told.tell(REV1, false), [
    { type: 'EXISTS', count: 4 },
    { type: 'RECENT', count: 1 },
  ]);
  assert.equal(types(told.tell(REV1, true)), ['EXPUNGE', 'EXPUNGE']);
  assert.is(told.numbers.count, 2);
});

test('what came and went untold is not told (RFC 7162 §3.2.10.2)', () => {
  const told = view(1);
  told.absorb({ changed: [entry(2, 11)], vanished: [], keywords: [], rights: told.rights });
  hear(told, 12, { vanished: [[2, 2]] });
  assert.equal(told.tell(QRESYNC, true), []);
});

test('new messages are not told before a round of one page, since one below them may be missing', () => {
  const told = view(1);
  told.absorb({ changed: [entry(3, 12)], vanished: [], keywords: [], rights: told.rights });
  told.settle(12, false);
  assert.equal(told.tell(REV1, true), []);
  hear(told, 13, { changed: [entry(2, 13, FLAG.seen)] });
  assert.equal(types(told.tell(REV1, true)), ['EXISTS', 'RECENT']);
  assert.equal([...told.numbers.uidsOf(told.numbers.all())], [1, 2, 3]);
});

test('flags of others are told, with UID and MODSEQ to a client that knows them (RFC 7162 §3.2.4)', () => {
  const plain = view(2, { recentFrom: 2 });
  hear(plain, 11, { changed: [entry(2, 11, FLAG.seen)] });
  assert.equal(plain.tell(REV1, false), [
    { type: 'FETCH', sequence: 2, uid: undefined, flags: ['\\Seen', '\\Recent'], modSeq: undefined },
  ]);
  const knowing = view(2);
  hear(knowing, 11, { changed: [entry(2, 11, FLAG.seen)] });
  assert.equal(knowing.tell(CONDSTORE, false), [{ type: 'FETCH', sequence: 2, uid: 2, flags: ['\\Seen'], modSeq: 11 }]);
});

test('what this session did itself is not told again', () => {
  const told = view(2);
  told.noteOwn(11, [entry(1, 11, FLAG.seen)], 'in full');
  assert.is(told.modSeq, 11, 'nothing lies between');
  told.noteOwn(13, [entry(2, 13, FLAG.seen)], 'in full');
  assert.is(told.modSeq, 11);
  hear(told, 13, { changed: [entry(1, 12, FLAG.flagged), entry(2, 13, FLAG.seen)] });
  const responses = told.tell(REV1, false);
  assert.equal(responses, [{ type: 'FETCH', sequence: 1, uid: undefined, flags: ['\\Flagged'], modSeq: undefined }]);
});

test('what others did before a silent STORE is told with it', () => {
  const told = view(1);
  hear(told, 11, { changed: [entry(1, 11, FLAG.answered)] });
  told.noteOwn(12, [entry(1, 12, FLAG.answered | FLAG.seen)], 'silently');
  assert.equal(told.tell(REV1, false), [
    { type: 'FETCH', sequence: 1, uid: undefined, flags: ['\\Answered', '\\Seen'], modSeq: undefined },
  ]);
});

test('where an expunge waits the client is told how far it knows all (RFC 7162 §3.2, §6)', () => {
  const told = view(3);
  hear(told, 12, { vanished: [[1, 1]], changed: [entry(2, 12, FLAG.seen)] });
  const [flags, highest] = told.tell(QRESYNC, false);
  assert.is(flags?.type, 'FETCH');
  assert.equal(highest, { type: 'status', status: 'OK', code: { code: 'HIGHESTMODSEQ', modSeq: 10 }, text: 'Highest' });
  assert.equal(types(told.tell(QRESYNC, true)), ['VANISHED', 'HIGHESTMODSEQ']);
  assert.is(told.safeModSeq, 12);
});

test('new keywords are told before flags that have them, and rights that changed too', () => {
  const told = view(1);
  hear(told, 11, { changed: [entry(1, 11, 0, ['$Work'])], keywords: ['$Work'], rights: 'lr' });
  const responses = told.tell(REV1, false);
  assert.equal(types(responses), ['FLAGS', 'PERMANENTFLAGS', 'FETCH']);
  assert.equal(responses[1]?.type === 'status' && responses[1].code, { code: 'PERMANENTFLAGS', flags: [] });
});

test('where it is forgotten what vanished, all that is not there has vanished', () => {
  const told = view(5);
  const bits = new Uint8Array(512);
  bits[0] = 0b1_0010;
  told.keepOnly([{ block: 0, bits }]);
  hear(told, 20, { vanished: null });
  assert.equal(told.tell(QRESYNC, true)[0], { type: 'VANISHED', earlier: false, uids: [1, { from: 3, to: 4 }] });
  assert.equal([...told.numbers.uidsOf(told.numbers.all())], [2, 5]);
});

test('a mailbox that is no more has no messages', () => {
  const told = view(2);
  told.keepNothing();
  assert.equal(types(told.tell(REV1, true)), ['EXPUNGE', 'EXPUNGE']);
});

test('every second of 100,000 messages is expunged in one pass', () => {
  const told = view(100_000);
  hear(told, 11, { vanished: rangesOf(Array.from({ length: 50_000 }, (_, index) => 2 * index + 1)) });
  const [batch] = told.tell(REV1, true);
  const numbers = batch?.type === 'batch' ? [...(batch.responses as Iterable<Response>)] : [];
  assert.is(numbers.length, 50_000);
  assert.equal(numbers.at(-1), { type: 'EXPUNGE', sequence: 50_000 });
  assert.is(told.numbers.count, 50_000);
});

test.run();
