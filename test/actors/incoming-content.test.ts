/** Incoming content: pulled, read once, ended only by its true end. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContentLost, IncomingContent } from '../../actors/incoming-content.ts';

const bytes = Uint8Array.of(1, 2, 3);
const thrownBy = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

test('a piece is asked for only when the reader pulls', async () => {
  let pulls = 0;
  const content = new IncomingContent(() => {
    pulls += 1;
  });
  assert.is(content.wants, false);
  const next = content.next();
  assert.is(pulls, 1);
  assert.is(content.wants, true);
  content.give(bytes);
  assert.is(content.wants, false);
  assert.equal(await next, { done: false, value: bytes });
});

test('it ends at its end, and then tells whether a bare LF was seen', async () => {
  const content = new IncomingContent(() => {});
  assert.throws(() => content.bareLf, /known only at the end/);
  const next = content.next();
  content.end(true);
  assert.equal(await next, { done: true, value: undefined });
  assert.equal(await content.next(), { done: true, value: undefined });
  assert.is(content.bareLf, true);
});

test('lost content throws, to the reader that waits and to one that comes later', async () => {
  const content = new IncomingContent(() => {});
  const next = content.next();
  content.fail('the client is gone');
  assert.ok((await thrownBy(next)) instanceof ContentLost);
  assert.ok((await thrownBy(content.next())) instanceof ContentLost);
});

test('content that was left early wants to be dropped, and never seems to end', async () => {
  const content = new IncomingContent(() => {});
  await content.return();
  assert.is(content.wants, true);
  content.give(bytes);
  content.end(false);
  assert.ok((await thrownBy(content.next())) instanceof ContentLost);
  assert.throws(() => content.bareLf);
});

test('losing content that was whole changes nothing', async () => {
  const content = new IncomingContent(() => {});
  content.end(false);
  content.fail('the client is gone');
  assert.equal(await content.next(), { done: true, value: undefined });
});

test('it has one reader: a second pull while one waits is refused', async () => {
  const content = new IncomingContent(() => {});
  const first = content.next();
  assert.match(String(await thrownBy(content.next())), /one pull at a time/);
  content.give(bytes);
  assert.equal(await first, { done: false, value: bytes });
});

test.run();
