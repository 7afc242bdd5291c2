/** LMTP off the wire: commands, data, and the moments between them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LmtpDecoder, MAX_COMMAND_OCTETS } from '../../../protocols/lmtp/decoder.ts';
import { cut, octetsOf, oneByOne, pieces } from '../../properties/cuts.ts';

/** All pieces; a DATA command is answered with 354 at once. */
const read = (...chunks: string[]) => readChunks(chunks.map(octetsOf));
function readChunks(chunks: readonly Uint8Array[]) {
  const decoder = new LmtpDecoder();
  return pieces(decoder, chunks, (piece) => {
    if (piece.kind === 'command' && piece.command.type === 'DATA') decoder.expect('body');
  });
}
const command = (type: string) => ({ kind: 'command', command: { type } });
const body = (text: string) => ({ kind: 'body', octets: [...octetsOf(text)] });
const end = (bareLf = false) => ({ kind: 'body-end', bareLf });

test('RFC 2033 §4.2: data between its command and its dot, then commands again', () => {
  assert.equal(read('DATA\r\nBlah\r\n..\r\n.\r\nQUIT\r\n'), [
    command('DATA'),
    body('Blah\r\n.\r\n'),
    end(),
    command('QUIT'),
  ]);
});

test('a whole pipelined session is read the same in every cut', () => {
  const text = 'LHLO a.b\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n.\r\nNOOP\r\nDATA\r\n.x\r\n\n.\r\n.\r\nQUIT\r\n';
  const whole = read(text);
  assert.is(whole.length, 10);
  for (let at = 0; at <= text.length; at += 1) assert.equal(readChunks(cut(octetsOf(text), [at / text.length])), whole);
  assert.equal(readChunks(oneByOne(octetsOf(text))), whole);
});

test('RFC 5321 §4.1.1.4: what looks like commands inside the data is data', () => {
  assert.equal(read('DATA\r\nQUIT\r\nRSET\r\n.\r\nNOOP\r\n'), [
    command('DATA'),
    body('QUIT\r\nRSET\r\n'),
    end(),
    command('NOOP'),
  ]);
});

test('RFC 5321 §2.3.8: a command ends at CRLF only', () => {
  assert.equal(read('NOOP\nRSET\n'), []);
  const pieces = read('NOOP\nRSET\r\nQUIT\r\n');
  assert.is(pieces.length, 2);
  assert.equal(pieces[0], {
    kind: 'command',
    command: { type: 'malformed', code: 500, enhanced: '5.5.1', reason: 'unknown command' },
  });
  assert.equal(pieces[1], command('QUIT'));
});

test('RFC 5321 §4.5.3.1.9: of a command over the limit nothing is known, nor of what comes behind it', () => {
  const noop = `NOOP ${'x'.repeat(MAX_COMMAND_OCTETS - 'NOOP \r\n'.length)}`;
  assert.equal(read(`${noop}\r\n${noop}x\r\nQUIT\r\n`), [
    command('NOOP'),
    { kind: 'command', command: { type: 'lost', code: 500, enhanced: '5.5.2', reason: 'line too long' } },
    command('QUIT'),
  ]);
});

test('a body with a bare LF says so at its end, and only that body does', () => {
  assert.equal(read('DATA\r\na\nb\r\n.\r\nDATA\r\nc\r\n.\r\n'), [
    command('DATA'),
    body('a\nb\r\n'),
    end(true),
    command('DATA'),
    body('c\r\n'),
    end(false),
  ]);
});

test('attack: a session that asks for commands inside the data does not get any', () => {
  const decoder = new LmtpDecoder();
  decoder.expect('body');
  decoder.push(octetsOf('a\r\n'));
  assert.is(decoder.next()?.kind, 'body');
  decoder.expect('command');
  decoder.push(octetsOf('QUIT\r\n.\r\nNOOP\r\n'));
  assert.is(decoder.next()?.kind, 'body');
  assert.is(decoder.next()?.kind, 'body-end');
  assert.equal(decoder.next(), command('NOOP'));
});

