/** PLAIN and its base64: RFC 4616, RFC 4648 §4. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromBase64, toBase64 } from '../../../protocols/sasl/base64.ts';
import { parsePlain, plainMessage } from '../../../protocols/sasl/plain.ts';

const octets = (text: string) => Buffer.from(text, 'latin1');

test('RFC 4616 §4: the examples', () => {
  assert.equal(parsePlain(octets('\0tim\0tanstaaftanstaaf')), {
    authorizationId: '',
    authenticationId: 'tim',
    secret: 'tanstaaftanstaaf',
  });
  assert.equal(parsePlain(octets('Ursel\0Kurt\0xipj3plmq')), {
    authorizationId: 'Ursel',
    authenticationId: 'Kurt',
    secret: 'xipj3plmq',
  });
});

test('RFC 4616 §2: a name and a password are needed, two NULs, and UTF-8', () => {
  for (const wrong of ['', '\0', '\0\0', '\0joe\0', '\0\0secret', 'joe\0secret', '\0joe\0sec\0ret', '\0joe\0\0', 'joe'])
    assert.is(parsePlain(octets(wrong)), undefined, JSON.stringify(wrong));
  for (const wrong of ['\0j\xf6\0secret', '\0joe\0\xc0\x80', '\0joe\0\xed\xa0\x80', '\xff\0joe\0secret'])
    assert.is(parsePlain(octets(wrong)), undefined, JSON.stringify(wrong));
  assert.is(parsePlain(Buffer.from('\0jörg\0käse'))?.secret, 'käse');
});

test('RFC 4616 §2: names and passwords of 255 octets pass, and longer ones', () => {
  const long = 'ä'.repeat(1000);
  const message = { authorizationId: long, authenticationId: long, secret: long };
  assert.equal(parsePlain(plainMessage(message)), message);
});

/** `1*SAFE`, and perhaps none. */
const safe = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => !text.includes('\0'));

test('what a client makes is read as it was meant', () =>
  fc.assert(
    fc.property(fc.oneof(fc.constant(''), safe), safe, safe, (authorizationId, authenticationId, secret) => {
      const message = { authorizationId, authenticationId, secret };
      assert.equal(parsePlain(plainMessage(message)), message);
    }),
  ));

test('whatever the octets, a message is read whole or not at all', () =>
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 0x41, 0xc3, 0xa4, 0xff), { maxLength: 12 }), (given) => {
      const read = parsePlain(Uint8Array.from(given));
      if (read !== undefined) assert.equal([...plainMessage(read)], given);
    }),
  ));

test('base64 there and back', () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (given) => {
      assert.equal([...fromBase64(toBase64(given))!], [...given]);
    }),
  ));

test('RFC 5034 §4: what is not base64 is refused, not skipped over', () => {
  for (const wrong of ['A', 'AA', 'AAA', 'AA=', '=AAA', 'AAA=BBB', 'AAA=BBBB', 'A A=', 'AAA-', 'AAA_', 'AAAA\n', '*'])
    assert.is(fromBase64(wrong), undefined, wrong);
  assert.is(fromBase64('')?.length, 0);
});

test('octets in the middle of a larger buffer are encoded alone', () => {
  assert.is(toBase64(octets('xxabcxx').subarray(2, 5)), 'YWJj');
});

test.run();
