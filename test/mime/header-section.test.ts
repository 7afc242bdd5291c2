/** Where a header section ends, what is 8-bit in it, and how that is masked. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HeaderSection } from '../../mime/header-section.ts';
import { cut, octetsOf, oneByOne, someCuts, textOf, wireOctets } from '../properties/cuts.ts';

function pass(chunks: readonly Uint8Array[], mask8bit = false) {
  const header = new HeaderSection({ mask8bit });
  const text = chunks.map((chunk) => textOf(header.pass(chunk))).join('');
  return { text, has8bit: header.has8bit, ended: header.ended, sizeOctets: header.sizeOctets };
}
const whole = (text: string, mask8bit = false) => pass([octetsOf(text)], mask8bit);

test('RFC 5322 §2.1: the header section ends with the first empty line', () => {
  assert.is(whole('A: b\r\n\r\nbody').sizeOctets, 'A: b\r\n\r\n'.length);
  assert.ok(whole('A: b\r\n\r\n').ended);
  assert.not.ok(whole('A: b\r\n').ended);
});

test('a message that begins with an empty line has no header fields', () => {
  assert.equal(whole('\r\n\xe9\r\n'), { text: '\r\n\xe9\r\n', has8bit: false, ended: true, sizeOctets: 2 });
});

test('a message without an empty line is all header', () => {
  const it = whole('A: b\r\nC: d\r\n\xe9');
  assert.equal([it.ended, it.has8bit, it.sizeOctets], [false, true, 13]);
});

test('8-bit octets count up to the empty line, in folded lines too, and not right behind it', () => {
  assert.ok(whole('A: b\r\n \xe9\r\n\r\n').has8bit);
  assert.not.ok(whole('A: b\r\n\r\n\xe9').has8bit);
  assert.ok(whole('A: \x80\r\n\r\n').has8bit);
  assert.not.ok(whole('A: \x7f\r\n\r\n').has8bit);
});

test('only CRLF CRLF is an empty line', () => {
  for (const end of ['\n\n', '\r\r', '\r\n\n', '\n\r\n', '\r\n\r', '\r\n\r\r\n', '\r\n \r\n', '\r\r\n'])
    assert.not.ok(whole(`A: b${end}C`).ended, JSON.stringify(end));
  assert.ok(whole('A: b\r\r\n\r\nC').ended);
});

test('masking clears the high bit of header octets and leaves the body', () => {
  assert.equal(whole('S: \xe9\xff\x80\r\n\r\n\xe9', true), {
    text: 'S: \x69\x7f\0\r\n\r\n\xe9',
    has8bit: true,
    ended: true,
    sizeOctets: 10,
  });
});

test('masked octets end nothing: the header section is that of the message as it came', () => {
  assert.is(whole('A: \x8d\x8a\x8d\x8a\xe9\r\n\r\n\xe9', true).text, 'A: \r\n\r\ni\r\n\r\n\xe9');
});

test('a chunk that needs no masking is passed as the same object, and a masked one is not changed in place', () => {
  const header = new HeaderSection({ mask8bit: true });
  const plain = octetsOf('A: b\r\n');
  const eight = octetsOf('C: \xe9\r\n\r\n\xe9');
  const body = octetsOf('\xe9');
  assert.is(header.pass(plain), plain);
  assert.is.not(header.pass(eight), eight);
  assert.is(eight[3], 0xe9);
  assert.is(header.pass(body), body);
});

test('property: however a message is cut, the header section is the same', () =>
  fc.assert(
    fc.property(wireOctets(60), someCuts, fc.boolean(), (octets, cuts, mask) => {
      const expected = pass([octets], mask);
      assert.equal(pass(cut(octets, cuts), mask), expected);
      assert.equal(pass(oneByOne(octets), mask), expected);
      const text = '\r\n' + textOf(octets);
      const end = text.indexOf('\r\n\r\n');
      assert.is(expected.sizeOctets, end < 0 ? octets.length : end + 2);
      assert.is(
        expected.has8bit,
        octets.subarray(0, expected.sizeOctets).some((octet) => octet >= 0x80),
      );
      if (!mask) assert.is(expected.text, textOf(octets));
    }),
    { numRuns: 500, seed: 5322 },
  ));

test.run();
