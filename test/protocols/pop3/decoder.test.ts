/** POP3 commands, rule by rule: RFC 1939, RFC 2449. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command } from '../../../protocols/pop3/command.ts';
import { MAX_PASS_OCTETS, MAX_SASL_OCTETS, Pop3Decoder } from '../../../protocols/pop3/decoder.ts';
import { octetsOf, oneByOne } from '../../properties/cuts.ts';

function commands(octets: string | Uint8Array): Command[] {
  const decoder = new Pop3Decoder();
  decoder.push(typeof octets === 'string' ? octetsOf(octets) : octets);
  const out: Command[] = [];
  for (let piece = decoder.next(); piece !== undefined; piece = decoder.next())
    if (piece.kind === 'command') out.push(piece.command);
  return out;
}
function command(line: string | Uint8Array): Command {
  const all = commands(typeof line === 'string' ? `${line}\r\n` : Buffer.concat([line, octetsOf('\r\n')]));
  assert.is(all.length, 1);
  return all[0]!;
}
const refused = (line: string, reason: RegExp): void => {
  const it = command(line);
  assert.is(it.type, 'malformed', line);
  assert.match(it.type === 'malformed' ? it.reason : '', reason);
};

test('RFC 1939 §3: keywords are case-insensitive', () => {
  assert.equal(command('sTaT'), { type: 'STAT' });
  assert.equal(command('quit'), { type: 'QUIT' });
});

test('RFC 1939 §5 and RFC 2449 §5: commands without arguments', () => {
  for (const type of ['STAT', 'RSET', 'NOOP', 'CAPA', 'QUIT', 'STLS', 'UTF8'] as const) {
    assert.equal(command(type), { type });
    assert.equal(command(`${type}  `), { type });
    refused(`${type} 1`, /takes no argument/);
  }
});

test('RFC 1939 §5: LIST and UIDL take a message number or nothing', () => {
  for (const type of ['LIST', 'UIDL'] as const) {
    assert.equal(command(type), { type });
    assert.equal(command(`${type} `), { type });
    assert.equal(command(`${type} 12`), { type, message: 12 });
    for (const args of ['0', 'x', '1 2', '-1', '+1', '1.0', '0x1', '1e3', ' 1', '2147483648', '99999999999', '\xb2'])
      refused(`${type} ${args}`, /message number/);
  }
});

test('RFC 1939 §5: RETR and DELE take one message number', () => {
  for (const type of ['RETR', 'DELE'] as const) {
    assert.equal(command(`${type} 1`), { type, message: 1 });
    assert.equal(command(`${type} 1 `), { type, message: 1 });
    assert.equal(command(`${type} 2147483647`), { type, message: 2147483647 });
    for (const args of ['', ' ', ' 0', ' x', ' 1 2', ' 1x', ' 2147483648']) refused(type + args, /message number/);
  }
});

test('RFC 1939 §7: TOP takes a message number and a number of lines, which may be 0', () => {
  assert.equal(command('TOP 1 0'), { type: 'TOP', message: 1, lines: 0 });
  assert.equal(command('top 3 10'), { type: 'TOP', message: 3, lines: 10 });
  for (const args of ['', ' 1', ' 0 1', ' 1 -1', ' 1 1 1', ' 1  1', ' x 1', ' 1 x'])
    refused(`TOP${args}`, /number of lines/);
});

test('RFC 1939 §7: USER takes the rest of the line', () => {
  assert.equal(command('USER mrose'), { type: 'USER', name: 'mrose' });
  assert.equal(command('USER joe@example.test '), { type: 'USER', name: 'joe@example.test' });
  assert.equal(command('USER joe bloggs'), { type: 'USER', name: 'joe bloggs' });
  for (const args of ['', ' ', '   ', ' a\tb', ' \x1b[2J']) refused(`USER${args}`, /wants a name/);
});

test('RFC 1939 §7: everything behind "PASS " is the password, spaces too', () => {
  assert.equal(command('PASS a b  c'), { type: 'PASS', secret: 'a b  c' });
  assert.equal(command('pass  a '), { type: 'PASS', secret: ' a ' });
  assert.equal(command('PASS  '), { type: 'PASS', secret: ' ' });
  refused('PASS', /wants a password/);
  refused('PASS ', /wants a password/);
});

test('RFC 1939 §7: APOP takes a name and an MD5 digest in lower-case hexadecimal', () => {
  const digest = 'c4c9334bac560ecc979e58001b3e22fb';
  assert.equal(command(`APOP mrose ${digest}`), { type: 'APOP', name: 'mrose', digest });
  for (const args of ['', ' mrose', ` ${digest}`, `  ${digest}`, ` mrose ${digest.toUpperCase()}`, ` mrose ${digest}0`])
    refused(`APOP${args}`, /MD5 digest/);
});

test('RFC 6856 §2.2: names and passwords are UTF-8, and anything else is refused', () => {
  assert.equal(command(Buffer.from('USER jörg', 'utf8')), { type: 'USER', name: 'jörg' });
  assert.equal(command(Buffer.from('PASS käse', 'utf8')), { type: 'PASS', secret: 'käse' });
  for (const line of [
    'USER j\xf6rg',
    'PASS k\xe4se',
    `APOP j\xf6rg ${'0'.repeat(32)}`,
    'PASS \xc0\x80',
    'PASS \xed\xa0\x80',
  ])
    refused(line, /must be UTF-8/);
  const digest = '0'.repeat(32);
  assert.equal(command(Buffer.from(`APOP jörg ${digest}`, 'utf8')), { type: 'APOP', name: 'jörg', digest });
});

test('RFC 2449 §4: a command of 255 octets passes, one of 256 is too long', () => {
  assert.equal(command(`USER ${'x'.repeat(248)}`), { type: 'USER', name: 'x'.repeat(248) });
  refused(`USER ${'x'.repeat(249)}`, /too long/);
  refused('x'.repeat(254), /too long/);
});

test('PASS may be as long as a password that poppwd sets', () => {
  const secret = 'x'.repeat(MAX_PASS_OCTETS - 'PASS \r\n'.length);
  assert.equal(command(`PASS ${secret}`), { type: 'PASS', secret });
  refused(`PASS ${secret}x`, /too long/);
});

test('a bare LF ends a command as well as CRLF does', () => {
  assert.equal(commands('USER joe\nPASS x\r\nSTAT\n'), [
    { type: 'USER', name: 'joe' },
    { type: 'PASS', secret: 'x' },
    { type: 'STAT' },
  ]);
});

test('RFC 2449 §6.6: commands sent together come one by one, in order', () => {
  assert.equal(
    commands('USER a\r\nPASS b\r\nSTAT\r\nLIST\r\nQUIT\r\n').map((each) => each.type),
    ['USER', 'PASS', 'STAT', 'LIST', 'QUIT'],
  );
});

test('RFC 1939 §3: what is not known is malformed, an empty line too', () => {
  for (const line of ['', ' ', 'XYZZY', 'STARTTLS', 'UTF9', 'AUTH', 'STAT\t', ' STAT', 'US\0ER joe', '\xff\xfe']) {
    assert.is(command(line).type, 'malformed', JSON.stringify(line));
  }
});

test('attack: a sharp s does not fold to SS', () => {
  refused('PA\xdf secret', /unknown command/);
});

test('attack: NUL and bare CR in names, passwords and commands', () => {
  for (const line of ['USER joe\0', 'PASS a\0b', 'PASS a\rb', 'USER a\rb', 'STAT\r', `APOP a\0 ${'0'.repeat(32)}`])
    refused(line, /NUL or CR/);
});

test('a reason holds nothing that the client sent', () => {
  for (const line of [
    'HUNTER2',
    'RETR hunter2',
    'USER \x01hunter2',
    'PASS hunter2\0',
    'STAT hunter2',
    'APOP hunter2 x',
    'AUTH PLAIN hunter2',
    'LANG hunter2_',
  ]) {
    const it = command(line);
    assert.ok(it.type === 'malformed' && !/hunter2/i.test(it.reason));
  }
});

test('attack: an endless line is one malformed command when it ends, and the next is heard', () => {
  const decoder = new Pop3Decoder();
  for (let i = 0; i < 64; i += 1) {
    decoder.push(new Uint8Array(1024 * 1024).fill(0x41));
    assert.is(decoder.next(), undefined);
  }
  decoder.push(octetsOf('\nNOOP\n'));
  assert.equal(decoder.next(), { kind: 'command', command: { type: 'malformed', reason: 'line too long' } });
  assert.equal(decoder.next(), { kind: 'command', command: { type: 'NOOP' } });
});

test('octet by octet the commands are the same', () => {
  const text = 'USER joe\r\nPASS a b \nTOP 1 2\r\n';
  const decoder = new Pop3Decoder();
  const out: Command[] = [];
  for (const octet of oneByOne(octetsOf(text))) {
    decoder.push(octet);
    const piece = decoder.next();
    if (piece?.kind === 'command') out.push(piece.command);
  }
  assert.equal(out, commands(text));
});

test('RFC 2595 §2.1: discard forgets whole commands and half ones', () => {
  const decoder = new Pop3Decoder();
  decoder.push(octetsOf('STAT\r\nDELE 1\r\nDE'));
  assert.is(decoder.next()?.kind, 'command');
  decoder.discard();
  assert.is(decoder.next(), undefined);
  decoder.push(octetsOf('NOOP\r\n'));
  assert.equal(decoder.next(), { kind: 'command', command: { type: 'NOOP' } });
});

const PLAIN = Buffer.from('\0joe\0secret').toString('base64');

test('RFC 5034 §4: AUTH takes a mechanism and perhaps an initial response, in which = is an empty one', () => {
  assert.equal(command('auth plain'), { type: 'AUTH', mechanism: 'PLAIN' });
  assert.equal(command('AUTH PLAIN '), { type: 'AUTH', mechanism: 'PLAIN' });
  assert.equal(command('AUTH x-y_9 ='), { type: 'AUTH', mechanism: 'X-Y_9', initial: new Uint8Array(0) });
  const auth = command(`AUTH PLAIN ${PLAIN}`);
  assert.ok(auth.type === 'AUTH');
  assert.is(String(auth.initial), '\0joe\0secret');
  for (const args of ['', ' ', '  PLAIN', ' PLAIN a b', ` ${'x'.repeat(21)}`, ' PL\xc4IN'])
    refused(`AUTH${args}`, /wants a mech/);
  for (const word of ['=AAA', 'AAA=BBB', 'AA', 'AA=', 'A===', 'AAA*', '==', 'AAAA\xe4', `${PLAIN}=`])
    refused(`AUTH PLAIN ${word}`, /not base64/);
});

/** The one command that a decoder gives which expects a SASL response, and the one after it. */
function response(line: string): Command {
  const decoder = new Pop3Decoder();
  decoder.expect('sasl-response');
  decoder.push(octetsOf(`${line}\r\nNOOP\r\n`));
  const [first, second, third] = [decoder.next(), decoder.next(), decoder.next()];
  assert.equal(second, { kind: 'command', command: { type: 'NOOP' } });
  assert.is(third, undefined);
  assert.ok(first?.kind === 'command');
  return first.command;
}

