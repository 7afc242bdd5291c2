/** LMTP sessions beyond the transcripts: message content, screening, vanishing, stopping. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Limits } from '../../../actors/connection-terms.ts';
import { ContentLost } from '../../../actors/incoming-content.ts';
import { ContentRefused } from '../../../actors/lmtp/screen.ts';
import { accept, refuse } from '../../../kernel/result.ts';
import { type Log, silentLog } from '../../../telemetry/log.ts';
import { overMemory, overSocket } from '../../support/transcript.ts';
import { manualClock } from '../manual-clock.ts';
import { type FakeOptions, fakeHouse, lmtp, type Rules } from './fake-services.ts';

const limits: Limits = { idleMs: 300_000, writeMs: 60_000 };
const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setImmediate(resolve));
};
const ENVELOPE = 'LHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<pat@foo.edu>\r\nDATA\r\n';
/** Lines up to and with the 354. */
const ENVELOPE_REPLIES = 11;

/** A session over memory with one recipient, which has been told to go ahead. */
async function receiving(options: FakeOptions = {}, rules: Rules = {}, envelope = ENVELOPE) {
  const house = fakeHouse(options);
  const clock = manualClock();
  const played = overMemory(lmtp(house.services, rules), { limits, clock });
  played.client.send(envelope);
  await played.client.lines(ENVELOPE_REPLIES);
  const expire = (ms: number) => {
    clock.advance(ms);
    played.connection().checkDeadline(clock.monotonic());
  };
  return { ...played, ...house, expire };
}

test('content arrives octet for octet, unstuffed, with its envelope', async () => {
  const { client, delivered, close } = await receiving();
  client.send('Subject: x\r\n\r\n..one dot\r\nbare \r here\r\n\xe9\x00\r\n.\r\nQUIT\r\n');
  assert.is(await client.line(), '250 2.0.0 delivered n1/1');
  const text = 'Subject: x\r\n\r\n.one dot\r\nbare \r here\r\n\xc3\xa9\x00\r\n'; // a string is sent as UTF-8
  assert.equal(delivered, [{ accounts: ['pat@foo.edu'], reversePath: 'a@b.example', text }]);
  await close();
});

test('empty content is delivered as such', async () => {
  const { client, delivered, close } = await receiving();
  client.send('.\r\n');
  assert.is(await client.line(), '250 2.0.0 delivered n1/1');
  assert.is(delivered[0]?.text, '');
  await close();
});

for (const [what, content, rules, answer] of [
  ['8-bit octets in its header', 'Subject: \xe9\r\n\r\nx\r\n', {}, '554 5.6.0 message has 8-bit octets in its header'],
  ['8-bit octets and no empty line', 'x\r\n\xe9\r\n', {}, '554 5.6.0 message has 8-bit octets in its header'],
  ['a bare LF', 'Subject: x\r\n\r\nx\ny\r\n', {}, '554 5.6.0 message has a line feed without a carriage return'],
  ['more octets than announced', 'x\r\n'.repeat(40), { maxOctets: 100 }, '552 5.3.4 message is too large'],
] as const)
  test(`a message with ${what} is refused for each recipient, to none delivered, and the session goes on`, async () => {
    const envelope = ENVELOPE.replace('DATA', 'RCPT TO:<pat@foo.edu>\r\nDATA').replace('LHLO c.example\r\n', '');
    const house = fakeHouse();
    const errors: string[] = [];
    const log: Log = { ...silentLog, error: (message) => errors.push(message) };
    const { client, close } = overMemory(lmtp(house.services, { ...rules, log }));
    client.send('LHLO c.example\r\n');
    await client.lines(8);
    client.send(Buffer.from(`${envelope}${content}.\r\nNOOP\r\n`, 'latin1'));
    assert.equal(await client.lines(7), [
      '250 2.1.0 sender ok',
      '250 2.1.5 recipient ok',
      '250 2.1.5 recipient ok',
      '354 start mail input; end with <CRLF>.<CRLF>',
      answer,
      answer,
      '250 2.0.0 ok',
    ]);
    assert.equal(house.delivered, []);
    assert.ok(house.lost[0] instanceof ContentRefused);
    assert.equal(errors, [], 'what a client sends is no fault of ours');
    await close();
  });

