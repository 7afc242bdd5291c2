/** Transfer encodings taken off: RFC 2045 §6.7 and §6.8, broken ones too, and however they are cut. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { transferDecoder } from '../../mime/transfer-encoding.ts';
import { cut, octetsOf, oneByOne, someCuts, textOf } from '../properties/cuts.ts';

function decode(encoding: string, chunks: readonly Uint8Array[]) {
  const decoder = transferDecoder(encoding)!;
  const text = chunks.map((chunk) => textOf(decoder.write(chunk))).join('') + textOf(decoder.end());
  return { text, isBroken: decoder.isBroken };
}
const whole = (encoding: string, text: string) => decode(encoding, [octetsOf(text)]);
const rows = (
  encoding: string,
  table: readonly (readonly [encoded: string, decoded: string, isBroken?: boolean])[],
) => {
  for (const [encoded, text, isBroken = false] of table)
    for (const chunks of [[octetsOf(encoded)], oneByOne(octetsOf(encoded))])
      assert.equal(decode(encoding, chunks), { text, isBroken }, JSON.stringify(encoded));
};

test('RFC 2045 §6.1: encodings in any case, 7bit where none is said, and none that it does not name', () => {
  for (const encoding of ['7bit', '8BIT', 'binary', '', ' 7bit '])
    assert.is(whole(encoding, 'a=3D\xe9').text, 'a=3D\xe9');
  assert.is(transferDecoder(undefined)!.write(octetsOf('a')).length, 1);
  for (const encoding of ['x-uuencode', 'base-64', 'quoted printable']) assert.is(transferDecoder(encoding), undefined);
});

test('RFC 2045 §6.7: quoted-printable', () =>
  rows('quoted-printable', [
    ['a=3Db=C3=A9', 'a=b\xc3\xa9'],
    ['a=3db=c3=a9', 'a=b\xc3\xa9'],
    ['soft=\r\nbreak=\nhere', 'softbreakhere'],
    ['soft= \t\r\nbreak', 'softbreak'],
    ['trailing \t\r\nspace  \nend  ', 'trailing\r\nspace\nend'],
    ['  inner  space\r\n \r\n', '  inner  space\r\n\r\n'],
    ['kept=20\r\n', 'kept \r\n'],
    ['end=', 'end'],
    ['end= ', 'end'],
    ['end=\r', 'end'],
    ['raw \xe9\0 octets', 'raw \xe9\0 octets'],
    ['bare\rCR \r x', 'bare\rCR \r x'],
    ['a=b', 'a=b', true],
    ['a=ZZ=4', 'a=ZZ=4', true],
    ['a= b', 'a= b', true],
    ['a=\rb', 'a=\rb', true],
    ['==41', '=A', true],
    ['', ''],
  ]));

test('RFC 2045 §6.8: base64', () =>
  rows('base64', [
    ['SGVsbG8=', 'Hello'],
    ['SGVs\r\nbG8h\r\n', 'Hello!'],
    ['SGVsbG8', 'Hello'],
    ['SGU=SGU=', 'HeHe'],
    ['SGU=\r\n\r\nSGVs', 'HeHel'],
    ['S G\tVs', 'Hel'],
    ['SGVs!bG8h', 'Hello!', true],
    ['SGVsb', 'Hel', true],
    ['====', ''],
    ['', ''],
  ]));

test('a run of spaces longer than any line passes, whatever ends it, and is not held', () => {
  const spaces = ' '.repeat(5000);
  assert.is(whole('quoted-printable', `a${spaces}b`).text, `a${spaces}b`);
  assert.is(whole('quoted-printable', `a${spaces}\r\nb`).text, `a${' '.repeat(4096)}\r\nb`);
  const decoder = transferDecoder('quoted-printable')!;
  assert.is(decoder.write(octetsOf(spaces)).length, 4096);
});

const pieces = fc.constantFrom(
  '=',
  '=3D',
  '=\r\n',
  ' ',
  '\t',
  '\r',
  '\n',
  '\r\n',
  'a',
  'F',
  '4',
  '\xff',
  '+',
  '/',
  'QUJD',
  ' '.repeat(1030),
);
const texts = fc.array(pieces, { maxLength: 20 }).map((parts) => octetsOf(parts.join('')));

test('property: however a part is cut, it is decoded alike, and never longer than it was', () =>
  fc.assert(
    fc.property(fc.constantFrom('base64', 'quoted-printable', '8bit'), texts, someCuts, (encoding, octets, cuts) => {
      const expected = decode(encoding, [octets]);
      assert.equal(decode(encoding, cut(octets, cuts)), expected);
      if (octets.length < 200) assert.equal(decode(encoding, oneByOne(octets)), expected);
      assert.ok(expected.text.length <= octets.length);
    }),
    { numRuns: 1000, seed: 2045 },
  ));

test('property: what is encoded is decoded', () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), someCuts, (octets, cuts) => {
      const base64 = octetsOf(Buffer.from(octets).toString('base64').replace(/.{20}/g, '$&\r\n'));
      assert.equal(decode('base64', cut(base64, cuts)), { text: textOf(octets), isBroken: false });
      const quoted = [...octets].map((octet) => `=${octet.toString(16).padStart(2, '0')}`).join('');
      assert.equal(
        decode('quoted-printable', cut(octetsOf(quoted.replace(/.{75}/g, '$&=\r\n')), cuts)).text.length >
          octets.length,
        false,
      );
      assert.equal(decode('quoted-printable', cut(octetsOf(quoted), cuts)), { text: textOf(octets), isBroken: false });
    }),
    { numRuns: 300, seed: 2046 },
  ));

test.run();