test('RFC 5034 §4: where a response is expected a line is base64 or *, and the next is a command again', () => {
  const it = response(PLAIN);
  assert.ok(it.type === 'response');
  assert.is(String(it.response), '\0joe\0secret');
  assert.equal(response(''), { type: 'response', response: Buffer.alloc(0) });
  assert.equal(response('*'), { type: 'cancel' });
  for (const line of ['QUIT1', 'USER joe', '**', '=', 'AAA=BBB', 'A B', '\xff\0'])
    assert.equal(response(line), { type: 'malformed', reason: 'not base64' }, line);
});

test('RFC 5034 §4: a response may be longer than a command, up to a bound', () => {
  const longest = 'A'.repeat(MAX_SASL_OCTETS - 4);
  assert.is(response(longest).type, 'response');
  assert.equal(response(`${longest}AAAA`), { type: 'malformed', reason: 'line too long' });
  assert.is(command(`AUTH PLAIN ${'A'.repeat(400)}`).type, 'AUTH');
});

test('a response that was expected and came in half before TLS is forgotten', () => {
  const decoder = new Pop3Decoder();
  decoder.push(octetsOf('AAAA'));
  decoder.discard();
  decoder.push(octetsOf('NOOP\r\n'));
  assert.equal(decoder.next(), { kind: 'command', command: { type: 'NOOP' } });
});

test('RFC 6856 §3.2: LANG takes a language range or nothing', () => {
  assert.equal(command('LANG'), { type: 'LANG' });
  assert.equal(command('LANG *'), { type: 'LANG', range: '*' });
  assert.equal(command('lang DE-at'), { type: 'LANG', range: 'de-at' });
  for (const range of ['d_e', '*-de', 'de-', '-', 'de en', 'abcdefghi', 'd\xe4', '1'])
    refused(`LANG ${range}`, /language or nothing/);
});

test('to expect a body of a POP3 client is our own mistake', () => {
  assert.throws(() => new Pop3Decoder().expect('body'), /send no body/);
  new Pop3Decoder().expect('command');
});

test.run();
