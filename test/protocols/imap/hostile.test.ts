/** IMAP clients that mean harm: each input in bounded time and memory, with an answer, and never taken for a command. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command } from '../../../protocols/imap/command.ts';
import { ImapDecoder } from '../../../protocols/imap/decoder.ts';
import { octetsOf, pieces } from '../../properties/cuts.ts';
import { read, readAll, reasonFor } from './reading.ts';

const MEBIBYTE = 1024 * 1024;

/** What a decoder says to chunks that are pushed again and again. */
function flood(first: string, chunk: Uint8Array, times: number, last: string): Command[] {
  const decoder = new ImapDecoder();
  const said: Command[] = [];
  const drain = () => {
    for (let piece = decoder.next(); piece !== undefined; piece = decoder.next())
      if (piece.kind === 'command') said.push(piece.command);
  };
  decoder.push(octetsOf(first));
  drain();
  const before = process.memoryUsage();
  for (let i = 0; i < times; i += 1) {
    decoder.push(chunk);
    drain();
  }
  const after = process.memoryUsage();
  assert.ok(after.arrayBuffers - before.arrayBuffers < 8 * MEBIBYTE, 'array buffers grew');
  assert.ok(after.heapUsed - before.heapUsed < 64 * MEBIBYTE, 'heap grew');
  decoder.push(octetsOf(last));
  drain();
  return said;
}

const noop: Command = { type: 'NOOP', tag: 'z' };

test('attack: 1 GB without a line end costs no memory and gets one answer', () => {
  const said = flood('a LOGIN ', new Uint8Array(MEBIBYTE).fill(0x41), 1024, '\r\nz NOOP\r\n');
  assert.equal(said, [{ type: 'malformed', tag: 'a', reason: 'command too long' }, noop]);
});

test('attack: 1 GB in a literal that nobody asked for is read past, and gets one answer', () => {
  const chunk = octetsOf('z LOGOUT\r\n'.repeat(100_000));
  const said = flood(`a LOGIN {${chunk.length * 1000}+}\r\n`, chunk, 1000, '\r\nz NOOP\r\n');
  assert.equal(said, [{ type: 'malformed', tag: 'a', reason: 'literals too large' }, noop]);
});

test('attack: a literal at the end of a line that is too long is no command either', () => {
  for (const length of [70_000, 200_000]) {
    const line = `a LOGIN ${'x'.repeat(length)} {12+}\r\nz LOGOUT\r\n\r\n\r\nz NOOP\r\n`;
    const answers = [{ type: 'malformed', tag: 'a', reason: 'command too long' }, noop];
    assert.equal(readAll(line), answers);
    const decoder = new ImapDecoder();
    const one = pieces(
      decoder,
      [...line].map((c) => octetsOf(c)),
    );
    assert.equal(
      one.map((p) => p.kind === 'command' && p.command),
      answers,
    );
  }
});

test('attack: {4294967296} and larger are refused at once when their client waits', () => {
  for (const size of ['4294967296', '18446744073709551616', '9'.repeat(40)])
    assert.equal(readAll(`a LOGIN {${size}}\r\nz NOOP\r\n`), [
      { type: 'malformed', tag: 'a', reason: 'literals too large' },
      noop,
    ]);
  assert.is(readAll(`a LOGIN {${'9'.repeat(40)}+}\r\nz NOOP\r\n`).length, 1);
});

test('attack: {0000000005+} announces five octets', () => {
  assert.equal(read('a LOGIN {0000000005+}\r\nabcde x'), { type: 'LOGIN', tag: 'a', name: 'abcde', secret: 'x' });
});

test('attack: a literal flood is refused at its thousand and first, and read past to its end', () => {
  const flooded = `a SEARCH${' {1+}\r\nx'.repeat(5_000)}\r\nz NOOP\r\n`;
  assert.equal(readAll(flooded), [{ type: 'malformed', tag: 'a', reason: 'too many literals' }, noop]);
});

test('attack: a literal where none may stand is still no command', () => {
  assert.equal(readAll('a NOOP {10+}\r\nb LOGOUT\r\n\r\nz NOOP\r\n'), [
    { type: 'malformed', tag: 'a', reason: 'NOOP: too many arguments' },
    noop,
  ]);
  assert.equal(readAll('a XYZZY{10+}\r\nb LOGOUT\r\n\r\nz NOOP\r\n'), [
    { type: 'malformed', tag: 'a', reason: 'unknown command' },
    noop,
  ]);
  assert.equal(readAll('{10+}\r\nb LOGOUT\r\n\r\nz NOOP\r\n'), [{ type: 'malformed', reason: 'no tag' }, noop]);
  assert.is(reasonFor('LOGIN "joe {3+}\r\nx" y'), 'LOGIN: a string has no end');
  assert.is(reasonFor('LOGIN joe ~{3+}\r\nabc'), 'LOGIN: a literal stands where none may');
});

