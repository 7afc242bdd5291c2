/** Header values as people read them: the examples of RFC 2047 §8, what senders get wrong, and that nothing throws. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeHeader, decodeUnfolded } from '../../mime/encoded-word.ts';
import { octetsOf } from '../properties/cuts.ts';

const decode = (value: string): string => decodeHeader(octetsOf(value));

/** What RFC 2047 §8 prints, encoded and displayed. */
const EXAMPLES: readonly (readonly [encoded: string, shown: string])[] = [
  ['=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>', 'Keith Moore <moore@cs.utk.edu>'],
  ['=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>', 'Keld Jørn Simonsen <keld@dkuug.dk>'],
  ['=?ISO-8859-1?Q?Andr=E9?= Pirard <PIRARD@vm1.ulg.ac.be>', 'André Pirard <PIRARD@vm1.ulg.ac.be>'],
  [
    '=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=',
    'If you can read this you understand the example.',
  ],
  [
    'Nathaniel Borenstein <nsb@thumper.bellcore.com>\r\n      (=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=)',
    'Nathaniel Borenstein <nsb@thumper.bellcore.com>      (םולש ןב ילטפנ)',
  ],
  ['(=?ISO-8859-1?Q?a?=)', '(a)'],
  ['(=?ISO-8859-1?Q?a?= b)', '(a b)'],
  ['(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)', '(ab)'],
  ['(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)', '(ab)'],
  ['(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)', '(ab)'],
  ['(=?ISO-8859-1?Q?a_b?=)', '(a b)'],
  ['(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)', '(a b)'],
];
for (const [encoded, shown] of EXAMPLES)
  test(`RFC 2047 §8: ${JSON.stringify(encoded)}`, () => assert.is(decode(encoded), shown));

test('RFC 2231 §5: a language may follow the charset', () => {
  assert.is(decode('=?US-ASCII*EN?Q?Keith_Moore?='), 'Keith Moore');
});

test('a character cut between two words is whole again', () => {
  assert.is(decode('=?utf-8?Q?caf=C3?= =?UTF-8?Q?=A9?='), 'café');
  assert.is(decode('=?utf-8?B?4oI=?=\r\n =?utf-8?B?rA==?='), '€');
  assert.is(decode('=?utf-8?Q?=E2?= =?utf-8?B?gqw=?='), '€');
});

test('each word in ISO-2022-JP begins in ASCII, and stays in its own charset', () => {
  assert.is(decode('=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?= =?utf-8?Q?_=C3=A9?='), '日本 é');
});

test('RFC 6532: raw UTF-8 is text, and other octets are windows-1252', () => {
  assert.is(decode('caf\xc3\xa9 \xe9 \x93'), 'café é “');
  assert.is(decode('\xc3\xa9 =?utf-8?Q?=C3=A9?= \xe9'), 'é é é');
});

test('RFC 5322 §2.2.3: folding is taken out, and space around the value', () => {
  assert.is(decode(' one\r\n two\r\n\tthree \r\n'), 'one two\tthree');
  assert.is(decode('  '), '');
});

test('RFC 2047 §6.3: broken words stay as they are written', () => {
  const broken = [
    '=?utf-8?Q?=C3=A?=',
    '=?utf-8?Q?=ZZ?=',
    '=?utf-8?B?!!!!?=',
    '=?utf-8?B?AA=AA?=',
    '=?utf-8?X?abc?=',
    '=?utf-8?Q?abc',
    '=?utf-8?Q?abc?',
    '=?utf-8?Q',
    '=?utf-8?',
    '=?',
    '=??Q?abc?=',
    '=?u t f?Q?abc?=',
    '=?utf-8?Q?a?b?=',
    '=?no-such-charset?Q?abc?=',
  ];
  for (const word of broken) assert.is(decode(`a ${word} b`), `a ${word} b`.trim(), word);
});

test('a word in an unknown charset keeps the space to its neighbours', () => {
  assert.is(decode('=?utf-8?Q?a?= =?x-none?Q?b?= =?utf-8?Q?c?='), 'a =?x-none?Q?b?= c');
});

test('what begins like a word may hide one', () => {
  assert.is(decode('=?=?utf-8?Q?a?='), '=?a');
  assert.is(decode('=?utf-8?Q?=?utf-8?Q?a?='), '=?utf-8?Q?a');
});

test('base64 without padding and words with spaces are read as they were meant', () => {
  assert.is(decode('=?utf-8?B?w6k?='), 'é');
  assert.is(decode('=?iso-8859-1?Q?two words?='), 'two words');
});

test('hostile: a value of nothing but beginnings of words takes no longer than any other', () => {
  for (const piece of ['=?', '=?a?q?', '=?a?q?b', '?=', '=?utf-8?q?a?= ', ' \t', '=?a?b?AAAA?='])
    assert.type(decodeUnfolded(piece.repeat(100_000)), 'string');
});

test('property: nothing throws, and what has no word in it is the text itself', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.uint8Array({ maxLength: 60 }), (text, octets) => {
      assert.type(decodeHeader(octets), 'string');
      const clean = text.replaceAll('=?', '').replace(/[\r\n]/g, '');
      assert.is(decodeHeader(Uint8Array.from(Buffer.from(`.${clean}.`))), `.${clean}.`);
    }),
    { numRuns: 500, seed: 2047 },
  ));

test('property: what is encoded is decoded, in either encoding and cut anywhere', () =>
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
      fc.nat(),
      fc.boolean(),
      (text, at, isB) => {
        const octets = Buffer.from(text);
        const cut = at % octets.length;
        const word = (piece: Buffer) =>
          isB
            ? `=?utf-8?B?${piece.toString('base64')}?=`
            : `=?utf-8?Q?${[...piece].map((octet) => `=${octet.toString(16).padStart(2, '0')}`).join('')}?=`;
        assert.is(decode(`${word(octets.subarray(0, cut))}\r\n ${word(octets.subarray(cut))}`), text);
      },
    ),
    { numRuns: 300, seed: 2048 },
  ));

test.run();
