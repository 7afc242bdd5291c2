/** The top of a message: RFC 1939 §7 TOP. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Top, top } from '../../mime/top.ts';
import { cut, octetsOf, oneByOne, someCuts, textOf, wireOctets } from '../properties/cuts.ts';

function pass(chunks: readonly Uint8Array[], lines: number) {
  const cutter = new Top(lines);
  return { text: chunks.map((chunk) => textOf(cutter.pass(chunk))).join(''), done: cutter.done };
}
const whole = (text: string, lines: number) => pass([octetsOf(text)], lines);

test('RFC 1939 §7: TOP n 0 is the header section and its empty line', () => {
  assert.equal(whole('A: b\r\n\r\nc\r\nd\r\n', 0), { text: 'A: b\r\n\r\n', done: true });
});

test('RFC 1939 §7: TOP n m adds m lines of the body, empty ones counted', () => {
  assert.equal(whole('A: b\r\n\r\nc\r\n\r\nd\r\n', 1), { text: 'A: b\r\n\r\nc\r\n', done: true });
  assert.equal(whole('A: b\r\n\r\nc\r\n\r\nd\r\n', 2), { text: 'A: b\r\n\r\nc\r\n\r\n', done: true });
});

test('RFC 1939 §7: more lines than there are give the whole message', () => {
  assert.equal(whole('A: b\r\n\r\nc\r\nd', 9), { text: 'A: b\r\n\r\nc\r\nd', done: false });
  assert.equal(whole('A: b\r\n', 0), { text: 'A: b\r\n', done: false });
  assert.equal(whole('', 0), { text: '', done: false });
});

test('a bare LF or CR ends no line of the body', () => {
  assert.equal(whole('\r\na\nb\rc\r\nd\r\n', 1), { text: '\r\na\nb\rc\r\n', done: true });
});

test('property: however a message is cut, its top is the same', () =>
  fc.assert(
    fc.property(wireOctets(80), fc.nat(6), someCuts, (octets, lines, cuts) => {
      const expected = pass([octets], lines);
      assert.equal(pass(cut(octets, cuts), lines), expected);
      assert.equal(pass(oneByOne(octets), lines), expected);
      const text = textOf(octets);
      const header = ('\r\n' + text).indexOf('\r\n\r\n');
      const head = header < 0 ? text : text.slice(0, header + 2);
      const body = text
        .slice(head.length)
        .split('\r\n')
        .slice(0, lines + 1);
      const short = body.length <= lines || header < 0;
      assert.is(
        expected.text,
        short
          ? text
          : head +
              body
                .slice(0, lines)
                .map((line) => line + '\r\n')
                .join(''),
      );
    }),
    { numRuns: 500, seed: 1939 },
  ));

test('the rest of a message is not read, and its source is left', async () => {
  let given = 0;
  let left = false;
  async function* endless() {
    try {
      yield octetsOf('A: b\r\n\r\n');
      for (;;) {
        given += 1;
        yield octetsOf('line\r\n');
      }
    } finally {
      left = true;
    }
  }
  let text = '';
  for await (const chunk of top(endless(), 2)) text += textOf(chunk);
  assert.is(text, 'A: b\r\n\r\nline\r\nline\r\n');
  assert.equal([given, left], [2, true]);
});

test('a fault of the source goes through', async () => {
  async function* broken() {
    yield octetsOf('A: b\r\n');
    throw new Error('gone');
  }
  try {
    for await (const _ of top(broken(), 0));
    assert.unreachable();
  } catch (fault) {
    assert.match(String(fault), /gone/);
  }
});

test.run();