test('attack: NUL is refused in a line and in a string, and CR alone in a line', () => {
  assert.is(reasonFor('LOGIN "a\0b" c'), 'NUL, CR or LF in a command');
  assert.is(reasonFor('LOGIN {3+}\r\na\0b c'), 'LOGIN: NUL in a string');
  assert.is(reasonFor('LOGIN "a\rb" c'), 'NUL, CR or LF in a command');
  assert.is(reasonFor('NOOP\r'), 'NUL, CR or LF in a command');
  assert.equal(readAll('\0\r\n'), [{ type: 'malformed', reason: 'NUL, CR or LF in a command' }]);
});

test('octets above ASCII stand in quoted strings and literals, as UTF-8, and nowhere else', () => {
  const utf8 = Buffer.from('Entwürfe', 'utf8').toString('latin1');
  assert.equal(read(`a SELECT "${utf8}"`), { type: 'SELECT', tag: 'a', mailbox: 'Entwürfe', condstore: false });
  assert.equal(read(`a SELECT {9+}\r\n${utf8}`), { type: 'SELECT', tag: 'a', mailbox: 'Entwürfe', condstore: false });
  assert.is(reasonFor(`SELECT ${utf8}`), 'SELECT: a space was expected');
  assert.is(reasonFor('SELECT "\xff"'), 'SELECT: text must be UTF-8');
  assert.is(reasonFor('SELECT "\xed\xa0\x80"'), 'SELECT: text must be UTF-8');
  assert.equal(readAll('\xfc NOOP\r\n'), [{ type: 'malformed', reason: 'no tag' }]);
  assert.is(reasonFor('NOO\xdf'), 'unknown command');
});

test('attack: words that grow when they are made upper-case are no keywords', () => {
  assert.is(reasonFor('\xdfELECT x'), 'unknown command');
  assert.is(reasonFor('SEARCH \xdf'), 'SEARCH: an atom was expected');
});

test('lines without a tag get an untagged answer, and each one answer', () => {
  const lines = [
    '',
    ' ',
    '+ NOOP',
    '* NOOP',
    'a+b NOOP',
    '(a) NOOP',
    '"a" NOOP',
    'a% NOOP',
    ' a NOOP',
    `${'x'.repeat(257)} NOOP`,
  ];
  for (const line of lines) assert.equal(readAll(`${line}\r\n`), [{ type: 'malformed', reason: 'no tag' }], line);
});

test('a tag alone, and what stands behind one that is no keyword, get a tagged answer', () => {
  assert.equal(read('a'), { type: 'malformed', tag: 'a', reason: 'no command' });
  assert.is(reasonFor(''), 'no command');
  assert.is(reasonFor(' NOOP'), 'unknown command');
  assert.is(reasonFor('"NOOP"'), 'unknown command');
  assert.is(reasonFor('constructor'), 'unknown command');
  assert.is(reasonFor('__proto__ x'), 'unknown command');
  assert.equal(read(`${'x'.repeat(256)} NOOP`), { type: 'NOOP', tag: 'x'.repeat(256) });
});

test('attack: UID UID FETCH', () => {
  const misplaced = 'UID goes before COPY, EXPUNGE, FETCH, MOVE, SEARCH, SORT, STORE or THREAD';
  for (const line of ['UID UID FETCH 1 UID', 'UID', 'UID ', 'UID NOOP', 'uid append x'])
    assert.is(reasonFor(line), misplaced, line);
});

