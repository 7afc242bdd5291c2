/** POP3 replies, octet for octet: RFC 1939 §3, RFC 2449 §4 and §8. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pop3Encoder } from '../../../protocols/pop3/encoder.ts';
import { challenge, err, ok, type Reply } from '../../../protocols/pop3/reply.ts';
import { octetsOf, textOf } from '../../properties/cuts.ts';

const encode = (reply: Reply): string => {
  const octets = pop3Encoder.encode(reply);
  assert.ok(octets instanceof Uint8Array);
  return textOf(octets);
};
async function* from(...chunks: string[]): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) yield octetsOf(chunk);
}
async function writes(reply: Reply): Promise<Uint8Array[]> {
  const flow = pop3Encoder.encode(reply);
  assert.not.instance(flow, Uint8Array);
  const out: Uint8Array[] = [];
  for await (const write of flow as AsyncIterable<Uint8Array>) out.push(write);
  return out;
}
const whole = async (reply: Reply) => textOf(Buffer.concat(await writes(reply)));

test('RFC 1939 §3: +OK and -ERR, a text, CRLF', () => {
  assert.is(encode(ok('2 320')), '+OK 2 320\r\n');
  assert.is(encode(ok('')), '+OK\r\n');
  assert.is(encode(err('no such message')), '-ERR no such message\r\n');
});

test('RFC 2449 §8: the response code stands in brackets before the text', () => {
  assert.is(encode(err('maildrop in use', 'IN-USE')), '-ERR [IN-USE] maildrop in use\r\n');
  assert.is(encode(err('', 'SYS/TEMP')), '-ERR [SYS/TEMP]\r\n');
});

test('RFC 5034 §4: a challenge is a plus, a space and base64; an empty one nothing behind the space', () => {
  assert.is(encode(challenge(new Uint8Array(0))), '+ \r\n');
  assert.is(
    encode(challenge(octetsOf('<1896.697170952@mail.example.test>'))),
    '+ PDE4OTYuNjk3MTcwOTUyQG1haWwuZXhhbXBsZS50ZXN0Pg==\r\n',
  );
});

test('RFC 2449 §4: a status line is cut at 512 octets, CRLF included', () => {
  const line = encode(err('x'.repeat(600), 'ALERT'));
  assert.is(line.length, 512);
  assert.ok(line.endsWith('x\r\n'));
});

test('RFC 1939 §3: lines are stuffed and ended by a dot', () => {
  assert.is(
    encode(ok('2 messages', { lines: ['1 120', '.', '..a', ''] })),
    '+OK 2 messages\r\n1 120\r\n..\r\n...a\r\n\r\n.\r\n',
  );
  assert.is(encode(ok('', { lines: [] })), '+OK\r\n.\r\n');
});

test('lines may be longer than a status line', () => {
  assert.is(encode(ok('', { lines: ['x'.repeat(5000)] })).length, '+OK\r\n'.length + 5002 + '.\r\n'.length);
});

test('attack: a reply with a line end in it is never sent', () => {
  for (const bad of [ok('a\r\nb'), err('a\nb'), err('a\0'), ok('', { lines: ['a\r\n.'] })])
    assert.throws(() => pop3Encoder.encode(bad), /holds CR, LF or NUL/);
});

test('a short message goes out in one write, status line and final dot with it', async () => {
  const sent = await writes(ok('9 octets', { body: from('a\r\n', '.b\r\n', 'c\r\n') }));
  assert.equal(sent.map(textOf), ['+OK 9 octets\r\na\r\n..b\r\nc\r\n.\r\n']);
});

test('RFC 1939 §5: a message without a last CRLF gets one before the dot; an empty one is the dot', async () => {
  assert.is(await whole(ok('', { body: from('a') })), '+OK\r\na\r\n.\r\n');
  assert.is(await whole(ok('', { body: from() })), '+OK\r\n.\r\n');
});

test('a large message goes out in large writes, whatever its chunks, the status line in the first', async () => {
  const line = 'x'.repeat(1000) + '\r\n';
  const sent = await writes(ok('', { body: from(...Array.from({ length: 300 }, () => line)) }));
  assert.ok(textOf(sent[0]!).startsWith('+OK\r\nxxx'));
  assert.is(Buffer.concat(sent).length, 5 + 300 * 1002 + 3);
  for (const write of sent.slice(0, -1)) assert.ok(write.length >= 64 * 1024 && write.length < 64 * 1024 + 1002);
});

test('large chunks without dots are not copied', async () => {
  const chunk = Buffer.alloc(128 * 1024, 0x61);
  async function* body() {
    yield chunk;
    yield chunk;
  }
  const sent = await writes(ok('', { body: body() }));
  assert.is(sent[1], chunk);
  assert.is(textOf(sent[2]!), '\r\n.\r\n');
});

test('a message that breaks in the middle throws, and its final dot is never sent', async () => {
  async function* broken() {
    yield octetsOf('x'.repeat(100_000));
    throw new Error('the owner is gone');
  }
  const sent: Uint8Array[] = [];
  try {
    for await (const write of pop3Encoder.encode(ok('', { body: broken() })) as AsyncIterable<Uint8Array>)
      sent.push(write);
    assert.unreachable();
  } catch (fault) {
    assert.match(String(fault), /the owner is gone/);
  }
  assert.is(Buffer.concat(sent).length, 5 + 100_000);
});

test('a client that vanishes leaves the message', async () => {
  let left = false;
  async function* endless() {
    try {
      for (;;) yield octetsOf('x'.repeat(70_000));
    } finally {
      left = true;
    }
  }
  for await (const _ of pop3Encoder.encode(ok('', { body: endless() })) as AsyncIterable<Uint8Array>) break;
  assert.ok(left);
});

test('a reply with lines and a body is our own mistake', () => {
  assert.throws(() => pop3Encoder.encode(ok('', { lines: [], body: from() })), /lines or a body/);
});

test.run();