test('octets of a half line that came before the data was expected are data', () => {
  const decoder = new LmtpDecoder();
  decoder.push(octetsOf('DATA\r\nab'));
  assert.equal(decoder.next(), command('DATA'));
  assert.is(decoder.next(), undefined);
  decoder.expect('body');
  decoder.push(octetsOf('c\r\n.\r\n'));
  const out = [decoder.next(), decoder.next(), decoder.next()].map((p) =>
    p?.kind === 'body' ? Buffer.from(p.bytes).toString() : p,
  );
  assert.equal(out, ['ab', 'c\r\n', end()]);
});

test('RFC 3207 §4.2: discard forgets commands, half commands and data', () => {
  const decoder = new LmtpDecoder();
  decoder.push(octetsOf('NOOP\r\nMAIL FROM:<>\r\nRC'));
  assert.equal(decoder.next(), command('NOOP'));
  decoder.discard();
  assert.is(decoder.next(), undefined);
  decoder.expect('body');
  decoder.push(octetsOf('a\nb'));
  assert.is(decoder.next()?.kind, 'body');
  decoder.discard();
  decoder.push(octetsOf('RSET\r\n'));
  assert.equal(decoder.next(), command('RSET'));
  decoder.expect('body');
  decoder.push(octetsOf('.\r\n'));
  assert.equal(decoder.next(), end(false));
});

const bdat = (sizeOctets: number, last = false) => ({ kind: 'command', command: { type: 'BDAT', sizeOctets, last } });

test('RFC 3030 §2: the octets behind a BDAT are a body, whatever they are, and then commands come again', () => {
  assert.equal(read('BDAT 9\r\n.\r\nQUIT\r\nBDAT 0 LAST\r\nNOOP\r\n'), [
    bdat(9),
    body('.\r\nQUIT\r\n'),
    end(),
    bdat(0, true),
    end(),
    command('NOOP'),
  ]);
});

test('a session of chunks is read the same in every cut', () => {
  const text = 'LHLO a.b\r\nBDAT 5\r\n\r\n.\r\nBDAT 3 x\r\nRSTBDAT 0\r\nDATA\r\nx\r\n.\r\nBDAT 2 LAST\r\n\n\rQUIT\r\n';
  const whole = read(text);
  assert.is(whole.length, 14);
  for (let at = 0; at <= text.length; at += 1) assert.equal(readChunks(cut(octetsOf(text), [at / text.length])), whole);
  assert.equal(readChunks(oneByOne(octetsOf(text))), whole);
});

test('attack: the octets of a malformed BDAT are no commands, and its reply waits for them', () => {
  const decoder = new LmtpDecoder();
  decoder.push(octetsOf('BDAT 12 LOST\r\nRSET\r\nRS'));
  assert.is(decoder.next(), undefined);
  decoder.push(octetsOf('ET\r\nNOOP\r\n'));
  const piece = decoder.next();
  assert.ok(piece?.kind === 'command' && piece.command.type === 'malformed');
  assert.equal(decoder.next(), command('NOOP'));
});

test('attack: what a session expects changes nothing about the octets behind a BDAT', () => {
  const decoder = new LmtpDecoder();
  decoder.push(octetsOf('BDAT 4\r\n.\r\n.QUIT\r\n'));
  assert.equal(decoder.next(), bdat(4));
  decoder.expect('body');
  decoder.expect('command');
  assert.is(decoder.next()?.kind, 'body');
  decoder.expect('body');
  assert.is(decoder.next()?.kind, 'body-end');
  assert.equal(decoder.next(), command('QUIT'));
});