test('with allow8bitheaders header octets lose their high bit and the body keeps it', async () => {
  const { client, delivered, close } = await receiving({}, { allow8bitheaders: true });
  client.send(Buffer.from('Subject: \xe9\r\n\r\n\xe9\r\n.\r\n', 'latin1'));
  assert.is(await client.line(), '250 2.0.0 delivered n1/1');
  assert.is(delivered[0]?.text, 'Subject: \x69\r\n\r\n\xe9\r\n');
  await close();
});

test('8-bit octets in the body pass in both modes', async () => {
  const { client, delivered, close } = await receiving();
  client.send(Buffer.from('Subject: x\r\n\r\n\xe9\r\n.\r\n', 'latin1'));
  assert.is(await client.line(), '250 2.0.0 delivered n1/1');
  assert.is(delivered[0]?.text, 'Subject: x\r\n\r\n\xe9\r\n');
  await close();
});

test('a delivery that answers before it has read all gets the rest dropped, and is heard after the end of the data', async () => {
  const { client, close } = await receiving({ deliver: async () => [refuse('full')] });
  client.send('x\r\n'.repeat(1000));
  await turns();
  assert.is(client.unread, '', 'no reply before the final dot');
  client.send('RSET\r\n.\r\nNOOP\r\n');
  assert.equal(await client.lines(2), ['452 4.3.1 mail store is full, try again later', '250 2.0.0 ok']);
  await close();
});

test('a delivery that stops reading in the middle gets no more, and what it did not read is no command', async () => {
  let pieces = 0;
  const { client, close } = await receiving({
    async deliver({ content }) {
      for await (const _ of content) {
        pieces += 1;
        break;
      }
      return [refuse('over-quota')];
    },
  });
  for (let i = 0; i < 20; i += 1) client.send('QUIT\r\n'.repeat(1000));
  client.send('.\r\nNOOP\r\n');
  assert.equal(await client.lines(2), ['452 4.2.2 mailbox is over quota', '250 2.0.0 ok']);
  assert.is(pieces, 1);
  await close();
});

test('content is pulled: a delivery that does not read on holds the client up', async () => {
  const house = fakeHouse({
    async deliver({ content }, signal) {
      for await (const _ of content) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return [refuse('unavailable')];
    },
  });
  const { client, close } = await overSocket(lmtp(house.services, { maxOctets: 2 ** 30, maxHeaderOctets: 2 ** 30 }), {
    limits,
  });
  client.send(ENVELOPE);
  await client.lines(ENVELOPE_REPLIES);
  const line = Buffer.alloc(64 * 1024, 'x');
  let taken = 0;
  const take = (): void => {
    taken += 1;
  };
  for (let i = 0; i < 1000; i += 1) client.send(line, take);
  for (let i = 0; i < 20; i += 1) await turns();
  assert.ok(taken < 500, `${taken} of 1000 writes went through`); // the rest waits at the client
  await close();
});

test('a client that vanishes inside its message: the content throws, nothing is delivered', async () => {
  for (const end of ['destroy', 'end'] as const) {
    const { client, lost, delivered, ended } = await receiving();
    client.send('Subject: x\r\n\r\nhalf a mess');
    await turns();
    client[end]();
    assert.is(await ended, 'client-gone');
    await turns();
    assert.ok(lost[0] instanceof ContentLost, end);
    assert.equal(delivered, []);
  }
});

test('a client that vanishes after its message: the delivery is told by its signal and may go on', async () => {
  let told = false;
  let finish: () => void = () => {};
  const { client, ended } = await receiving({
    async deliver({ content }, signal) {
      for await (const _ of content);
      signal.addEventListener('abort', () => {
        told = true;
      });
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return [accept({ mailHost: 'n1', sequence: 1 })];
    },
  });
  client.send('x\r\n.\r\n');
  await turns();
  client.destroy();
  assert.is(await ended, 'client-gone');
  assert.ok(told);
  finish();
  await turns();
});

