/** CHUNKING beyond the transcripts (RFC 3030 §2): streaming, failing in the middle, vanishing, stopping. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Limits } from '../../../actors/connection-terms.ts';
import { ContentLost } from '../../../actors/incoming-content.ts';
import { refuse } from '../../../kernel/result.ts';
import { type Log, silentLog } from '../../../telemetry/log.ts';
import { cut, someCuts } from '../../properties/cuts.ts';
import { overMemory, overSocket } from '../../support/transcript.ts';
import { manualClock } from '../manual-clock.ts';
import { type FakeOptions, fakeHouse, lmtp, type Rules } from './fake-services.ts';

const limits: Limits = { idleMs: 300_000, writeMs: 60_000 };
const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setImmediate(resolve));
};
/** Greeting, LHLO's eight lines, MAIL and two RCPTs. */
const ENVELOPE = 'LHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<pat@foo.edu>\r\nRCPT TO:<joe@foo.edu>\r\n';
const ENVELOPE_REPLIES = 11;
const NEXT = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<pat@foo.edu>\r\n';
const bdat = (text: string, last = false): string => `BDAT ${text.length}${last ? ' LAST' : ''}\r\n${text}`;
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A session over memory with two recipients. */
async function begun(options: FakeOptions = {}, rules: Rules = {}) {
  const session = await fresh(options, rules);
  session.client.send('MAIL FROM:<a@b.example>\r\nRCPT TO:<pat@foo.edu>\r\nRCPT TO:<joe@foo.edu>\r\n');
  await session.client.lines(3);
  return session;
}

/** One that has said LHLO. */
async function fresh(options: FakeOptions = {}, rules: Rules = {}) {
  const house = fakeHouse(options);
  const clock = manualClock();
  const faults: string[] = [];
  const log: Log = { ...silentLog, error: (message) => faults.push(message) };
  const played = overMemory(lmtp(house.services, { ...rules, log }), { limits, clock, log });
  played.client.send('LHLO c.example\r\n');
  await played.client.lines(8);
  const expire = (ms: number) => {
    clock.advance(ms);
    played.connection().checkDeadline(clock.monotonic());
  };
  return { ...played, ...house, faults, expire };
}

test('chunks are joined octet for octet: dots are no dots, and a line end may lie across two', async () => {
  const { client, delivered, close } = await begun();
  const parts = ['Subject: x\r', '\n\r\n.\r\n..\r\n', '', 'bare \r here\r\n\xe9\x00\r\n.\r\n'];
  for (const [index, part] of parts.entries()) client.send(latin1(bdat(part, index === 3)));
  assert.equal(await client.lines(5), [
    '250 2.0.0 11 octets received',
    '250 2.0.0 10 octets received',
    '250 2.0.0 0 octets received',
    '250 2.0.0 delivered n1/1',
    '250 2.0.0 delivered n1/1',
  ]);
  assert.is(delivered[0]?.text, parts.join(''));
  await close();
});

test('a last line without an end gets one; an empty message stays empty', async () => {
  const { client, delivered, close } = await begun();
  client.send(bdat('Subject: x\r\n\r\nno end', true));
  await client.lines(2);
  client.send(`${NEXT}${bdat('', true)}`);
  await client.lines(3);
  assert.equal(
    delivered.map(({ text }) => text),
    ['Subject: x\r\n\r\nno end\r\n', ''],
  );
  await close();
});

