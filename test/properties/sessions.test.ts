/**
 * What holds of every session, whatever is sent: one reply for each command, in every state; and the same replies
 * however the octets are cut.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Protocol } from '../../actors/session.ts';
import * as lmtpFakes from '../actors/lmtp/fake-services.ts';
import * as pop3Fakes from '../actors/pop3/fake-services.ts';
import * as poppwdFakes from '../actors/poppwd/fake-services.ts';
import { overMemory } from '../support/transcript.ts';

const RUNS = 150;
const junk = fc.string({ unit: 'binary-ascii', maxLength: 300 }).map((text) => text.replace(/[\r\n]/g, ' '));

const pop3Line = fc.oneof(
  {
    arbitrary: fc.constantFrom('USER mrose', 'PASS tanstaaf', 'USER mrose\r\nPASS tanstaaf', 'USER nobody'),
    weight: 4,
  },
  fc.constantFrom(
    'PASS bad',
    'STAT',
    'LIST',
    'LIST 1',
    'LIST 9',
    'UIDL',
    'UIDL 2',
    'RETR 1',
    'RETR 2',
    'RETR 3',
    'TOP 1 0',
  ),
  fc.constantFrom('TOP 2 1', 'TOP 1', 'DELE 1', 'DELE 2', 'dele x', 'RSET', 'NOOP', 'CAPA', 'QUIT', 'XYZZY', ''),
  fc.constantFrom('UTF8', 'LANG', 'LANG en', 'LANG xx', 'STLS', 'AUTH', 'AUTH X', 'AUTH PLAIN =', 'AUTH PLAIN !'),
  fc.constantFrom('AUTH PLAIN\r\n*', 'AUTH PLAIN\r\n!', 'AUTH PLAIN\r\nAG1yb3NlAHRhbnN0YWFm', 'AUTH PLAIN AGEAYg=='),
  fc.constantFrom(`APOP mrose ${'0'.repeat(32)}`, 'USER busy', 'USER faulty', 'USER lost'),
  junk,
);
const lmtpLine = fc.oneof(
  { arbitrary: fc.constantFrom('LHLO c.example', 'MAIL FROM:<a@b.example>', 'RCPT TO:<pat@foo.edu>'), weight: 6 },
  fc.constantFrom('RCPT TO:<jones@foo.edu>', 'RCPT TO:<green@foo.edu>', 'RCPT TO:<faulty@foo.edu>', 'MAIL FROM:<>'),
  fc.constantFrom(
    'RSET',
    'NOOP',
    'VRFY x',
    'QUIT',
    'HELO x',
    'EHLO x',
    'AUTH PLAIN',
    'EXPN x',
    'HELP',
    'RCPT',
    'STARTTLS',
    'BDAT 0',
    'MAIL FROM:<> SMTPUTF8',
    '',
  ),
  junk,
);
const poppwdLine = fc.oneof(
  { arbitrary: fc.constantFrom('USER joe@example.test', 'PASS old password'), weight: 3 },
  fc.constantFrom(
    'USER joe@example.test\r\nPASS old password',
    'NEWPASS old password',
    'NEWPASS unknown',
    'NEWPASS faulty',
  ),
  fc.constantFrom('NEWPASS not-allowed', 'USER away', 'PASS x', 'NEWPASS', 'USER', 'QUIT', 'XYZZY', ''),
  junk,
);

const pop3 = (): Protocol => pop3Fakes.pop3(pop3Fakes.fakeHouse().services);
const lmtp = (): Protocol => lmtpFakes.lmtp(lmtpFakes.fakeHouse().services);
const poppwd = (): Protocol => poppwdFakes.poppwd(poppwdFakes.fakeHouse().services);

/** All that a server says to those octets, in these pieces, until it closes. */
async function said(protocol: Protocol, octets: Buffer, cuts: readonly number[] = []): Promise<string> {
  const { client, close } = overMemory(protocol);
  const places = [0, ...cuts.map((cut) => cut % (octets.length + 1)).sort((a, b) => a - b), octets.length];
  for (const [index, place] of places.slice(1).entries()) client.send(octets.subarray(places[index], place));
  client.end();
  const rest = await client.rest();
  await close();
  return rest;
}

const octetsOf = (lines: readonly string[]): Buffer =>
  Buffer.from(lines.map((line) => line + '\r\n').join(''), 'latin1');

/** Replies of POP3, multi-line ones as one: a body's lines are stuffed, so a lone dot is an end. */
function pop3Replies(text: string): number {
  let replies = 0;
  const lines = text.split('\r\n').slice(0, -1);
  for (let at = 0; at < lines.length; at += 1) {
    assert.match(lines[at]!, /^((\+OK|-ERR)( |$)|\+ $)/);
    replies += 1;
    const isMulti =
      /^\+OK (capability list|language listing|unique-id listing|top of|\d+ octets$|\d+ messages? \()/.test(lines[at]!);
    if (isMulti) while (lines[at] !== '.') at += 1;
  }
  return replies;
}

const lineReplies = (text: string): number => text.split('\r\n').filter((line) => /^\d{3} /.test(line)).length;

/** Commands up to and with the one that ends the session: a QUIT that is well formed, whatever else is on the line. */
const isQuit = (line: string): boolean => /^quit *$/i.test(line);
const commandsOf = (lines: readonly string[]): readonly string[] => {
  const all = lines.flatMap((line) => line.split('\r\n'));
  const quit = all.findIndex(isQuit);
  return quit < 0 ? all : all.slice(0, quit + 1);
};

for (const [name, make, line, count] of [
  ['POP3', pop3, pop3Line, pop3Replies],
  ['LMTP', lmtp, lmtpLine, lineReplies],
  ['poppwd', poppwd, poppwdLine, lineReplies],
] as const) {
  test(`${name}: one reply for each command, in every state, and a greeting`, () =>
    fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 40 }), async (lines) => {
        const heard = await said(make(), octetsOf(lines));
        const commands = commandsOf(lines);
        if (/too many failed log-?ins/.test(heard)) assert.ok(count(heard) <= 1 + commands.length);
        else assert.is(count(heard), 1 + commands.length, JSON.stringify({ commands, heard }));
      }),
      { numRuns: RUNS },
    ));

  test(`${name}: the same octets, however they are cut, get the same replies`, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 25 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        async (lines, cuts) => {
          const octets = octetsOf(lines);
          assert.is(await said(make(), octets, cuts), await said(make(), octets));
        },
      ),
      { numRuns: RUNS },
    ));
}

test('LMTP: a message, however it is cut, gets one reply for each recipient and arrives the same', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('x', '.', '..', '. ', 'QUIT', 'RSET', ''), { maxLength: 30 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat(), { maxLength: 40 }),
      async (lines, recipients, cuts) => {
        const house = lmtpFakes.fakeHouse();
        const envelope = ['LHLO c', 'MAIL FROM:<>', ...Array<string>(recipients).fill('RCPT TO:<pat@foo.edu>'), 'DATA'];
        const stuffed = lines.map((each) => (each.startsWith('.') ? '.' + each : each));
        const heard = await said(
          lmtpFakes.lmtp(house.services),
          octetsOf([...envelope, ...stuffed, '.', 'NOOP', 'QUIT']),
          cuts,
        );
        assert.is(heard.split('250 2.0.0 delivered n1/1\r\n').length - 1, recipients);
        assert.match(heard, /250 2.0.0 ok\r\n221 /);
        assert.is(house.delivered[0]?.text, lines.map((each) => each + '\r\n').join(''));
      },
    ),
    { numRuns: RUNS },
  ));

test.run();
