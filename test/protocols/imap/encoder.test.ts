/** How responses flow: writes of one size, bodies that keep their word, and what a session's client reads. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ImapEncoder } from '../../../protocols/imap/encoder.ts';
import type { Fetch, FetchContent } from '../../../protocols/imap/fetch-response.ts';
import { type List, ok, type Response } from '../../../protocols/imap/response.ts';
import { octetsOf, textOf } from '../../properties/cuts.ts';
import { flowing, sent, writesOf } from './encoded.ts';

const text = (content: FetchContent): Fetch => ({ sequence: 1, contents: [content] });
const whole = (octets: AsyncIterable<Uint8Array>, sizeOctets: number): FetchContent => ({
  item: 'BODY[]',
  section: { part: [] },
  content: { sizeOctets, octets },
});
const list = (mailbox: string): List => ({ type: 'LIST', attributes: [], delimiter: '/', mailbox });

test('a body that flows stands between its announcement and the rest of the message', async () => {
  const contents: FetchContent[] = [
    whole(flowing('From: a\r\n', '', '\r\nhi'), 13),
    { item: 'RFC822.HEADER', content: octetsOf('x') },
    { item: 'RFC822.TEXT', content: { sizeOctets: 0, octets: flowing() } },
  ];
  const writes = await writesOf({ type: 'FETCH', sequence: 7, uid: 9, contents });
  assert.equal(writes.map(textOf), [
    '* 7 FETCH (UID 9 BODY[] {13}\r\nFrom: a\r\n\r\nhi RFC822.HEADER {1}\r\nx RFC822.TEXT {0}\r\n)\r\n',
  ]);
});

test('RFC 3516 §4.3: BINARY that flows is a literal8 unless it is known to hold no NUL', async () => {
  const binary = (withoutNul?: boolean): Response => ({
    type: 'FETCH',
    ...text({
      item: 'BINARY',
      part: [1],
      content: { sizeOctets: 1, octets: flowing('a'), ...(withoutNul === undefined ? {} : { withoutNul }) },
    }),
  });
  assert.is(await sent(binary()), '* 1 FETCH (BINARY[1] ~{1}\r\na)\r\n');
  assert.is(await sent(binary(true)), '* 1 FETCH (BINARY[1] {1}\r\na)\r\n');
  assert.is(await sent(binary(false)), '* 1 FETCH (BINARY[1] ~{1}\r\na)\r\n');
});

test('small chunks go out in large writes, large ones are cut', async () => {
  const line = `${'x'.repeat(998)}\r\n`;
  const small = await writesOf({ type: 'FETCH', ...text(whole(flowing(...Array(300).fill(line)), 300_000)) });
  const large = await writesOf({ type: 'FETCH', ...text(whole(flowing(line.repeat(300)), 300_000)) });
  for (const writes of [small, large]) {
    assert.ok(writes.length <= 5);
    for (const write of writes) assert.ok(write.length < 128 * 1024);
    assert.is(textOf(Buffer.concat(writes)), `* 1 FETCH (BODY[] {300000}\r\n${line.repeat(300)})\r\n`);
  }
});

test('a body that is not as long as announced breaks the flow; no octet too many is sent', async () => {
  const inFull = async (announced: number) => {
    let octets = '';
    const flow = new ImapEncoder().encode({
      type: 'FETCH',
      ...text(whole(flowing('x'.repeat(70_000), 'yy'), announced)),
    });
    try {
      for await (const write of flow as AsyncIterable<Uint8Array>) octets += textOf(write);
    } catch (fault) {
      return { octets, fault: (fault as Error).message };
    }
    return { octets, fault: '' };
  };
  assert.match((await inFull(70_003)).fault, /1 octets less than the 70003/);
  const long = await inFull(70_001);
  assert.match(long.fault, /more than the 70001/);
  assert.not.ok(long.octets.includes('y'));
  assert.is((await inFull(70_002)).fault, '');
});

test('a body that fails breaks the flow', async () => {
  async function* failing() {
    yield octetsOf('abc');
    throw new Error('the disk is gone');
  }
  const fault = await sent({ type: 'FETCH', ...text(whole(failing(), 10)) }).catch((fault: Error) => fault.message);
  assert.is(fault, 'the disk is gone');
});

test('a client that goes in the middle of a flow leaves nothing open, and opens nothing that it did not come to', async () => {
  const seen: string[] = [];
  async function* opened(name: string) {
    seen.push(`open ${name}`);
    try {
      for (;;) yield Buffer.alloc(64 * 1024, name);
    } finally {
      seen.push(`close ${name}`);
    }
  }
  function* items() {
    try {
      yield text(whole(opened('a'), 2 ** 40));
      yield text(whole(opened('b'), 2 ** 40));
    } finally {
      seen.push('close items');
    }
  }
  const flow = new ImapEncoder().encode({ type: 'fetches', items: items() }) as AsyncIterable<Uint8Array>;
  assert.equal(seen, []);
  for await (const write of flow) {
    assert.ok(write.length > 0);
    break;
  }
  assert.equal(seen, ['open a', 'close a', 'close items']);
});

test('fetches of a page are one array; of a large mailbox, writes of one size, made as they are taken', async () => {
  const page = { type: 'fetches', items: [1, 2].map((uid) => ({ sequence: uid, uid, flags: ['\\Seen'] })) } as const;
  const octets = new ImapEncoder().encode(page);
  assert.ok(octets instanceof Uint8Array);
  assert.is(textOf(octets), '* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n');
  assert.is(await sent({ type: 'fetches', items: [] }), '');

  let made = 0;
  function* all() {
    for (let uid = 1; uid <= 20_000; uid += 1) {
      made = uid;
      yield { sequence: uid, uid, flags: [] };
    }
  }
  const flow = new ImapEncoder().encode({ type: 'fetches', items: all() });
  assert.not.instance(flow, Uint8Array);
  let lines = 0;
  for await (const write of flow as AsyncIterable<Uint8Array>) {
    lines += textOf(write).split('\r\n').length - 1;
    assert.ok(write.length < 66 * 1024 && (write.length >= 64 * 1024 || made === 20_000));
    assert.is(lines, made); // and none before it is wanted
  }
  assert.is(lines, 20_000);
});

test('a batch is one write, with the tagged response at its end', async () => {
  const responses: Response[] = [
    { type: 'EXISTS', count: 2 },
    { type: 'fetches', items: [{ sequence: 1, uid: 4 }, text(whole(flowing('ab'), 2))] },
    { type: 'batch', responses: [{ type: 'RECENT', count: 0 }] },
    ok('a1', 'done'),
  ];
  const writes = await writesOf({ type: 'batch', responses });
  assert.equal(writes.map(textOf), [
    '* 2 EXISTS\r\n* 1 FETCH (UID 4)\r\n* 1 FETCH (BODY[] {2}\r\nab)\r\n* 0 RECENT\r\na1 OK done\r\n',
  ]);
  const plain = new ImapEncoder().encode({ type: 'batch', responses: [responses[0]!, responses[3]!] });
  assert.ok(plain instanceof Uint8Array);
});

test('a batch that comes page by page is pulled as it is sent', async () => {
  let pages = 0;
  async function* responses(): AsyncIterable<Response> {
    for (; pages < 10; pages += 1)
      yield { type: 'fetches', items: Array.from({ length: 4000 }, (_, i) => ({ sequence: i + 1, uid: i + 1 })) };
    yield ok('a1', 'done');
  }
  const flow = new ImapEncoder().encode({ type: 'batch', responses: responses() }) as AsyncIterable<Uint8Array>;
  const iterator = flow[Symbol.asyncIterator]();
  assert.is(pages, 0);
  const first = await iterator.next();
  assert.ok(pages < 2 && textOf(first.value!).startsWith('* 1 FETCH (UID 1)\r\n'));
  let rest = '';
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) rest += textOf(next.value);
  assert.ok(rest.endsWith('a1 OK done\r\n'));
  assert.is((textOf(first.value!) + rest).split('\r\n').length - 1, 40_001);
});

test('RFC 9051 §6.3.1: after ENABLED IMAP4rev2 or UTF8=ACCEPT names are UTF-8; other capabilities change nothing', async () => {
  for (const [capability, name] of [
    ['IMAP4rev2', '"\xc3\xa4"'],
    ['utf8=accept', '"\xc3\xa4"'],
    ['CONDSTORE', '&AOQ-'],
  ] as const) {
    const encoder = new ImapEncoder();
    assert.is(await sent(list('ä'), encoder), '* LIST () "/" &AOQ-\r\n');
    const enabled: Response = { type: 'ENABLED', capabilities: [capability] };
    assert.is(
      await sent({ type: 'batch', responses: [enabled, list('ä')] }, encoder),
      `* ENABLED ${capability}\r\n* LIST () "/" ${name}\r\n`,
    );
    assert.is(await sent(list('ä'), encoder), `* LIST () "/" ${name}\r\n`);
  }
});

test('a flow begun before ENABLED ends as it began', async () => {
  const encoder = new ImapEncoder();
  async function* later(): AsyncIterable<Response> {
    yield list('ä');
  }
  const flow = encoder.encode({ type: 'batch', responses: later() }) as AsyncIterable<Uint8Array>;
  encoder.encode({ type: 'ENABLED', capabilities: ['IMAP4rev2'] });
  for await (const write of flow) assert.is(textOf(write), '* LIST () "/" &AOQ-\r\n');
  assert.ok(encoder.utf8);
});

test.run();
