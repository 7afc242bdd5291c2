/** poppwd commands: docs/poppwd.md. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command } from '../../../protocols/poppwd/command.ts';
import { MAX_LINE_OCTETS, PoppwdDecoder } from '../../../protocols/poppwd/decoder.ts';
import { octetsOf } from '../../properties/cuts.ts';

function commands(octets: string | Uint8Array): Command[] {
  const decoder = new PoppwdDecoder();
  decoder.push(typeof octets === 'string' ? octetsOf(octets) : octets);
  const out: Command[] = [];
  for (let piece = decoder.next(); piece !== undefined; piece = decoder.next())
    if (piece.kind === 'command') out.push(piece.command);
  return out;
}
const malformed = (reason: string): Command => ({ type: 'malformed', reason });

test('keywords come in any case, lines end in CRLF or bare LF', () => {
  assert.equal(commands('user joe\nPaSs old\r\nNEWPASS new\nquit\r\n'), [
    { type: 'USER', name: 'joe' },
    { type: 'PASS', secret: 'old' },
    { type: 'NEWPASS', secret: 'new' },
    { type: 'QUIT' },
  ]);
});

test('the argument is the rest of the line after one space, exactly', () => {
  assert.equal(commands('PASS a b \r\nNEWPASS  x \nUSER joe@example.test\n'), [
    { type: 'PASS', secret: 'a b ' },
    { type: 'NEWPASS', secret: ' x ' },
    { type: 'USER', name: 'joe@example.test' },
  ]);
});

test('an empty new password is refused, with and without the space', () => {
  assert.equal(commands('NEWPASS\r\nNEWPASS \r\n'), [
    malformed('new password required'),
    malformed('new password required'),
  ]);
});

test('an empty name or password is refused', () => {
  assert.equal(commands('USER\nUSER \nPASS\nPASS \n'), [
    malformed('account name required'),
    malformed('account name required'),
    malformed('password required'),
    malformed('password required'),
  ]);
});

test('names and passwords are UTF-8 where they can be, latin1 otherwise', () => {
  assert.equal(commands(Buffer.from('NEWPASS käse\n', 'utf8')), [{ type: 'NEWPASS', secret: 'käse' }]);
  assert.equal(commands(Buffer.from('NEWPASS käse\n', 'latin1')), [{ type: 'NEWPASS', secret: 'käse' }]);
});

test('long names and passwords pass up to the limit of the line; one octet more is too long', () => {
  const name = 'n'.repeat(200);
  const secret = 's'.repeat(MAX_LINE_OCTETS - 'NEWPASS \r\n'.length);
  assert.equal(commands(`USER ${name}\r\nNEWPASS ${secret}\r\nNEWPASS ${secret}x\r\nQUIT\r\n`), [
    { type: 'USER', name },
    { type: 'NEWPASS', secret },
    malformed('line too long'),
    { type: 'QUIT' },
  ]);
});

test('what is not known is malformed, and the session can go on', () => {
  assert.equal(commands('AUTH WEBUSER a b\r\n\r\nXYZZY\r\nQUIT now\r\nQUIT \r\n'), [
    malformed('unknown command'),
    malformed('unknown command'),
    malformed('unknown command'),
    malformed('QUIT takes no argument'),
    { type: 'QUIT' },
  ]);
});

test('attack: a sharp s does not fold to SS', () => {
  assert.equal(commands('NEWPA\xdf x\r\n'), [malformed('unknown command')]);
});

test('attack: NUL and bare CR are refused', () => {
  const refusal = malformed('NUL or CR in a command');
  assert.equal(commands('PASS a\0b\r\nNEWPASS a\rb\r\nUSER joe\0\n'), [refusal, refusal, refusal]);
});

test('attack: an endless line is one malformed command when it ends', () => {
  const decoder = new PoppwdDecoder();
  for (let i = 0; i < 64; i += 1) {
    decoder.push(new Uint8Array(1024 * 1024).fill(0x41));
    assert.is(decoder.next(), undefined);
  }
  decoder.push(octetsOf('\nQUIT\n'));
  assert.equal(decoder.next(), { kind: 'command', command: malformed('line too long') });
  assert.equal(decoder.next(), { kind: 'command', command: { type: 'QUIT' } });
});

test('discard forgets what was pushed; to expect a body is our own mistake', () => {
  const decoder = new PoppwdDecoder();
  decoder.push(octetsOf('USER a\nPA'));
  decoder.discard();
  assert.is(decoder.next(), undefined);
  decoder.expect('command');
  assert.throws(() => decoder.expect('body'), /send no body/);
});

test.run();
