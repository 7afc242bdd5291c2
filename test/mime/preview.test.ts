/** Previews: RFC 8970. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Preview, previewParts } from '../../mime/preview.ts';
import type { Part } from '../../mime/structure.ts';
import { cut, octetsOf, someCuts } from '../properties/cuts.ts';

const PLAIN = { type: 'text/plain', encoding: '8bit', charset: 'utf-8' };
const HTML = { ...PLAIN, type: 'text/html' };

function preview(text: string, part = PLAIN, cuts: readonly number[] = []): string {
  const it = new Preview(part);
  for (const chunk of cut(Uint8Array.from(Buffer.from(text)), cuts)) it.write(chunk);
  return it.end();
}

test('one line, each run of white space one space', () => {
  assert.is(preview('Hello,\r\n\r\n  this is\tit.\r\n'), 'Hello, this is it.');
});

test('RFC 8970 §3.3: no more than 200 characters, whole ones, and no space at the end', () => {
  assert.is([...preview('😀'.repeat(300))].length, 200);
  assert.is(preview(`${'a'.repeat(199)} b`), 'a'.repeat(199));
  assert.is(preview(`${'a'.repeat(198)} bc`), `${'a'.repeat(198)} b`);
  assert.ok([...preview('word '.repeat(100))].length <= 200);
});

test('quotations are passed over', () => {
  assert.is(preview('> > old\r\n>old\r\nnew\r\n> old\r\nnewer'), 'new newer');
});

test('quotations are shown where there is nothing else', () => {
  assert.is(preview('> > old\r\n>older\r\n'), 'old older');
});

test('HTML is shown as text, its quotations passed over too', () => {
  assert.is(preview('<style>x</style><p>Caf&eacute;</p><blockquote>old<br>old</blockquote><div>new', HTML), 'Café new');
});

test('transfer encodings and charsets are taken off', () => {
  const it = new Preview({ type: 'text/plain', encoding: 'base64', charset: 'iso-8859-1' });
  it.write(octetsOf('Y2Fm6Q=='));
  assert.is(it.end(), 'café');
});

test('letters without a form, which fill the beginning of newsletters, are none', () => {
  assert.is(preview('\u200b\u034f\u00ad \u200c\ufeffReal \u200c\u200btext'), 'Real text');
  assert.is(preview('👨\u200d👩'), '👨\u200d👩');
});

test('RFC 8970 §3.2: nothing to show is the empty string', () => {
  for (const text of ['', '\r\n \r\n', '>\r\n>']) assert.is(preview(text), '');
  assert.is(new Preview({ type: 'text/plain', encoding: 'x-none' }).end(), '');
});

test('it is done when it has enough, and when it has read enough', () => {
  const short = new Preview(PLAIN);
  short.write(octetsOf('a'.repeat(199)));
  assert.not.ok(short.done);
  short.write(octetsOf('aa'));
  assert.ok(short.done);
  const quoted = new Preview(PLAIN);
  for (let n = 0; n < 20 && !quoted.done; n += 1) quoted.write(octetsOf('> quoted\r\n'.repeat(10_000)));
  assert.ok(quoted.done);
  assert.match(quoted.end(), /^quoted quoted/);
});

const part = (from: number, more: Partial<Part>): Part => ({
  from,
  body: from,
  to: from + 1,
  lines: 0,
  kind: 'leaf',
  parts: [],
  type: 'text/plain',
  encoding: '7bit',
  ...more,
});

test('the parts to try are the first that are plain text or HTML and not empty', () => {
  const message = part(0, {
    kind: 'multipart',
    type: 'multipart/mixed',
    parts: [
      part(1, { type: 'image/png' }),
      part(2, { to: 2 }),
      part(3, {
        kind: 'multipart',
        type: 'multipart/alternative',
        parts: [part(4, {}), part(5, { type: 'text/html' })],
      }),
      part(6, { kind: 'message', type: 'message/rfc822', parts: [part(7, {})] }),
      part(8, {}),
    ],
  });
  assert.equal(
    previewParts(message).map(({ from }) => from),
    [4, 5, 7],
  );
  assert.equal(previewParts(part(0, { type: 'application/pkcs7-mime' })), []);
});

const texts = fc.array(
  fc.constantFrom('>', ' ', '\r\n', 'a', '<p>', '<', '&amp;', 'é', '😀', '<blockquote>', 'w'.repeat(90)),
  { maxLength: 15 },
);

test('property: cut anywhere, the preview is the same, and never too long', () =>
  fc.assert(
    fc.property(texts, someCuts, fc.boolean(), (parts, cuts, isHtml) => {
      const part = isHtml ? HTML : PLAIN;
      const whole = preview(parts.join(''), part);
      assert.is(preview(parts.join(''), part, cuts), whole);
      assert.ok([...whole].length <= 200);
      assert.not.match(whole, /^\s|\s$|\s\s|[\r\n]/);
    }),
    { numRuns: 1000, seed: 8970 },
  ));

test.run();
