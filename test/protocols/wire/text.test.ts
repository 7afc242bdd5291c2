/** Octets and text: names, keywords, and lines of replies that can't be forged. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { keywordOf, latin1, nameOrSecret, oneLine, trimmedEnd } from '../../../protocols/wire/text.ts';

test('a name is UTF-8 where it can be, and latin1 where it is not', () => {
  assert.is(nameOrSecret(Buffer.from('jörg', 'utf8')), 'jörg');
  assert.is(nameOrSecret(Buffer.from('jörg', 'latin1')), 'jörg');
  assert.is(nameOrSecret(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), '\ufeffa'); // a byte order mark is not dropped
});

test('latin1 text has one character for each octet', () => {
  assert.is(latin1(Uint8Array.of(0x41, 0x80, 0xff)), 'A\x80\xff');
});

test('a keyword is ASCII letters and digits in any case, a letter first', () => {
  assert.is(keywordOf('uSeR'), 'USER');
  assert.is(keywordOf('utf8'), 'UTF8');
  for (const word of ['', 'PA\xdf', '5USER', 'X'.repeat(17), 'USER\t']) assert.is(keywordOf(word), undefined);
});

test('only spaces and tabs are trimmed, and in linear time', () => {
  assert.is(trimmedEnd(' a b \t '), ' a b');
  assert.is(trimmedEnd('a\xa0\r'), 'a\xa0\r');
  assert.is(trimmedEnd('   '), '');
});

test('attack: a text that holds a line end forges no reply', () => {
  for (const text of ['a\r\n+OK', 'a\nb', 'a\rb', 'a\0b'])
    assert.throws(() => oneLine(text, 100), /holds CR, LF or NUL/);
});

test('a text over the limit is cut between characters', () => {
  assert.is(oneLine('aaaa', 3), 'aaa');
  assert.is(oneLine('aäää', 4), 'aä');
  assert.is(oneLine('aä', 3), 'aä');
  assert.is(oneLine('a😀b', 4), 'a');
});

test.run();
