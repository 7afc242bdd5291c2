/** What a message must be to be delivered: sizes, its header section, its line ends. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContentRefused, type Rules, screened } from '../../../actors/lmtp/screen.ts';
import type { Content } from '../../../actors/session.ts';
import { cut, octetsOf, oneByOne, someCuts, textOf, wireOctets } from '../../properties/cuts.ts';

const rules: Rules = { maxOctets: 1000, maxHeaderOctets: 100, allow8bitheaders: false };

async function* pieces(chunks: readonly Uint8Array[]) {
  for (const chunk of chunks) {
    const lent = Uint8Array.from(chunk);
    yield lent;
    lent.fill(0x58);
  }
}

/** What comes out, or why nothing may. */
async function screen(chunks: readonly Uint8Array[], changed: Partial<Rules> = {}, smtputf8 = false, bareLf = false) {
  const content: Content = Object.assign(pieces(chunks), { bareLf });
  let text = '';
  try {
    for await (const bytes of screened(content, { ...rules, ...changed }, smtputf8)) text += textOf(bytes);
  } catch (fault) {
    if (fault instanceof ContentRefused) return { refusal: fault.refusal };
    throw fault;
  }
  return { text };
}
const both = async (text: string, changed: Partial<Rules> = {}, smtputf8 = false) => {
  const whole = await screen([octetsOf(text)], changed, smtputf8);
  assert.equal(await screen(oneByOne(octetsOf(text)), changed, smtputf8), whole);
  return whole;
};
const u = (text: string) => Buffer.from(text).toString('latin1');

test('a message as it should be passes octet for octet', async () => {
  for (const text of ['', '\r\n', 'A: b\r\n\r\n\xff\r\n', 'A: b\r\n', 'A: b\r\n\r\n.\r\n', '\r\n\xe9\r\n'])
    assert.equal(await both(text), { text });
});

test('a last line without an end gets one, and nothing else does', async () => {
  for (const text of ['A: b', 'A: b\r\n\r\nx', 'A: b\r\n\r\nx\r', 'A: b\r\n\r\nx\r\n\r', '\r'])
    assert.equal(await both(text), { text: `${text}\r\n` });
  assert.equal(await both('A: b\r\n\r\n\r\n'), { text: 'A: b\r\n\r\n\r\n' });
});

test('the sizes of message and header section are held to the octet', async () => {
  const header = `A: ${'x'.repeat(93)}\r\n`; // 98
  assert.ok('text' in (await both(`${header}\r\n${'x'.repeat(900)}`)));
  assert.equal(await both(`${header}\r\n${'x'.repeat(901)}`), { refusal: 'too-large' });
  assert.equal(await both(`A${header}\r\nx`), { refusal: 'header-too-large' });
  assert.equal(await both('x'.repeat(101)), { refusal: 'header-too-large' });
});

test('T-13, T-16: octets above 0x7F in a header section, to its first empty line or the end of the message', async () => {
  for (const text of ['\xe9', 'A: b\r\n \xe9\r\n\r\n', 'A: b\r\n\n\xe9', 'A: b\r\n \r\n\x80\r\n', u('A: é\r\n\r\n')])
    assert.equal(await both(text), { refusal: 'eight-bit-header' });
  assert.ok('text' in (await both('A: b\r\n\r\n\xe9\r\n')));
});

test('T-15: with allow8bitheaders they lose that bit, and the body keeps it', async () => {
  const text = 'A: \xe9\r\n \x80\r\n\r\n\xe9\r\n';
  assert.equal(await both(text, { allow8bitheaders: true }), { text: 'A: \x69\r\n \x00\r\n\r\n\xe9\r\n' });
});

test('RFC 6532 §3: by SMTPUTF8 the header section is UTF-8, with allow8bitheaders too, and the body is anything', async () => {
  const text = u('Subject: été 日本 🦉\r\n\r\n') + '\xff\xe9\r\n';
  for (const allow8bitheaders of [false, true]) {
    assert.equal(await both(text, { allow8bitheaders }, true), { text });
    for (const bad of ['A: \xe9\r\n\r\n', 'A: \xc3', 'A: \xed\xa0\x80\r\n\r\n', 'A: \xc3\r\n\r\n\xa9\r\n'])
      assert.equal(await both(bad, { allow8bitheaders }, true), { refusal: 'header-not-utf8' });
  }
  assert.equal(await both(u('ü'.repeat(51)), {}, true), { refusal: 'header-too-large' });
});

test('a bare LF that the content tells of refuses the message at its end', async () => {
  assert.equal(await screen([octetsOf('A: b\r\n\r\nx\ny\r\n')], {}, false, true), { refusal: 'bare-lf' });
});

test('however a message is cut, what comes of it is the same, and what passes ends in CRLF', () =>
  fc.assert(
    fc.asyncProperty(wireOctets(60), someCuts, fc.boolean(), fc.boolean(), async (octets, cuts, mask, smtputf8) => {
      const changed = { allow8bitheaders: mask };
      const whole = await screen([octets], changed, smtputf8);
      assert.equal(await screen(cut(octets, cuts), changed, smtputf8), whole);
      if (whole.text !== undefined) assert.match(whole.text, /^$|\r\n$/);
    }),
    { numRuns: 500, seed: 1 },
  ));

test('the CRLF that a last line gets is not held against the size that was sent', async () => {
  const header = 'A: b\r\n\r\n';
  const exact = header + 'x'.repeat(1_000 - header.length);
  assert.equal(await both(exact), { text: `${exact}\r\n` });
  assert.equal(await both(`${exact}x`), { refusal: 'too-large' });
});

test.run();
