/** Dot-stuffing both ways, and every way known to smuggle an end of data. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DotStuffer, DotUnstuffer } from '../../../protocols/wire/dot-stuffing.ts';
import { OctetQueue } from '../../../protocols/wire/octet-queue.ts';
import { octetsOf, textOf } from '../../properties/cuts.ts';

function stuffed(...chunks: string[]): string {
  const stuffer = new DotStuffer();
  const out = chunks.map((chunk) => textOf(stuffer.stuff(octetsOf(chunk)))).join('');
  return out + textOf(stuffer.end());
}

/** Reads one message; what is left in the queue is what comes after it. */
function unstuffed(...chunks: string[]) {
  const queue = new OctetQueue();
  const message = new DotUnstuffer(queue);
  let body = '';
  for (const [i, chunk] of chunks.entries()) {
    queue.push(octetsOf(chunk));
    for (let piece = message.next(); piece !== undefined; piece = message.next()) {
      if (piece.kind === 'body-end') {
        let rest = '';
        for (let left = queue.take(); left !== undefined; left = queue.take()) rest += textOf(left);
        return { body, bareLf: piece.bareLf, rest: rest + chunks.slice(i + 1).join('') };
      }
      assert.ok(piece.bytes.length > 0, 'an empty piece');
      body += textOf(piece.bytes);
    }
  }
  return { body, bareLf: undefined, rest: undefined };
}

/** The same in every cut in two, and octet by octet. */
function everyCut(text: string) {
  const whole = unstuffed(text);
  for (let at = 1; at < text.length; at += 1) assert.equal(unstuffed(text.slice(0, at), text.slice(at)), whole);
  assert.equal(unstuffed(...text), whole);
  return whole;
}

test('RFC 1939 §3: a dot that begins a line is doubled, and a line of one dot ends the message', () => {
  assert.is(stuffed('.a\r\nb.\r\n.\r\n..\r\n'), '..a\r\nb.\r\n..\r\n...\r\n.\r\n');
});

test('RFC 1939 §3: the terminating line begins on a line of its own', () => {
  assert.is(stuffed(''), '.\r\n');
  assert.is(stuffed('a\r\n'), 'a\r\n.\r\n');
  assert.is(stuffed('a'), 'a\r\n.\r\n');
  assert.is(stuffed('a\r'), 'a\r\r\n.\r\n');
  assert.is(stuffed('a\n'), 'a\n\r\n.\r\n');
});

test('a dot after CRLF is doubled wherever the octets are cut', () => {
  const text = '.a\r\n.\r\n\r\r\n.b\n.c\r.d\r\n..';
  for (let at = 0; at <= text.length; at += 1) assert.is(stuffed(text.slice(0, at), text.slice(at)), stuffed(text));
  assert.is(stuffed(...text), '..a\r\n..\r\n\r\r\n..b\n.c\r.d\r\n...\r\n.\r\n');
});

test('a chunk without dots to double is passed as the same object', () => {
  const chunk = octetsOf('a\r\nb.c\r\n');
  assert.is(new DotStuffer().stuff(chunk), chunk);
});

test('RFC 5321 §4.5.2: one leading dot is taken away, and a single dot ends the data', () => {
  assert.equal(everyCut('..a\r\n...\r\nb.\r\n.c\r\n.\r\nQUIT\r\n'), {
    body: '.a\r\n..\r\nb.\r\nc\r\n',
    bareLf: false,
    rest: 'QUIT\r\n',
  });
});

test('RFC 5321 §4.1.1.4: a dot right at the beginning ends data without octets', () => {
  assert.equal(everyCut('.\r\nQUIT\r\n'), { body: '', bareLf: false, rest: 'QUIT\r\n' });
});

test('the CRLF before the final dot belongs to the message, the one behind it does not', () => {
  assert.is(everyCut('a\r\n.\r\n').body, 'a\r\n');
  assert.is(everyCut('a\r\n\r\n.\r\n').body, 'a\r\n\r\n');
});

