/** Modified UTF-7: RFC 3501 §5.1.3, both ways, and what it refuses. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeModifiedUtf7, encodeModifiedUtf7 } from '../../../protocols/imap/modified-utf7.ts';

const pairs: readonly (readonly [string, string])[] = [
  ['', ''],
  ['INBOX', 'INBOX'],
  ['~peter/mail/台北/日本語', '~peter/mail/&U,BTFw-/&ZeVnLIqe-'], // RFC 3501 §5.1.3
  ['台北日本語', '&U,BTF2XlZyyKng-'], // RFC 3501 §5.1.3
  ['☺!', '&Jjo-!'], // RFC 3501 §5.1.3
  ['Entwürfe', 'Entw&APw-rfe'],
  ['a&b', 'a&-b'],
  ['&&', '&-&-'],
  ['é&é', '&AOk-&-&AOk-'],
  ['-&-', '-&--'],
  ['😀', '&2D3eAA-'],
  ['a\tb', 'a&AAk-b'],
  ['\x7f', '&AH8-'],
];

test('names and their only right form', () => {
  for (const [name, encoded] of pairs) {
    assert.is(encodeModifiedUtf7(name), encoded);
    assert.is(decodeModifiedUtf7(encoded), name, encoded);
  }
});

test('what no encoder makes is refused', () => {
  const wrong: readonly (readonly [string, string])[] = [
    ['&Jjo!', 'no shift back (RFC 3501 §5.1.3)'],
    ['&U,BTFw-&ZeVnLIqe-', 'a superfluous shift (RFC 3501 §5.1.3)'],
    ['&', 'no end'],
    ['a&b', 'no end'],
    ['&AOk', 'no end'],
    ['&AGE-', 'a printable letter in base64'],
    ['&AOkAYQ-', 'the same behind another'],
    ['&ACY-', 'an ampersand in base64'],
    ['&AOl-', 'loose bits'],
    ['&AO-', 'half a code unit'],
    ['&A-', 'one character of base64'],
    ['&AOkA-', 'half a code unit too much'],
    ['&AOk=-', 'padding'],
    ['&U/BTFw-', 'a slash'],
    ['&AO k-', 'a space inside'],
    ['&2D0-', 'half a surrogate pair'],
    ['&3gDYPQ-', 'a surrogate pair the wrong way round'],
    ['é', 'an octet above ASCII'],
    ['a\r\n', 'a control'],
    ['\x7f', 'DEL'],
    ['&AOk-&AOk-', 'two shifts where one would do'],
  ];
  for (const [encoded, why] of wrong) assert.is(decodeModifiedUtf7(encoded), undefined, `${encoded}: ${why}`);
});

test('decode(encode(name)) = name, in printable ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const encoded = encodeModifiedUtf7(name);
      assert.match(encoded, /^[\x20-\x7e]*$/);
      assert.is(decodeModifiedUtf7(encoded), name);
    }),
    { numRuns: 1000 },
  );
});

test('attack: whatever decodes encodes to itself, and nothing throws', () => {
  const text = fc.string({ unit: fc.constantFrom(...'&&--AOkDY,/+=aé\x00 '), maxLength: 16 });
  fc.assert(
    fc.property(text, (encoded) => {
      const name = decodeModifiedUtf7(encoded);
      if (name !== undefined) assert.is(encodeModifiedUtf7(name), encoded);
    }),
    { numRuns: 5000 },
  );
});

test('attack: 60,000 ampersands', () => {
  assert.is(decodeModifiedUtf7('&'.repeat(60_000)), undefined);
  assert.is(decodeModifiedUtf7('&-'.repeat(30_000)), '&'.repeat(30_000));
  assert.is(decodeModifiedUtf7(`${'&AOk-x'.repeat(10_000)}&`), undefined);
});

test.run();
