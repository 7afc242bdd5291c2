/** FETCH responses of one message, octet for octet, by the examples of the RFCs named. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Section } from '../../../protocols/imap/fetch-item.ts';
import type { Content, Fetch, FetchContent } from '../../../protocols/imap/fetch-response.ts';
import { octetsOf } from '../../properties/cuts.ts';
import { encoded } from './encoded.ts';

const written = (sequence: number, fetch: Omit<Fetch, 'sequence'>, dialect = {}) =>
  encoded({ type: 'FETCH', sequence, ...fetch }, dialect);
const says = (sequence: number, fetch: Omit<Fetch, 'sequence'>, attributes: string) =>
  assert.is(written(sequence, fetch), `* ${sequence} FETCH (${attributes})\r\n`);
const body = (section: Section, content: Content, originOctet?: number): FetchContent => ({
  item: 'BODY[]',
  section,
  originOctet,
  content,
});

test('RFC 7162 §3.1: UID, FLAGS and MODSEQ', () => {
  says(1, { uid: 4, modSeq: 12121231000 }, 'UID 4 MODSEQ (12121231000)');
  says(
    7,
    { flags: ['\\Deleted', '\\Answered'], modSeq: 12121231000 },
    'FLAGS (\\Deleted \\Answered) MODSEQ (12121231000)',
  );
  says(49, { uid: 117, flags: ['\\Seen', '$MDNSent'], modSeq: 9 }, 'UID 117 FLAGS (\\Seen $MDNSent) MODSEQ (9)');
  says(1, { flags: [] }, 'FLAGS ()');
});

test('RFC 9051 §7.5.2: dates, sizes, and what is in wire form already', () => {
  const envelope = octetsOf(
    '("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg" NIL NIL NIL NIL NIL NIL NIL "<B@x>")',
  );
  const structure = octetsOf('("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92)');
  says(
    12,
    {
      flags: ['\\Seen'],
      internalDateMs: Date.UTC(1996, 6, 17, 2, 44, 25, 999),
      sizeOctets: 4286,
      envelope,
      body: structure,
      bodyStructure: structure,
    },
    `FLAGS (\\Seen) INTERNALDATE "17-Jul-1996 02:44:25 +0000" RFC822.SIZE 4286 ENVELOPE ${Buffer.from(envelope)} ` +
      `BODY ${Buffer.from(structure)} BODYSTRUCTURE ${Buffer.from(structure)}`,
  );
  says(1, { envelope: octetsOf('(NIL)'), bodyStructure: octetsOf('(1)') }, 'ENVELOPE (NIL) BODYSTRUCTURE (1)');
  says(1, { body: octetsOf('(1)') }, 'BODY (1)');
});

test('RFC 9051 §9: the day of a date has two places, the year four', () => {
  says(1, { internalDateMs: Date.UTC(2001, 1, 3, 4, 5, 6) }, 'INTERNALDATE " 3-Feb-2001 04:05:06 +0000"');
  says(1, { internalDateMs: -1 }, 'INTERNALDATE "31-Dec-1969 23:59:59 +0000"');
  says(1, { internalDateMs: Date.UTC(999, 11, 31) }, 'INTERNALDATE "31-Dec-0999 00:00:00 +0000"');
  says(1, { internalDateMs: Date.UTC(10000, 0) }, 'INTERNALDATE "31-Dec-9999 23:59:59 +0000"');
  assert.throws(() => written(1, { internalDateMs: Number.NaN }), /no date/);
});

test('RFC 8474 §5.3, RFC 8514 §4.2, RFC 8970 §3.2: ids, SAVEDATE, PREVIEW', () => {
  says(
    1,
    { emailId: 'M6d99ac3275bb4e', threadId: 'T64b478a75b7ea9' },
    'EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9)',
  );
  says(1, { emailId: 'M00000001', threadId: null }, 'EMAILID (M00000001) THREADID NIL');
  says(998, { saveDateMs: Date.UTC(2015, 0, 1, 17, 50, 53) }, 'SAVEDATE " 1-Jan-2015 17:50:53 +0000"');
  says(998, { saveDateMs: null }, 'SAVEDATE NIL');
  says(1, { preview: 'Preview text!' }, 'PREVIEW "Preview text!"');
  says(3, { preview: 'Message data from message 3.\r\n' }, 'PREVIEW {30}\r\nMessage data from message 3.\r\n');
  says(3, { preview: '' }, 'PREVIEW ""');
  says(3, { preview: null }, 'PREVIEW NIL');
  assert.is(written(1, { preview: 'ä' }), '* 1 FETCH (PREVIEW {2}\r\n\xc3\xa4)\r\n');
  assert.is(written(1, { preview: 'ä' }, { utf8: true }), '* 1 FETCH (PREVIEW "\xc3\xa4")\r\n');
});

test('RFC 9051 §6.4.5.1: sections by their names', () => {
  const named = (section: Section, name: string, originOctet?: number) =>
    says(1, { contents: [body(section, octetsOf('abc'), originOctet)] }, `BODY[${name} {3}\r\nabc`);
  named({ part: [] }, ']');
  named({ part: [] }, ']<0>', 0);
  named({ part: [1] }, '1]<2048>', 2048);
  named({ part: [], text: 'HEADER' }, 'HEADER]');
  named({ part: [4, 2, 2], text: 'TEXT' }, '4.2.2.TEXT]');
  named({ part: [4, 1], text: 'MIME' }, '4.1.MIME]');
  named({ part: [], text: 'HEADER.FIELDS', fields: ['DATE', 'FROM'] }, 'HEADER.FIELDS (DATE FROM)]');
  named(
    { part: [3], text: 'HEADER.FIELDS.NOT', fields: ['a b', 'c]', 'NIL'] },
    '3.HEADER.FIELDS.NOT ("a b" "c]" "NIL")]',
  );
});

test('RFC 9051 §7.5.2: contents are literals, empty ones too; a part that is not there is NIL', () => {
  says(1, { uid: 9, contents: [body({ part: [1] }, octetsOf(''))] }, 'UID 9 BODY[1] {0}\r\n');
  says(
    1,
    { contents: [body({ part: [9] }, null), body({ part: [1] }, octetsOf('a'))] },
    'BODY[9] NIL BODY[1] {1}\r\na',
  );
  says(
    1,
    { envelope: octetsOf('()'), contents: [{ item: 'RFC822.HEADER', content: octetsOf('A: b\r\n\r\n') }] },
    'ENVELOPE () RFC822.HEADER {8}\r\nA: b\r\n\r\n',
  );
  says(1, { contents: [{ item: 'RFC822', content: octetsOf('x') }] }, 'RFC822 {1}\r\nx');
});

test('RFC 3516 §4.3: BINARY is a literal8 where it holds NUL', () => {
  const binary = (content: Content, originOctet?: number): FetchContent => ({
    item: 'BINARY',
    part: [2],
    content,
    originOctet,
  });
  says(1, { contents: [binary(octetsOf('ab'))] }, 'BINARY[2] {2}\r\nab');
  says(1, { contents: [binary(octetsOf('a\0b'))] }, 'BINARY[2] ~{3}\r\na\0b');
  says(1, { contents: [binary(octetsOf('a\0b'), 4)] }, 'BINARY[2]<4> ~{3}\r\na\0b');
  says(1, { contents: [binary(null)] }, 'BINARY[2] NIL');
  says(
    1,
    {
      contents: [
        { item: 'BINARY.SIZE', part: [], sizeOctets: 0 },
        { item: 'BINARY.SIZE', part: [1, 2], sizeOctets: 7 },
      ],
    },
    'BINARY.SIZE[] 0 BINARY.SIZE[1.2] 7',
  );
});

test('a FETCH of nothing is not said, nor what would forge another response', () => {
  const never: Omit<Fetch, 'sequence'>[] = [
    {},
    { contents: [] },
    { uid: 0 },
    { modSeq: 0 },
    { flags: ['\\Seen)\r\n* BYE'] },
    { emailId: ') x (' },
    { threadId: '' },
    { preview: 'a\0b' },
    { sizeOctets: -1 },
    { contents: [body({ part: [0] }, null)] },
    { contents: [body({ part: [] }, null, 0.5)] },
    { contents: [body({ part: [], text: 'HEADER.FIELDS', fields: ['a\0'] }, null)] },
  ];
  for (const fetch of never) assert.throws(() => written(1, fetch), undefined, JSON.stringify(fetch));
  assert.throws(() => written(0, { uid: 1 }), /0 where/);
});

test.run();