const smuggled = 'MAIL FROM:<evil@example.test>\r\n';
const attacks: readonly [name: string, end: string, bareLf: boolean][] = [
  ['LF.LF', '\n.\n', true],
  ['LF.CRLF', '\n.\r\n', true],
  ['CRLF.LF', '\r\n.\n', true],
  ['CR.CR', '\r.\r', false],
  ['CR.CRLF', '\r.\r\n', false],
  ['CRLF.CR', '\r\n.\r', false],
  ['LF.CR', '\n.\r', true],
  ['CR.LF', '\r.\n', true],
  ['CRLF.CRCRLF', '\r\n.\r\r\n', false],
  ['CRLF.NUL.CRLF', '\r\n.\0\r\n', false],
  ['CRLF NUL.CRLF', '\r\n\0.\r\n', false],
  ['CRLF.SP.CRLF', '\r\n. \r\n', false],
];
for (const [name, end, bareLf] of attacks)
  test(`attack: ${name} does not end the data`, () => {
    const result = everyCut(`hello${end}${smuggled}\r\n.\r\nNOOP\r\n`);
    assert.is(result.rest, 'NOOP\r\n');
    assert.is(result.bareLf, bareLf);
    const kept = end.startsWith('\r\n.') ? '\r\n' + end.slice(3) : end; // all octets but a stuffing dot
    assert.is(result.body, `hello${kept}${smuggled}\r\n`);
  });

test('attack: LF.LF at the very beginning of the data ends nothing either', () => {
  assert.equal(everyCut('.\nb\r\n.\r\n'), { body: '\nb\r\n', bareLf: true, rest: '' });
  assert.equal(everyCut('\n.\r\nb\r\n.\r\n'), { body: '\n.\r\nb\r\n', bareLf: true, rest: '' });
});

test('a bare CR stays what it is', () => {
  assert.equal(everyCut('a\rb\r\r\nc\r\n.\r\n'), { body: 'a\rb\r\r\nc\r\n', bareLf: false, rest: '' });
  assert.equal(everyCut('.\ra\r\n.\r\n'), { body: '\ra\r\n', bareLf: false, rest: '' });
  assert.equal(everyCut('.\r\r\n.\r\n'), { body: '\r\r\n', bareLf: false, rest: '' });
});

test('CRLF CR.CRLF: CR CR LF ends a line, so the dot after it counts', () => {
  assert.equal(everyCut('a\r\r\n.\r\nNOOP\r\n'), { body: 'a\r\r\n', bareLf: false, rest: 'NOOP\r\n' });
});

test('a bare LF in one message is not held against the next', () => {
  const queue = new OctetQueue();
  const message = new DotUnstuffer(queue);
  queue.push(octetsOf('a\n\r\n.\r\nb\r\n.\r\n'));
  const ends: unknown[] = [];
  for (let piece = message.next(); piece !== undefined; piece = message.next())
    if (piece.kind === 'body-end') ends.push(piece);
  assert.equal(ends, [
    { kind: 'body-end', bareLf: true },
    { kind: 'body-end', bareLf: false },
  ]);
});

test('a chunk without dots to take out comes back as a view of it', () => {
  const queue = new OctetQueue();
  const chunk = octetsOf('a\r\nb\r\n');
  queue.push(chunk);
  const piece = new DotUnstuffer(queue).next();
  assert.ok(piece?.kind === 'body' && piece.bytes.buffer === chunk.buffer && piece.bytes.length === chunk.length);
});

test('attack: a body of nothing but dots gives one piece for each chunk, no larger than it', () => {
  const queue = new OctetQueue();
  const message = new DotUnstuffer(queue);
  for (let i = 0; i < 4; i += 1) {
    const chunk = octetsOf('..\r\n'.repeat(16_384));
    queue.push(chunk);
    const piece = message.next();
    assert.ok(piece?.kind === 'body' && piece.bytes.length === (chunk.length / 4) * 3);
    assert.is(message.next(), undefined);
  }
});

test('attack: a gigabyte of data without an end is passed on and not kept', () => {
  const queue = new OctetQueue();
  const message = new DotUnstuffer(queue);
  const chunk = new Uint8Array(1024 * 1024).fill(0x2e);
  const before = process.memoryUsage();
  let octets = 0;
  for (let i = 0; i < 1024; i += 1) {
    queue.push(chunk);
    for (let piece = message.next(); piece !== undefined; piece = message.next())
      if (piece.kind === 'body') octets += piece.bytes.length;
  }
  const after = process.memoryUsage();
  assert.is(octets, 1024 * 1024 * 1024 - 1);
  assert.ok(after.arrayBuffers - before.arrayBuffers < 8 * 1024 * 1024, 'array buffers grew');
  assert.ok(after.heapUsed - before.heapUsed < 64 * 1024 * 1024, 'heap grew');
});

test.run();
