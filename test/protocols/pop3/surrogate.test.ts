/** Surrogates for clients without UTF-8 mode: RFC 6856 §2.1. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { surrogate } from '../../../protocols/pop3/surrogate.ts';

async function* cut(octets: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < octets.length; at += size) {
    const chunk = Uint8Array.from(octets.subarray(at, at + size));
    yield chunk;
    chunk.fill(0x58); // its maker's again
  }
}
async function surrogateOf(message: string | Uint8Array, size = 1 << 20): Promise<string> {
  const out: Buffer[] = [];
  for await (const chunk of surrogate(cut(Buffer.from(message), size))) out.push(Buffer.from(chunk));
  return Buffer.concat(out).toString('latin1');
}
const encoded = (text: string) => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
const NOWHERE = '<invalid@internationalized-address.invalid>';

test('a message in ASCII, or with an 8-bit body, comes out octet for octet', async () => {
  for (const message of [
    'Subject: x\r\n\r\nkäse\r\n',
    'A: b\r\n\r\n',
    'A: b\r\n c\r\n',
    '\r\nkäse',
    '',
    'a\nb\r\n\r\n',
  ])
    for (const size of [1, 3, 1000])
      assert.is(await surrogateOf(message, size), Buffer.from(message).toString('latin1'));
});

test('free text becomes encoded words, in which nothing is lost', async () => {
  assert.is(
    await surrogateOf('From: a@b.example\r\nSubject: Käse\r\nX-Note: ok\r\n\r\nKäse\r\n'),
    `From: a@b.example\r\nSubject:\r\n ${encoded('Käse')}\r\nX-Note: ok\r\n\r\n${Buffer.from('Käse').toString('latin1')}\r\n`,
  );
});

test('a field of addresses keeps its whole text, and an answer to it goes nowhere', async () => {
  assert.is(
    await surrogateOf('Reply-To: Jø <jø@x.example>,\r\n b@c.example\r\n\r\n'),
    `Reply-To:\r\n ${encoded('Jø <jø@x.example>, b@c.example')}\r\n ${NOWHERE}\r\n\r\n`,
  );
});

test('in a field that programs read each such octet becomes one that breaks no syntax', async () => {
  assert.is(
    await surrogateOf('Content-Type: text/plain; name="ü.txt"\r\nMessage-ID: <ü@x.example>\r\n\r\n'),
    'Content-Type: text/plain; name="__.txt"\r\nMessage-ID: <__@x.example>\r\n\r\n',
  );
});

test('RFC 2047 §2, §5: an encoded word has at most 75 characters and whole ones; octets that are no UTF-8 are named so', async () => {
  const lines = (await surrogateOf(`Subject: ${'€'.repeat(100)}\r\n\r\n`)).split('\r\n').slice(1, -2);
  let text = '';
  for (const line of lines) {
    assert.ok(line.length <= 76, line);
    const [, base64] = /^ =\?utf-8\?B\?(.*)\?=$/.exec(line)!;
    const word = Buffer.from(base64!, 'base64').toString('utf8');
    assert.match(word, /^€+$/);
    text += word;
  }
  assert.is(text.length, 100);
  assert.is(
    await surrogateOf(Buffer.from('Subject: \xff\r\n\r\n', 'latin1')),
    'Subject:\r\n =?unknown-8bit?B?/w==?=\r\n\r\n',
  );
});

test('attack: a line that is no field, a field without an end, and one that is endless', async () => {
  assert.is(await surrogateOf('käse\r\n\r\n'), 'k__se\r\n\r\n');
  assert.is(await surrogateOf('Subject: Käse'), `Subject:\r\n ${encoded('Käse')}\r\n`);
  const long = `Subject: ${'ü'.repeat(50_000)}\r\nTo: b@c.example\r\n\r\nü`;
  for (const size of [1000, 7777, 1 << 20])
    assert.is(
      await surrogateOf(long, size),
      `Subject: ${'_'.repeat(100_000)}\r\nTo: b@c.example\r\n\r\n${Buffer.from('ü').toString('latin1')}`,
    );
});

test('a character whose last octet is a space in latin1 keeps it', async () => {
  assert.is(await surrogateOf('Subject: voilà\r\n\r\n'), `Subject:\r\n ${encoded('voilà')}\r\n\r\n`);
});

test('attack: a header section of 8 MiB of little fields is converted at its beginning only, and the same in every cut', async () => {
  const field = 'To: ü\r\n';
  const octets = Buffer.byteLength(field);
  const count = (8 * 1024 * 1024) / octets;
  const message = Buffer.from(`${field.repeat(count)}\r\nü`);
  const converted = Math.floor((256 * 1024) / octets);
  const out = `To:\r\n ${encoded('ü')}\r\n ${NOWHERE}\r\n`;
  const body = Buffer.from('ü').toString('latin1');
  const expected = `${out.repeat(converted)}${field.replace('ü', '__').repeat(count - converted)}\r\n${body}`;
  for (const size of [1000, 65_536, 65_537, 1 << 24])
    assert.ok((await surrogateOf(message, size)) === expected, `in pieces of ${size}`);
});

test('a field that begins before that end and ends behind it is not converted, and neither is what follows', async () => {
  const first = `A: ${'x'.repeat(998)}\r\n`.repeat(261); // 261,783 octets of 262,144
  const message = `${first}Subject: ü\r\n ${'x'.repeat(400)}\r\nSubject: ü\r\n\r\nü`;
  const expected = `${first}Subject: __\r\n ${'x'.repeat(400)}\r\nSubject: __\r\n\r\n\xc3\xbc`;
  for (const size of [1, 999, 1000, 1 << 20]) assert.ok((await surrogateOf(message, size)) === expected, `${size}`);
});

test('reads no further than its reader', async () => {
  let pulled = 0;
  async function* endless(): AsyncIterable<Uint8Array> {
    for (;;) {
      pulled += 1;
      yield Buffer.from('Subject: ü\r\n');
    }
  }
  for await (const _ of surrogate(endless())) if (pulled > 3) break;
  assert.ok(pulled <= 5, `${pulled}`);
});

const line = fc.constantFrom(
  'Subject: ü',
  'To: ö@x.example',
  ' ü',
  '\tx',
  '',
  'A: b',
  'ü',
  'Content-Type: ä',
  'x\ny',
  'x\r',
  '\n',
);
const piece = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\r\n'));

test('however it is cut a surrogate is the same, its header section is ASCII, and its body as it was', () =>
  fc.assert(
    fc.asyncProperty(piece, fc.integer({ min: 1, max: 30 }), async (message, size) => {
      const whole = await surrogateOf(message);
      assert.is(await surrogateOf(message, size), whole);
      const end = whole.startsWith('\r\n')
        ? 2
        : whole.includes('\r\n\r\n')
          ? whole.indexOf('\r\n\r\n') + 4
          : whole.length;
      assert.match(whole.slice(0, end), /^[\0-\x7f]*$/);
      const original = Buffer.from(message).toString('latin1');
      const from = original.startsWith('\r\n')
        ? 2
        : original.includes('\r\n\r\n')
          ? original.indexOf('\r\n\r\n') + 4
          : original.length;
      assert.is(whole.slice(end), original.slice(from));
    }),
    { numRuns: 500 },
  ));

test('RFC 8098 §2.1: nobody is sent a receipt because a name was left without its address', async () => {
  for (const name of ['Disposition-Notification-To', 'Return-Receipt-To'])
    assert.is(
      await surrogateOf(`${name}: J\u00f8 <j@x.example>\r\n\r\n`),
      `${name}:\r\n ${encoded('J\u00f8 <j@x.example>')}\r\n ${NOWHERE}\r\n\r\n`,
    );
});

test.run();
