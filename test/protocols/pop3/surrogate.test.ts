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

test.run();
