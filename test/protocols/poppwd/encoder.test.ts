/** poppwd replies, octet for octet: docs/poppwd.md. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { poppwdEncoder } from '../../../protocols/poppwd/encoder.ts';
import { reply } from '../../../protocols/poppwd/reply.ts';
import { textOf } from '../../properties/cuts.ts';

const encode = (...args: Parameters<typeof reply>) => textOf(poppwdEncoder.encode(reply(...args)) as Uint8Array);

test('a reply is a code, a space, a text, and CRLF', () => {
  assert.is(encode(200, 'login OK'), '200 login OK\r\n');
  assert.is(encode(300, 'please send the PASS'), '300 please send the PASS\r\n');
  assert.is(encode(515, 'incorrect password or account name'), '515 incorrect password or account name\r\n');
});

test('a reply is never longer than 512 octets', () => {
  assert.is(encode(500, 'x'.repeat(1000)).length, 512);
});

test('attack: a reply with a line end in it is never sent', () => {
  for (const text of ['a\r\n200 ok', 'a\n', '\0']) assert.throws(() => encode(500, text), /holds CR, LF or NUL/);
});

test.run();
