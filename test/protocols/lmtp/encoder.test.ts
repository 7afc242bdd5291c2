/** LMTP replies, octet for octet: RFC 5321 §4.2, RFC 2034 §4. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lmtpEncoder } from '../../../protocols/lmtp/encoder.ts';
import { type Reply, reply } from '../../../protocols/lmtp/reply.ts';
import { textOf } from '../../properties/cuts.ts';

const encode = (it: Reply) => textOf(lmtpEncoder.encode(it) as Uint8Array);

test('RFC 5321 §4.2: a code, a space, a text, CRLF', () => {
  assert.is(encode({ code: 354, lines: ['go on'] }), '354 go on\r\n');
  assert.is(encode({ code: 220, lines: ['foo.edu LMTP ready'] }), '220 foo.edu LMTP ready\r\n');
});

test('RFC 5321 §4.2.1: all lines but the last have a hyphen', () => {
  assert.is(
    encode({ code: 250, lines: ['foo.edu', 'PIPELINING', 'SIZE'] }),
    '250-foo.edu\r\n250-PIPELINING\r\n250 SIZE\r\n',
  );
});

test('RFC 2034 §4: the enhanced status code begins each line', () => {
  assert.is(encode(reply(550, '5.1.1', 'no such user', 'here')), '550-5.1.1 no such user\r\n550 5.1.1 here\r\n');
});

test('RFC 2034 §4: an enhanced status code of another class is our own mistake', () => {
  for (const [code, enhanced] of [
    [250, '5.0.0'],
    [354, '3.0.0'],
    [450, '4.2'],
    [550, '5.1.1 x'],
  ] as const)
    assert.throws(() => encode(reply(code, enhanced, 'x')), /does not go with/);
});

test('RFC 5321 §4.5.3.1.5: a reply line is cut at 512 octets, CRLF included', () => {
  const [first, second] = encode(reply(250, '2.0.0', 'x'.repeat(600), 'y')).split('\r\n');
  assert.is(first!.length, 510);
  assert.is(second, '250 2.0.0 y');
});

test('attack: a reply with a line end or 8-bit text in it is never sent', () => {
  for (const text of ['a\r\n250 b', 'a\nb', 'a\0', '\xe9', '\x1b'])
    assert.throws(() => encode(reply(550, '5.0.0', text)), /printable ASCII/);
});

test('a reply without lines or with no reply code is our own mistake', () => {
  assert.throws(() => encode({ code: 250, lines: [] }), /at least one line/);
  for (const code of [99, 150, 600, 250.5, Number.NaN])
    assert.throws(() => encode({ code, lines: ['x'] }), /no reply code/);
});

test.run();
