/** One message out of many chunks: RFC 3030 §2. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContentLost, IncomingContent } from '../../../actors/incoming-content.ts';
import { Chunks } from '../../../actors/lmtp/chunks.ts';
import type { Content } from '../../../actors/session.ts';

async function* pieces(...texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text, 'latin1');
}
const content = (...texts: readonly string[]): Content => Object.assign(pieces(...texts), { bareLf: false });

async function read(chunks: Chunks): Promise<string> {
  let text = '';
  for await (const bytes of chunks) text += Buffer.from(bytes).toString('latin1');
  return text;
}

test('chunks are read as one, each taken when the reader has had all of it, and the last ends it', async () => {
  const chunks = new Chunks();
  const whole = read(chunks);
  assert.is(await chunks.take(content('one', 'two'), false), 'taken');
  assert.is(await chunks.take(content(), false), 'taken');
  assert.is(await chunks.take(content('three'), true), 'taken');
  assert.is(await whole, 'onetwothree');
  assert.is(chunks.bareLf, false);
});

test('a chunk that comes before its reader waits for it', async () => {
  const chunks = new Chunks();
  const taken = chunks.take(content('x'), true);
  assert.is(await read(chunks), 'x');
  assert.is(await taken, 'taken');
});

test('CRLF across two chunks is a line end, LF at the beginning of one is bare', async () => {
  for (const [first, second, bare] of [
    ['a\r', '\nb', false],
    ['a', '\nb', true],
    ['', '\n', true],
  ] as const) {
    const chunks = new Chunks();
    const whole = read(chunks);
    await chunks.take(content(first), false);
    await chunks.take(content(second), true);
    await whole;
    assert.is(chunks.bareLf, bare, JSON.stringify([first, second]));
  }
});

test('a reader that leaves early drops the chunk under way, and gets no other', async () => {
  const chunks = new Chunks();
  const incoming = new IncomingContent(() => {});
  const taken = chunks.take(incoming, false);
  const reading = (async () => {
    for await (const _ of chunks) break;
  })();
  await new Promise((resolve) => setImmediate(resolve));
  incoming.give(Buffer.from('x'));
  await reading;
  assert.is(await taken, 'dropped');
  assert.ok(incoming.wants, 'the rest is dropped as it comes');
  assert.is(await chunks.take(content('y'), true), 'dropped');
  assert.throws(() => chunks.bareLf, /known only at the end/);
});

test('a transaction that is given up between two chunks makes the reader throw', async () => {
  for (const before of [true, false]) {
    const chunks = new Chunks();
    if (before) chunks.giveUp();
    const whole = read(chunks).catch((fault) => fault);
    if (!before) {
      await chunks.take(content('half'), false);
      chunks.giveUp();
    }
    assert.ok((await whole) instanceof ContentLost);
  }
});

test('a chunk whose client vanishes makes the reader throw', async () => {
  const chunks = new Chunks();
  const incoming = new IncomingContent(() => {});
  const taken = chunks.take(incoming, true);
  const whole = read(chunks).catch((fault) => fault);
  incoming.fail('the client is gone');
  assert.ok((await whole) instanceof ContentLost);
  assert.is(await taken, 'dropped');
});

test('to give up behind the last chunk changes nothing', async () => {
  const chunks = new Chunks();
  const whole = read(chunks);
  await chunks.take(content('x\n'), true);
  chunks.giveUp();
  assert.is(await whole, 'x\n');
  assert.ok(chunks.bareLf);
});

test.run();
