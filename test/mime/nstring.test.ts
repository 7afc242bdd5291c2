/** Strings on the wire: RFC 9051 §4.3 and §9. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { list, nstring, string } from '../../mime/nstring.ts';

test('RFC 9051 §4.5: what is absent is NIL, which the word NIL and the empty string are not', () => {
  assert.is(nstring(undefined), 'NIL');
  assert.is(nstring('NIL'), '"NIL"');
  assert.is(nstring(''), '""');
});

test('RFC 9051 §9: quote and backslash are quoted', () => assert.is(string('a"b\\c'), '"a\\"b\\\\c"'));

test('RFC 9051 §9: CR, LF and octets above ASCII make a literal', () => {
  assert.is(string('a\r'), '{2}\r\na\r');
  assert.is(string('a\nb'), '{3}\r\na\nb');
  assert.is(string('\xc3\xa9"'), '{3}\r\n\xc3\xa9"');
  assert.is(string('\x01\t\x7f'), '"\x01\t\x7f"');
});

test('what is long is a literal', () => {
  assert.is(string('x'.repeat(1000)), `"${'x'.repeat(1000)}"`);
  assert.is(string('x'.repeat(1001)), `{1001}\r\n${'x'.repeat(1001)}`);
});

test('a list of nothing is NIL', () => {
  assert.is(list([]), 'NIL');
  assert.is(list(['NIL', '"a"']), '(NIL "a")');
});

test.run();
