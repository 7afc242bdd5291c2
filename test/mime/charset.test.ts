/** Which labels are known, what their decoders make of octets, and that cutting changes nothing. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { charsetDecoder, decodeText, isKnownCharset } from '../../mime/charset.ts';
import { cut, oneByOne, someCuts } from '../properties/cuts.ts';

const hex = (octets: string): Uint8Array => Uint8Array.from(Buffer.from(octets.replaceAll(' ', ''), 'hex'));
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** One text in each family of charsets. */
const SAMPLES: readonly (readonly [label: string, octets: Uint8Array, text: string])[] = [
  ['utf-8', hex('c3a9 e282ac f09f9880'), 'é€😀'],
  ['us-ascii', ascii('plain'), 'plain'],
  ['', hex('63 61 66 c3a9'), 'café'],
  ['ISO-8859-1', hex('e9 93 94 80'), 'é“”€'],
  ['iso-8859-2', hex('b1 e6'), 'ąć'],
  ['iso-8859-7', hex('e1 e2'), 'αβ'],
  ['iso-8859-15', hex('a4'), '€'],
  ['iso-8859-16', hex('aa'), 'Ș'],
  ['windows-1252', hex('80 9f'), '€Ÿ'],
  ['windows-1251', hex('cf f0'), 'Пр'],
  ['windows-1255', hex('e0 e1'), 'אב'],
  ['KOI8-R', hex('e1 cc c5 cb d3 c5 ca'), 'Алексей'],
  ['koi8-u', hex('a4'), 'є'],
  ['ibm850', hex('82'), 'é'],
  ['cp437', hex('82'), 'é'],
  ['ibm866', hex('80'), 'А'],
  ['macintosh', hex('8e'), 'é'],
  ['x-mac-cyrillic', hex('80'), 'А'],
  ['viscii', hex('e2'), 'â'],
  ['tis-620', hex('a1'), 'ก'],
  ['gb2312', hex('c4e3 bac3'), '你好'],
  ['GBK', hex('c4e3 bac3'), '你好'],
  ['gb18030', hex('c4e3 95328236 20'), '你𠀀 '],
  ['big5', hex('a741 a66e'), '你好'],
  ['shift_jis', hex('93fa 967b b1'), '日本ｱ'],
  ['euc-jp', hex('c6fc cbdc'), '日本'],
  ['iso-2022-jp', hex('1b2442 467c 4b5c 1b2842 41'), '日本A'],
  ['euc-kr', hex('bec8 b3e7'), '안녕'],
  ['ks_c_5601-1987', hex('bec8 b3e7'), '안녕'],
  ['iso-2022-kr', hex('1b242943 0e 3e48 3367 0f 20 61'), '안녕 a'],
  ['hz-gb-2312', hex('7e7b 3a3a 5756 7e7d 20 7e7e 61'), '汉字 ~a'],
  ['utf-7', ascii('Hi Mom +Jjo--!'), 'Hi Mom ☺-!'],
  ['utf-16le', hex('4100 3dd8 00de'), 'A😀'],
  ['utf-16be', hex('0041 d83d de00'), 'A😀'],
  ['utf-32be', hex('00000041 0001f600'), 'A😀'],
];

for (const [label, octets, text] of SAMPLES)
  test(`${label || 'no charset'} is decoded, whole and octet by octet`, () => {
    assert.is(decodeText(octets, label), text);
    const decoder = charsetDecoder(label)!;
    assert.is(
      oneByOne(octets)
        .map((octet) => decoder.write(octet))
        .join('') + decoder.end(),
      text,
    );
  });

test('a label may be written in any case, with years, quotes of IANA prefixes and underscores', () => {
  for (const label of ['ISO_8859-1:1987', 'latin1', ' iso-8859-1 ', 'csISOLatin1', 'IBM819', 'x-iso-8859-1', 'L1'])
    assert.is(decodeText(hex('e9'), label), 'é', label);
});

test('what nobody knows, and what is no charset though the library decodes it, is undefined', () => {
  const unknown = [
    'x-unknown-charset',
    'base64',
    'hex',
    'utf-7-imap',
    '???',
    'constructor',
    '__proto__',
    'toString',
    '_dbcs',
  ];
  for (const label of [...unknown, 'a'.repeat(65), 'é']) {
    assert.not.ok(isKnownCharset(label), label);
    assert.is(charsetDecoder(label), undefined);
    assert.is(decodeText(hex('41'), label), undefined);
  }
});

test('eight bits where seven were promised are UTF-8, and windows-1252 where they are not', () => {
  assert.is(decodeText(hex('c3a9 20 e9 20 93'), 'us-ascii'), 'é é “');
  assert.is(decodeText(hex('e282'), 'unknown-8bit'), 'â‚');
  assert.is(decodeText(hex('eda080 c080 f5'), ''), 'í\u00a0€À€õ');
});

test('broken text becomes U+FFFD and the rest is decoded', () => {
  assert.is(decodeText(hex('41 ff 42'), 'utf-8'), 'A\ufffdB');
  assert.is(decodeText(hex('41 c3'), 'utf-8'), 'A\ufffd');
  assert.match(decodeText(hex('c4e3 80 20 41'), 'gbk')!, /^你.*A$/);
});

test('RFC 1557: a line begins unshifted, and an escape that designates nothing is passed on', () => {
  assert.is(decodeText(hex('0e 3e48 0a 61'), 'iso-2022-kr'), '안\na');
  assert.is(decodeText(hex('1b2441'), 'iso-2022-kr'), '\x1b$A');
});

test('RFC 1843: a tilde before a line end joins lines, and one before anything else is itself', () => {
  assert.is(decodeText(ascii('a~\nb~c~'), 'hz'), 'ab~c~');
});

test('property: no octets make a decoder throw, and where they are cut changes nothing', () => {
  const labels = SAMPLES.map(([label]) => label);
  fc.assert(
    fc.property(fc.constantFrom(...labels), fc.uint8Array({ maxLength: 40 }), someCuts, (label, octets, cuts) => {
      const whole = decodeText(octets, label)!;
      for (const chunks of [cut(octets, cuts), oneByOne(octets)]) {
        const decoder = charsetDecoder(label)!;
        assert.is(chunks.map((chunk) => decoder.write(chunk)).join('') + decoder.end(), whole);
      }
    }),
    { numRuns: 1500, seed: 2978 },
  );
});

test('property: UTF-8 without a label is decoded as with it', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      assert.is(decodeText(Uint8Array.from(Buffer.from(text)), ''), text);
    }),
    { numRuns: 300, seed: 3629 },
  ));

test('property: any label gives a decoder or undefined', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (label) => {
      assert.is(charsetDecoder(label) === undefined, !isKnownCharset(label));
    }),
    { numRuns: 500, seed: 2047 },
  ));

test.run();