for (const [what, parts, rules, answer] of [
  ['8-bit octets in its header', ['Subject: ', '\xe9\r\n'], {}, '554 5.6.0 message has 8-bit octets in its header'],
  [
    'more octets than announced',
    ['x\r\n'.repeat(20), 'x\r\n'.repeat(20)],
    { maxOctets: 100 },
    '552 5.3.4 message is too large',
  ],
  [
    'too large a header section',
    ['x\r\n'.repeat(20), 'x\r\n'.repeat(20)],
    { maxHeaderOctets: 100 },
    '552 5.3.4 header section of the message is too large',
  ],
] as const)
  test(`a message with ${what}: that chunk is refused, so are those in the pipeline, and each recipient at the last`, async () => {
    const { client, delivered, faults, close } = await begun({}, rules);
    client.send(latin1(parts.map((part) => bdat(part)).join('') + bdat('QUIT\r\n') + bdat('RSET\r\n', true)));
    client.send(`NOOP\r\n${NEXT}${bdat('x\r\n', true)}`);
    assert.equal(await client.lines(9), [
      `250 2.0.0 ${parts[0].length} octets received`,
      answer,
      answer,
      answer,
      answer,
      '250 2.0.0 ok',
      '250 2.1.0 sender ok',
      '250 2.1.5 recipient ok',
      '250 2.0.0 delivered n1/1',
    ]);
    assert.is(delivered.length, 1);
    assert.equal(faults, [], 'what a client sends is no fault of ours');
    await close();
  });

test('a bare LF, in one chunk or at the beginning of one, refuses the message for each recipient', async () => {
  for (const parts of [['a\nb\r\n'], ['a', '\nb\r\n'], ['a\r\n', '\n']]) {
    const { client, delivered, close } = await begun();
    for (const [index, part] of parts.entries()) client.send(bdat(part, index === parts.length - 1));
    const answer = '554 5.6.0 message has a line feed without a carriage return';
    assert.equal((await client.lines(parts.length + 1)).slice(-2), [answer, answer]);
    assert.equal(delivered, []);
    await close();
  }
});

test('no reply to a chunk that is refused comes before all of it has', async () => {
  const { client, close } = await begun({}, { maxOctets: 10 });
  client.send(`BDAT 1000\r\n${'x'.repeat(999)}`);
  await turns();
  assert.is(client.unread, '');
  client.send('x');
  assert.is(await client.line(), '552 5.3.4 message is too large');
  client.send('RSET\r\nBDAT 1000\r\nQUIT\r\n');
  assert.is(await client.line(), '250 2.0.0 flushed');
  await turns();
  assert.is(client.unread, '', 'out of sequence, and not all of it there');
  client.send('x'.repeat(994));
  assert.is(await client.line(), '503 5.5.1 bad sequence of commands');
  await close();
});

test('a fault of ours between two chunks is told at the next, and to each recipient at the last', async () => {
  let fail: (fault: Error) => void = () => {};
  const { client, faults, close } = await begun({
    deliver: ({ content }) =>
      new Promise((_, reject) => {
        fail = reject;
        (async () => {
          for await (const _ of content);
        })().catch(() => {});
      }),
  });
  client.send(bdat('one\r\n'));
  assert.is(await client.line(), '250 2.0.0 5 octets received');
  fail(new Error('the owner is broken'));
  await turns();
  assert.is(client.unread, '');
  const answer = '451 4.3.0 temporary failure, try again later';
  client.send(bdat('two\r\n') + bdat('three\r\n', true));
  assert.equal(await client.lines(3), [answer, answer, answer]);
  assert.equal(faults, ['delivery failed']);
  client.send('RSET\r\n');
  assert.is(await client.line(), '250 2.0.0 flushed');
  await close();
});

test('a delivery that answers before the last chunk has not delivered, whatever it says', async () => {
  const { client, close } = await begun({
    deliver: async () => [refuse('full'), { ok: true, value: { mailHost: 'n1', sequence: 1 } }],
  });
  client.send(bdat('one\r\n') + bdat('two\r\n', true));
  assert.equal(await client.lines(3), [
    '452 4.3.1 mail store is full, try again later',
    '452 4.3.1 mail store is full, try again later',
    '451 4.3.0 temporary failure, try again later',
  ]);
  await close();
});

