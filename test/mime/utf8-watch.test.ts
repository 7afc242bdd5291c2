/** UTF-8 as it streams by: RFC 3629 §3. */
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Utf8Watch } from '../../mime/utf8-watch.ts';
import { cut, oneByOne, someCuts } from '../properties/cuts.ts';

function watch(chunks: readonly Uint8Array[]): Utf8Watch {
  const watching = new Utf8Watch();
  for (const chunk of chunks) {
    const lent = Uint8Array.from(chunk);
    watching.pass(lent);
    lent.fill(0x80); // its maker's again
  }
  return watching;
}

test('characters of one to four octets are whole however they are cut', () => {
  const text = Buffer.from('aé€🦉z');
  for (let at = 0; at <= text.length; at += 1) assert.ok(watch([text.subarray(0, at), text.subarray(at)]).isWhole);
  assert.ok(watch(oneByOne(text)).isWhole);
});

test('a character that is cut off is not whole, and not broken yet', () => {
  for (const text of ['\xc3', '\xe2\x82', '\xf0\x9f\xa6']) {
    const watching = watch([Buffer.from(text, 'latin1')]);
    assert.equal([watching.isWhole, watching.isBroken], [false, false]);
  }
});

test('RFC 3629 §3: overlong forms, surrogates and what lies above U+10FFFF are broken, and so is all that follows', () => {
  for (const text of ['\x80', '\xff', '\xc0\x80', '\xe0\x80\x80', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xc3a', '\xf8'])
    for (const chunks of [[Buffer.from(`${text}aa`, 'latin1')], oneByOne(Buffer.from(`${text}aaa`, 'latin1'))]) {
      const watching = watch([...chunks, Buffer.from('aaaa')]);
      assert.equal([watching.isWhole, watching.isBroken], [false, true], JSON.stringify(text));
    }
});

test('octets that are cut at will are whole when they are UTF-8', () =>
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }).map((text) => new Uint8Array(Buffer.from(text))),
        fc.uint8Array({ maxLength: 6 }),
      ),
      someCuts,
      (octets, cuts) => assert.is(watch(cut(octets, cuts)).isWhole, isUtf8(octets)),
    ),
    { numRuns: 2000, seed: 1 },
  ));

test.run();