/** Each is a whole line of about 64 KiB. */
const LONG: readonly (readonly [string, string, string])[] = [
  ['10,000 parentheses', `SEARCH ${'('.repeat(60_000)}`, 'SEARCH: nested too deep'],
  ['10,000 parentheses that close', `SEARCH ${'('.repeat(30_000)}ALL${')'.repeat(30_000)}`, 'SEARCH: nested too deep'],
  ['NOT NOT NOT', `SEARCH ${'NOT '.repeat(15_000)}ALL`, 'SEARCH: nested too deep'],
  ['OR OR OR', `SEARCH ${'OR '.repeat(20_000)}ALL`, 'SEARCH: nested too deep'],
  ['search keys without end', `SEARCH${' ALL'.repeat(16_000)}`, 'SEARCH: too many arguments in a list'],
  ['search keys in a list', `SEARCH (${'ALL '.repeat(15_000)}ALL)`, 'SEARCH: too many arguments in a list'],
  ['10,000 brackets', `FETCH 1 BODY${'['.repeat(60_000)}`, 'FETCH: an atom was expected'],
  ['10,000 parts within parts', `FETCH 1 BODY[${'1.'.repeat(30_000)}TEXT]`, 'FETCH: nested too deep'],
  ['data items without end', `FETCH 1 (${'UID '.repeat(15_000)}UID)`, 'FETCH: too many arguments in a list'],
  [
    'fields without end',
    `FETCH 1 BODY[HEADER.FIELDS (${'a '.repeat(30_000)}b)]`,
    'FETCH: too many arguments in a list',
  ],
  ['backslashes without end', `LOGIN "${'\\\\'.repeat(30_000)}`, 'LOGIN: a string has no end'],
  ['a string without end', `LOGIN "${'a'.repeat(60_000)}`, 'LOGIN: a string has no end'],
  ['flags without end', `STORE 1 FLAGS (${'a '.repeat(30_000)}b)`, 'STORE: too many arguments in a list'],
  ['patterns without end', `LIST "" (${'a '.repeat(30_000)}b)`, 'LIST: too many arguments in a list'],
  ['entries without end', `GETMETADATA x (${'/a '.repeat(20_000)}/b)`, 'GETMETADATA: too many arguments in a list'],
  ['an entry of slashes', `GETMETADATA x ${'/'.repeat(60_000)}`, 'GETMETADATA: an entry name is not well formed'],
  ['digits without end', `FETCH ${'9'.repeat(60_000)} UID`, 'FETCH: a sequence set was expected'],
  ['a number without end', `SEARCH LARGER ${'9'.repeat(60_000)}`, 'SEARCH: a number was expected'],
  ['commas without end', `FETCH 1${','.repeat(60_000)} UID`, 'FETCH: a sequence set was expected'],
  ['spaces without end', `SEARCH ALL${' '.repeat(60_000)}x`, 'SEARCH: an atom was expected'],
  ['spaces in lists', `STORE 1 FLAGS (${' '.repeat(60_000)})`, 'STORE: a flag was expected'],
  ['a keyword without end', 'N'.repeat(60_000), 'unknown command'],
  ['an atom for a date', `SEARCH ON ${'1'.repeat(60_000)}`, 'SEARCH: a date was expected'],
  ['equal signs for base64', `AUTHENTICATE X ${'='.repeat(60_000)}`, 'AUTHENTICATE: not base64'],
];
for (const [what, line, reason] of LONG)
  test(`attack: ${what}`, () => {
    assert.is(reasonFor(line), reason);
  });

test('attack: the longest lines that are well formed', () => {
  const sets = Array.from({ length: 9_000 }, (_, i) => 60_000 - 2 * i).join(',');
  const lines = [
    `FETCH ${sets} UID`,
    `SEARCH ${'1 '.repeat(1_999)}2`,
    `SEARCH ${'NOT '.repeat(99)}${'(ALL)'}`.replace('(ALL)', 'ALL'),
    `LOGIN "${'\\"'.repeat(30_000)}" x`,
    `ENABLE ${'A '.repeat(30_000)}B`,
    `NOOP${' '.repeat(60_000)}`,
  ];
  for (const line of lines) assert.is.not(read(`a ${line}`).type, 'malformed', line.slice(0, 40));
});

test('attack: 60,000 octets pushed one by one', () => {
  const line = octetsOf(`a FETCH ${'1,'.repeat(30_000)}1 UID\r\n`);
  const decoder = new ImapDecoder();
  for (const octet of line) {
    decoder.push(Uint8Array.of(octet));
    const piece = decoder.next();
    if (piece !== undefined) assert.ok(piece.kind === 'command' && piece.command.type === 'FETCH');
  }
});

test('attack: 100,000 commands in one push come one by one', () => {
  const decoder = new ImapDecoder();
  decoder.push(octetsOf('z NOOP\r\n'.repeat(100_000)));
  let count = 0;
  for (let piece = decoder.next(); piece !== undefined; piece = decoder.next()) count += 1;
  assert.is(count, 100_000);
});

test('attack: a client that announces a large literal and sends little of it costs no more than it sent', () => {
  const decoder = new ImapDecoder();
  decoder.authenticated();
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 200 }, () => {
    const one = new ImapDecoder();
    one.authenticated();
    one.push(octetsOf('a LOGIN {262144}\r\nx'));
    for (let piece = one.next(); piece !== undefined; piece = one.next());
    return one;
  });
  assert.is(decoders.length, 200);
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 * MEBIBYTE, 'array buffers grew');
});

test.run();
