/** Lines out of octets: ends, limits, and what an attacker without line ends may cost. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LineSplitter } from '../../../protocols/wire/line-splitter.ts';
import { OctetQueue } from '../../../protocols/wire/octet-queue.ts';
import { octetsOf, oneByOne, textOf } from '../../properties/cuts.ts';

function splitter(maxOctets: number, acceptBareLf: boolean) {
  const queue = new OctetQueue();
  const lines = new LineSplitter(queue, { maxOctets, acceptBareLf });
  const read = (...chunks: (string | Uint8Array)[]): string[] => {
    const out: string[] = [];
    for (const chunk of chunks) {
      queue.push(typeof chunk === 'string' ? octetsOf(chunk) : chunk);
      for (let line = lines.next(); line !== undefined; line = lines.next())
        out.push(line.kind === 'line' ? textOf(line.line) : '<too long>');
    }
    return out;
  };
  return { queue, lines, read };
}

test('RFC 1939 §3: a line ends at CRLF, which is no part of it', () => {
  assert.equal(splitter(20, true).read('NOOP\r\n\r\nQUIT\r\n'), ['NOOP', '', 'QUIT']);
  assert.equal(splitter(20, false).read('NOOP\r\n\r\nQUIT\r\n'), ['NOOP', '', 'QUIT']);
});

test('a bare LF ends a line only where it may', () => {
  assert.equal(splitter(20, true).read('a\nb\r\n\nc'), ['a', 'b', '']);
  assert.equal(splitter(20, false).read('a\nb\r\n\nc'), ['a\nb']);
});

test('RFC 5321 §2.3.8: a CR and an LF that came in two chunks are still one CRLF', () => {
  assert.equal(splitter(20, false).read('a\r', '\nb\r', '\r', '\n'), ['a', 'b\r']);
});

test('a bare CR ends nothing', () => {
  assert.equal(splitter(20, true).read('a\rb\r\r\n'), ['a\rb\r']);
  assert.equal(splitter(20, false).read('a\rb\r\r\n'), ['a\rb\r']);
});

test('a line of exactly the limit passes, one octet more is too long, wherever it is cut', () => {
  for (const acceptBareLf of [true, false])
    for (const text of ['12345678\r\n', '123456789\r\n'])
      for (let at = 0; at <= text.length; at += 1) {
        const expected = text.length === 10 ? ['12345678', 'x'] : ['<too long>', 'x'];
        assert.equal(splitter(10, acceptBareLf).read(text.slice(0, at), text.slice(at) + 'x\r\n'), expected);
      }
});

test('attack: many long lines get one report each, when their ends come, and the lines between are whole', () => {
  const long = 'x'.repeat(100);
  const text = `${long}\r\nok\r\n${long}\r\n${long}\r\nok\r\n`;
  const expected = ['<too long>', 'ok', '<too long>', '<too long>', 'ok'];
  assert.equal(splitter(10, false).read(text), expected);
  assert.equal(splitter(10, false).read(...oneByOne(octetsOf(text))), expected);
});

test('attack: 1 GB without a line end is dropped as it comes, and told of once', () => {
  const { read } = splitter(4096, true);
  const chunk = new Uint8Array(1024 * 1024).fill(0x61);
  const before = process.memoryUsage();
  for (let i = 0; i < 1024; i += 1) assert.equal(read(chunk), []);
  const after = process.memoryUsage();
  assert.ok(after.arrayBuffers - before.arrayBuffers < 8 * 1024 * 1024, 'array buffers grew');
  assert.ok(after.heapUsed - before.heapUsed < 64 * 1024 * 1024, 'heap grew');
  assert.equal(read('\r\nNOOP\r\n'), ['<too long>', 'NOOP']);
});

test('attack: bare LFs without end, where they end nothing, are one line that is too long', () => {
  const { read } = splitter(2048, false);
  const chunk = new Uint8Array(1024 * 1024).fill(0x0a);
  for (let i = 0; i < 16; i += 1) assert.equal(read(chunk), []);
  assert.equal(read('\r', '\n'), ['<too long>']);
});

test('attack: a million chunks of one octet, pushed before any is read, take linear time', () => {
  const { queue, lines } = splitter(16, true);
  const octets = octetsOf('NOOP\n').map((octet) => octet);
  for (let i = 0; i < 1_000_000; i += 1) queue.push(octets.subarray(i % 5, (i % 5) + 1));
  let count = 0;
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    assert.is(line.kind === 'line' && textOf(line.line), 'NOOP');
    count += 1;
  }
  assert.is(count, 200_000);
});

test('the beginning of a line is a copy: the chunk that it came in is not kept', () => {
  const { read } = splitter(100, true);
  const chunk = octetsOf('STAT\r\nNO');
  assert.equal(read(chunk), ['STAT']);
  chunk.fill(0x21);
  assert.equal(read('OP\r\n'), ['NOOP']);
});

test('discard forgets the line in progress, long or not', () => {
  const { lines, read } = splitter(10, true);
  read('abc');
  lines.discard();
  assert.equal(read('NOOP\r\n'), ['NOOP']);
  read('x'.repeat(50));
  lines.discard();
  assert.equal(read('NOOP\r\n'), ['NOOP']);
});

test('release gives the line in progress back to the queue', () => {
  const { queue, lines, read } = splitter(10, false);
  read('a\r\nbc', 'd');
  lines.release();
  assert.is(textOf(queue.take()!), 'bcd');
  assert.is(queue.take(), undefined);
});

test.run();
