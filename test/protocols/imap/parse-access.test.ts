/** Commands that stand alone, and those about who the client is. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { argumentsIn, read, reasonFor } from './reading.ts';

test('keywords that stand alone, in any case, with nothing behind them but spaces', () => {
  for (const keyword of [
    'CAPABILITY',
    'NOOP',
    'LOGOUT',
    'STARTTLS',
    'NAMESPACE',
    'IDLE',
    'CHECK',
    'CLOSE',
    'UNSELECT',
  ]) {
    assert.equal(read(`a1 ${keyword}`), { type: keyword, tag: 'a1' });
    assert.equal(read(`a1 ${keyword.toLowerCase()}  `), { type: keyword, tag: 'a1' });
    assert.is(reasonFor(`${keyword} x`), `${keyword}: too many arguments`);
  }
});

test('commands of extensions that are not offered are unknown', () => {
  for (const line of [
    'UNAUTHENTICATE',
    'NOTIFY NONE',
    'CANCELUPDATE "a"',
    'ESEARCH ALL',
    'REPLACE 1 x',
    'XAPPLEPUSHSERVICE',
  ])
    assert.is(reasonFor(line), 'unknown command', line);
});

test('RFC 9051 §6.2.2, RFC 4959 §3: a mechanism, and an initial response that may be empty', () => {
  assert.equal(argumentsIn('AUTHENTICATE cram-md5'), { mechanism: 'CRAM-MD5' });
  assert.equal(argumentsIn('authenticate PLAIN AGEAYg=='), { mechanism: 'PLAIN', initial: { octets: [0, 97, 0, 98] } });
  assert.equal(argumentsIn('AUTHENTICATE PLAIN ='), { mechanism: 'PLAIN', initial: { octets: [] } });
  assert.is(reasonFor('AUTHENTICATE PLAIN AGEAYg'), 'AUTHENTICATE: not base64');
  assert.is(reasonFor('AUTHENTICATE PLAIN AAAA A'), 'AUTHENTICATE: too many arguments');
  assert.is(reasonFor('AUTHENTICATE PL@IN'), 'AUTHENTICATE: no such mechanism can be');
  assert.is(reasonFor('AUTHENTICATE'), 'AUTHENTICATE: an argument is missing');
});

test('RFC 9051 §6.2.3: LOGIN takes two strings of any form, in UTF-8', () => {
  assert.equal(argumentsIn('LOGIN a]b "c \\"\\\\d"'), { name: 'a]b', secret: 'c "\\d' });
  assert.equal(argumentsIn('LOGIN "" ""'), { name: '', secret: '' });
  assert.equal(argumentsIn('LOGIN {4+}\r\na\r\nb {2+}\r\n\xc3\xa9'), { name: 'a\r\nb', secret: 'é' });
  assert.is(reasonFor('LOGIN joe {1+}\r\n\xe9'), 'LOGIN: text must be UTF-8');
  assert.is(reasonFor('LOGIN joe'), 'LOGIN: an argument is missing');
  assert.is(reasonFor('LOGIN joe  x'), 'LOGIN: a string was expected');
  assert.is(reasonFor('LOGIN joe x y'), 'LOGIN: too many arguments');
  assert.is(reasonFor('LOGIN "joe"x'), 'LOGIN: a space was expected');
  assert.is(reasonFor('LOGIN "j\\oe" x'), 'LOGIN: only " and \\ are escaped in a string');
  assert.is(reasonFor('LOGIN a*b c'), 'LOGIN: a space was expected');
});

test('RFC 5161 §4: ENABLE takes one capability or more', () => {
  assert.equal(argumentsIn('ENABLE condstore X-GOOD-IDEA'), { capabilities: ['CONDSTORE', 'X-GOOD-IDEA'] });
  assert.is(reasonFor('ENABLE'), 'ENABLE: an argument is missing');
  assert.is(reasonFor('ENABLE (QRESYNC)'), 'ENABLE: an atom was expected');
});

test('RFC 2971 §3.1: ID takes NIL or pairs', () => {
  assert.equal(argumentsIn('ID NIL'), { fields: null });
  assert.equal(argumentsIn('ID ()'), { fields: [] });
  assert.equal(argumentsIn('ID ("name" "sodr" "version" nil)'), {
    fields: [
      ['name', 'sodr'],
      ['version', null],
    ],
  });
  assert.equal(argumentsIn('ID ("a" "\xe9")'), { fields: [['a', 'é']] });
  assert.is(reasonFor('ID ("name")'), 'ID: a space was expected');
  assert.is(reasonFor('ID (name "x")'), 'ID: a string was expected');
  assert.is(reasonFor(`ID (${Array(31).fill('"a" "b"').join(' ')})`), 'ID: too many arguments in a list');
  assert.is(reasonFor(`ID ("${'a'.repeat(31)}" "b")`), 'ID: too many octets in a string');
  assert.is(reasonFor(`ID ("a" "${'b'.repeat(1025)}")`), 'ID: too many octets in a string');
});

test('RFC 4978 §5: COMPRESS names its mechanism', () => {
  assert.equal(argumentsIn('COMPRESS deflate'), { mechanism: 'DEFLATE' });
  assert.is(reasonFor('COMPRESS'), 'COMPRESS: an argument is missing');
});

test.run();