for (const [how, send, heard] of [
  ['RSET', 'RSET\r\n', '250 2.0.0 flushed'],
  ['LHLO', 'LHLO c.example\r\n', '250-foo.edu'],
  ['QUIT', 'QUIT\r\n', '221 2.0.0 foo.edu closing connection'],
  ['DATA', 'DATA\r\n', '503 5.5.1 no DATA after BDAT: RSET first'],
] as const)
  test(`${how} between two chunks gives the message up: its content throws, nothing is delivered`, async () => {
    const { client, lost, delivered, faults, close } = await begun();
    client.send(bdat('Subject: x\r\n'));
    await client.line();
    client.send(send);
    assert.is(await client.line(), heard);
    await turns();
    assert.ok(lost[0] instanceof ContentLost);
    assert.equal([delivered, faults], [[], []]);
    await close();
  });

test('a client that vanishes between two chunks or inside one: the content throws, nothing is delivered', async () => {
  for (const half of [bdat('Subject: x\r\n'), 'BDAT 100 LAST\r\nhalf a mess'])
    for (const end of ['destroy', 'end'] as const) {
      const { client, lost, delivered, faults, ended } = await begun();
      client.send(half);
      await turns();
      client[end]();
      assert.is(await ended, 'client-gone');
      await turns();
      assert.ok(lost[0] instanceof ContentLost, end);
      assert.equal([delivered, faults], [[], []]);
    }
});

test('between two chunks a session that is stopped, kicked or idle hears 421 and the message is given up', async () => {
  for (const [reason, text] of [
    ['idle', '421 4.4.2 foo.edu idle for too long, closing connection\r\n'],
    ['shutdown', '421 4.3.2 foo.edu shutting down, closing connection\r\n'],
    ['kicked', '421 4.3.2 foo.edu session ended by an operator, closing connection\r\n'],
  ] as const) {
    const { client, connection, lost, delivered, ended, expire } = await begun();
    client.send(bdat('Subject: x\r\n'));
    await client.line();
    if (reason === 'idle') expire(limits.idleMs);
    else connection().stop(reason);
    assert.is(await client.rest(), text);
    client.end();
    assert.is(await ended, reason);
    await turns();
    assert.ok(lost[0] instanceof ContentLost);
    assert.equal(delivered, []);
  }
});

test('a session that is stopped inside another chunk takes it, and then gives the message up', async () => {
  for (const reason of ['shutdown', 'kicked'] as const) {
    const { client, connection, lost, delivered, ended } = await begun();
    client.send('BDAT 11\r\nhalf');
    await turns();
    connection().stop(reason);
    client.send(`whole\r\n${bdat('the rest\r\n', true)}`);
    const [taken, farewell, ...more] = (await client.rest()).split('\r\n');
    assert.is(taken, '250 2.0.0 11 octets received');
    assert.match(farewell!, /^421 4\.3\.2 /);
    assert.equal(more, ['']);
    client.end();
    assert.is(await ended, reason);
    await turns();
    assert.ok(lost[0] instanceof ContentLost);
    assert.equal(delivered, []);
  }
});

test('a session that is stopped inside the last chunk delivers it first', async () => {
  const { client, connection, delivered } = await begun();
  client.send('BDAT 11 LAST\r\nhalf');
  await turns();
  connection().stop('kicked');
  client.send(`whole\r\n${NEXT}`);
  const said = await client.rest();
  assert.match(said, /^250 2\.0\.0 delivered n1\/1\r\n250 2\.0\.0 delivered n1\/1\r\n421 4\.3\.2 .*\r\n$/);
  assert.is(delivered[0]?.text, 'halfwhole\r\n');
});

test('chunks are pulled: a delivery that does not read on holds the client up, and one that does holds no octet', async () => {
  const house = fakeHouse({
    async deliver({ content }, signal) {
      for await (const _ of content) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return [refuse('unavailable'), refuse('unavailable')];
    },
  });
  const { client, close } = await overSocket(lmtp(house.services, { maxOctets: 2 ** 30, maxHeaderOctets: 2 ** 30 }), {
    limits,
  });
  client.send(`${ENVELOPE}BDAT ${64 * 1024 * 1000}\r\n`);
  await client.lines(ENVELOPE_REPLIES);
  const part = Buffer.alloc(64 * 1024, 'x');
  let taken = 0;
  const take = (): void => {
    taken += 1;
  };
  for (let i = 0; i < 1000; i += 1) client.send(part, take);
  for (let i = 0; i < 20; i += 1) await turns();
  assert.ok(taken < 500, `${taken} of 1000 writes went through`);
  await close();
});