test('RFC 3207 §4.2: discard forgets the octets that a BDAT announced', () => {
  for (const before of ['BDAT 100\r\nab', 'BDAT 100 FIRST\r\nab']) {
    const decoder = new LmtpDecoder();
    decoder.push(octetsOf(before));
    decoder.next();
    decoder.discard();
    decoder.push(octetsOf('NOOP\r\n'));
    assert.equal(decoder.next(), command('NOOP'));
  }
});

test('attack: 1 GB behind a BDAT costs no memory, as a chunk or dropped', () => {
  const chunk = new Uint8Array(1024 * 1024).fill(0x0a);
  for (const marker of ['LAST', 'LOST']) {
    const decoder = new LmtpDecoder();
    decoder.push(octetsOf(`BDAT ${2 ** 30} ${marker}\r\n`));
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1024; i += 1) {
      decoder.push(chunk);
      while (i < 1023 && decoder.next() !== undefined);
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024, 'array buffers grew');
    decoder.push(octetsOf('QUIT\r\n'));
    const last: string[] = [];
    for (let piece = decoder.next(); piece !== undefined; piece = decoder.next())
      last.push(piece.kind === 'command' ? piece.command.type : piece.kind);
    assert.equal(last.slice(-2), [marker === 'LAST' ? 'body-end' : 'malformed', 'QUIT']);
  }
});

test('attack: 1 GB of command without a line end costs no memory and gets one answer', () => {
  const decoder = new LmtpDecoder();
  const chunk = new Uint8Array(1024 * 1024).fill(0x0a);
  const before = process.memoryUsage();
  for (let i = 0; i < 64; i += 1) {
    decoder.push(chunk);
    assert.is(decoder.next(), undefined);
  }
  chunk.fill(0x41);
  for (let i = 0; i < 960; i += 1) {
    decoder.push(chunk);
    assert.is(decoder.next(), undefined);
  }
  const after = process.memoryUsage();
  assert.ok(after.arrayBuffers - before.arrayBuffers < 8 * 1024 * 1024, 'array buffers grew');
  assert.ok(after.heapUsed - before.heapUsed < 64 * 1024 * 1024, 'heap grew');
  decoder.push(octetsOf('\r\n'));
  const piece = decoder.next();
  assert.ok(piece?.kind === 'command' && piece.command.type === 'lost');
});

const BDAT_HEADS = [
  `BDAT 40 LAST${' '.repeat(3_000)}`,
  `bdat 40${'x'.repeat(3_000)}`,
  `${' '.repeat(3_000)}BDAT 40 LAST`,
  `${'\n'.repeat(3_000)}BDAT 40 LAST`,
  `${'x'.repeat(3_000)}`,
  'BDAT\t40 LAST',
  ' BDAT 40 LAST',
  '\t\0bdat 40 LAST',
  'BDAT40 LAST',
  'BDAT:40',
  'BDAT',
  'BDATA 40',
  'BDAT  40 LAST',
  'BDAT 40 LAST\n',
  'BDAT 40 LAST\r',
  'BDAT 40\0LAST',
  'NOOP\nBDAT 40 LAST',
  'MAIL FROM:<a@b>\r BDAT 40 LAST',
];
for (const head of BDAT_HEADS)
  test(`attack: ${JSON.stringify(head.slice(0, 24))} may announce octets for somebody: nothing behind it is a command`, () => {
    for (const chunks of [[`${head}\r\nRSET\r\n`], [`${head}\r`, '\nRSET\r\n'], [...`${head}\r\nRSET\r\n`]]) {
      const [first] = read(...chunks);
      assert.ok(first?.kind === 'command' && first.command.type === 'lost', JSON.stringify(first));
    }
  });

test('a word that only has BDAT in it is no BDAT', () => {
  for (const line of ['XBDAT 40', 'NOOP BDAT 40 LAST']) {
    const [first, second] = read(`${line}\r\nQUIT\r\n`);
    assert.ok(first?.kind === 'command' && first.command.type !== 'lost', line);
    assert.equal(second, command('QUIT'));
  }
});

test.run();