test('a client that stalls inside its message is dropped at the idle limit', async () => {
  const { client, lost, ended, expire } = await receiving();
  client.send('Subject: x\r\n');
  await turns();
  expire(limits.idleMs - 1);
  client.send('X: y\r\n');
  await turns();
  expire(limits.idleMs - 1);
  assert.equal(lost, []);
  expire(1);
  assert.is(await ended, 'idle');
  await turns();
  assert.ok(lost[0] instanceof ContentLost);
});

test('an idle session gets 421, and so does one between commands at a stop (RFC 5321 §3.8)', async () => {
  for (const [end, text] of [
    ['idle', '421 4.4.2 foo.edu idle for too long, closing connection\r\n'],
    ['shutdown', '421 4.3.2 foo.edu shutting down, closing connection\r\n'],
  ] as const) {
    const { client, connection, ended, expire } = await receiving();
    client.send('x\r\n.\r\n');
    await client.line();
    if (end === 'idle') expire(limits.idleMs);
    else connection().stop();
    assert.is(await client.rest(), text);
    client.end();
    assert.is(await ended, end);
  }
});

test('a stop inside a message lets it be delivered and answered first', async () => {
  const { client, connection, delivered, ended } = await receiving();
  client.send('half\r\n');
  await turns();
  connection().stop();
  client.send('a message\r\n.\r\nMAIL FROM:<a@b.example>\r\n');
  assert.is(await client.rest(), '250 2.0.0 delivered n1/1\r\n421 4.3.2 foo.edu shutting down, closing connection\r\n');
  client.end();
  assert.is(await ended, 'shutdown');
  assert.is(delivered[0]?.text, 'half\r\na message\r\n');
});

test('more recipients than the limit get 452, and those before it are delivered to', async () => {
  const house = fakeHouse();
  const { client, close } = overMemory(lmtp(house.services));
  client.send('LHLO c.example\r\nMAIL FROM:<>\r\n');
  await client.lines(9);
  client.send('RCPT TO:<pat@foo.edu>\r\n'.repeat(101));
  const replies = await client.lines(101);
  assert.is(replies.filter((line) => line === '250 2.1.5 recipient ok').length, 100);
  assert.is(replies[100], '452 4.5.3 too many recipients');
  client.send('DATA\r\nx\r\n.\r\n');
  await client.line();
  assert.equal([...new Set(await client.lines(100))], ['250 2.0.0 delivered n1/1']);
  assert.is(house.delivered[0]?.reversePath, null);
  await close();
});

test('RFC 5321 §4.5.3.1.10: recipients whose paths no request to an owner would hold get 452; RSET makes room', async () => {
  const house = fakeHouse();
  const protocol = lmtp(house.services, { maxRecipients: 100_000 });
  const { client, close } = overMemory(protocol);
  const long = (letter: string): string => `${letter.repeat(40)}.`.repeat(4);
  client.send('LHLO c.example\r\n');
  await client.lines(8);
  for (let transaction = 0; transaction < 2; transaction += 1) {
    client.send(`RSET\r\nMAIL FROM:<${long('f')}a@b.example>\r\n`);
    await client.lines(2);
    let accepted = 0;
    for (;;) {
      client.send(`RCPT TO:<${long('t')}${accepted}@foo.edu>\r\n`);
      const line = await client.line();
      if (line !== '250 2.1.5 recipient ok') {
        assert.is(line, '452 4.5.3 too many recipients');
        break;
      }
      accepted += 1;
    }
    // 400 octets, the two paths of about 180 each and the names of 16, of 600,000
    assert.ok(accepted > 730 && accepted < 820, `${accepted} recipients`);
    client.send(`RCPT TO:<${long('t')}last@foo.edu>\r\n`);
    assert.is(await client.line(), '452 4.5.3 too many recipients');
  }
  await close();
});

for (const [refusal, line] of [
  ['no-such-user', '550 5.1.1 no such user here'],
  ['disabled', '550 5.2.1 mailbox is disabled'],
] as const)
  test(`a recipient found ${refusal} at the final dot is told so, and the other is delivered to`, async () => {
    const { client, close } = await receiving({
      async deliver({ content }) {
        for await (const _ of content);
        return [refuse(refusal)];
      },
    });
    client.send('x\r\n.\r\n');
    assert.is(await client.line(), line);
    await close();
  });

test.run();