test('attack: what follows a BDAT of no known size is not looked at', async () => {
  const { client, delivered, ended } = await begun();
  client.send(`BDAT x LAST\r\n${bdat('Subject: evil\r\n', true)}`);
  assert.is(await client.rest(), '501 5.5.4 BDAT wants a number of octets; closing connection\r\n');
  client.end();
  assert.is(await ended, 'dismissed');
  assert.equal(delivered, []);
});

/** What a client sends, and how many replies that has where the session stands. */
type Step =
  | { readonly type: 'MAIL' | 'RCPT' | 'DATA' | 'RSET' | 'NOOP' }
  | { readonly type: 'BDAT'; readonly text: string; readonly last: boolean };

/** RFC 2033 §4.2, §4.3 and RFC 3030 §2, as far as they say how many replies there are. */
function* played(steps: readonly Step[]): Generator<{ readonly octets: Buffer; readonly replies: number }> {
  let at: { recipients: number; by: 'nothing' | 'bdat' } | undefined;
  for (const step of steps) {
    if (step.type === 'BDAT') {
      const replies = step.last && at !== undefined ? at.recipients : 1;
      if (step.last) at = undefined;
      else if (at !== undefined && at.recipients > 0) at.by = 'bdat';
      yield { octets: latin1(bdat(step.text, step.last)), replies };
      continue;
    }
    const { type } = step;
    const takesData = type === 'DATA' && at !== undefined && at.recipients > 0 && at.by === 'nothing';
    const replies = takesData ? 1 + at!.recipients : 1;
    if (type === 'MAIL') at ??= { recipients: 0, by: 'nothing' };
    if (type === 'RCPT' && at?.by === 'nothing') at.recipients += 1;
    if (type === 'RSET' || takesData) at = undefined;
    const line = { MAIL: 'MAIL FROM:<a@b.example>', RCPT: 'RCPT TO:<pat@foo.edu>' }[type as 'MAIL'] ?? type;
    yield { octets: latin1(`${line}\r\n${takesData ? 'Subject: x\r\n.\r\n' : ''}`), replies };
  }
}

const step = fc.oneof(
  fc.constantFrom<Step>(
    { type: 'MAIL' },
    { type: 'RCPT' },
    { type: 'RCPT' },
    { type: 'DATA' },
    { type: 'RSET' },
    { type: 'NOOP' },
  ),
  fc.record({
    type: fc.constant('BDAT' as const),
    text: fc.constantFrom('', 'A: b\r\n', '\xe9\r\n', 'a\nb', 'QUIT\r\n', '\r\n.\r\n', 'RSET\r\nMAIL FROM:<>\r\n'),
    last: fc.boolean(),
  }),
);

test('one reply for each command, and for each recipient after the last chunk, in every order and every cut', () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), someCuts, async (steps, cuts) => {
      const expected = [...played([{ type: 'MAIL' }, { type: 'RCPT' }, ...steps])];
      const { client, close, faults } = await fresh();
      for (const chunk of cut(Buffer.concat(expected.map(({ octets }) => octets)), cuts)) client.send(chunk);
      client.send('QUIT\r\n');
      const lines = (await client.rest()).split('\r\n').slice(0, -1);
      assert.is(
        lines.length,
        expected.reduce((sum, { replies }) => sum + replies, 1),
        lines.join('\n'),
      );
      assert.match(lines.at(-1)!, /^221 /);
      assert.equal(faults, []);
      await close();
    }),
    { numRuns: 400, seed: 1 },
  ));

test.run();
