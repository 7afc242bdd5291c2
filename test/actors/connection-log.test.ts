/**
 * What POP3 and poppwd sessions leave in the connection log: rows G-03 to G-10, G-13 to G-16 of the requirements. The
 * machines know nothing of it; here are whole sessions, over memory and over sockets.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KICK_GRACE_MS } from '../../actors/connection-terms.ts';
import type { LogIn } from '../../actors/pop3/services.ts';
import type { Protocol } from '../../actors/session.ts';
import { refuse } from '../../kernel/result.ts';
import { keptConnectionLog } from '../support/connection-entries.ts';
import { overMemory, overSocket, type Played } from '../support/transcript.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';
import * as pop3Fakes from './pop3/fake-services.ts';
import * as poppwdFakes from './poppwd/fake-services.ts';

const SECRETS = ['tanstaaf', 'old password', 'wrong', 'new secret'];
const sasl = (...parts: string[]): string => Buffer.from(parts.join('\0')).toString('base64');

function logged(make: 'pop3' | 'poppwd', options: pop3Fakes.FakeOptions = {}, clock: ManualClock = manualClock()) {
  const kept = keptConnectionLog(clock);
  const house = pop3Fakes.fakeHouse(options);
  const protocol: Protocol =
    make === 'pop3'
      ? pop3Fakes.pop3(house.services, undefined, { connectionLog: kept.log })
      : poppwdFakes.poppwd(poppwdFakes.fakeHouse().services, undefined, true, kept.log);
  return { ...kept, house, protocol, clock };
}

/** Says all of it at once, hears all of it, and is gone. */
async function said(protocol: Protocol, ...lines: string[]): Promise<string> {
  const { client, ended, close } = overMemory(protocol);
  client.send(lines.map((line) => `${line}\r\n`).join(''));
  client.end();
  const heard = await client.rest();
  await close();
  await ended;
  return heard;
}

test('three failures and a log-in: A A A O C, with names, mechanisms and reasons, and no secret', async () => {
  const { protocol, entries } = logged('pop3');
  await said(
    protocol,
    'USER nobody',
    'PASS tanstaaf',
    `APOP mrose ${'0'.repeat(32)}`,
    `AUTH PLAIN ${sasl('', 'mrose', 'wrong')}`,
    'USER mrose',
    'PASS tanstaaf',
    'QUIT',
  );
  assert.equal(
    entries().map(({ code, fields }) => [
      code,
      fields['user'],
      fields['mechanism'],
      fields['reason'],
      fields['ending'],
    ]),
    [
      ['A', 'nobody', 'PASS', 'bad-credentials', undefined],
      ['A', 'mrose', 'APOP', 'bad-credentials', undefined],
      ['A', 'mrose', 'PLAIN', 'bad-credentials', undefined],
      ['O', 'mrose', 'PASS', undefined, undefined],
      ['C', undefined, undefined, undefined, 'finished'],
    ],
  );
});

test('G-10: the hidden reason goes to the log and not on the wire', async () => {
  const { protocol, entries, house } = logged('pop3');
  const begin = house.services.begin;
  const withReason = async (): Promise<LogIn> => ({ ...refuse('bad-credentials'), reason: 'no-such-account' });
  Object.assign(house.services, {
    begin: (caller: Parameters<typeof begin>[0]) => ({ ...begin(caller), logIn: withReason }),
  });
  const heard = await said(protocol, 'USER nobody', 'PASS tanstaaf', 'QUIT');
  assert.is(entries()[0]!.fields['reason'], 'no-such-account');
  assert.not.match(heard, /no-such-account/);
});

test('a log-in refused after the right password is a failed attempt too', async () => {
  const { protocol, entries } = logged('pop3');
  await said(
    protocol,
    ...['busy', 'hasty', 'unavailable', 'faulty'].flatMap((name) => [`USER ${name}`, 'PASS tanstaaf']),
  );
  assert.equal(
    entries().map(({ code, fields }) => `${code} ${fields['reason'] ?? fields['ending'] ?? ''}`),
    ['A in-use', 'A too-soon', 'A unavailable', 'A fault', 'O ', 'X client-gone'],
  );
});

test('G-04: nothing is written until the log-in phase is over', async () => {
  const { protocol, codes } = logged('pop3');
  const { client, close } = overMemory(protocol);
  await client.line();
  client.send('CAPA\r\nUSER mrose\r\n');
  await client.line();
  assert.is(codes(), '');
  client.send('PASS tanstaaf\r\n');
  while (!(await client.line())!.includes('maildrop has'));
  assert.is(codes(), 'O');
  await close();
  assert.is(codes(), 'O X');
});

for (const make of ['pop3', 'poppwd'] as const) {
  const logIn = make === 'pop3' ? 'USER mrose\r\nPASS tanstaaf\r\n' : 'USER joe@example.test\r\nPASS old password\r\n';

  /** The ways to end, from before the log-in or after it. */
  const endings: Readonly<Record<string, [code: string, end: (played: Played, clock: ManualClock) => unknown]>> = {
    finished: ['C', ({ client }) => client.send('QUIT\r\n')],
    'client-gone': ['X', ({ client }) => client.destroy()],
    idle: [
      'X',
      ({ connection }, clock) => {
        clock.advance(3_600_000);
        connection().checkDeadline(clock.monotonic());
      },
    ],
    shutdown: ['X', ({ connection }) => connection().stop()],
    kicked: ['X', ({ connection }) => connection().stop('kicked')],
    destroyed: ['X', ({ connection }) => connection().destroy()],
  };
  for (const [ending, [code, end]] of Object.entries(endings))
    for (const isLoggedIn of [false, true])
      test(`${make}: ${ending}, ${isLoggedIn ? 'logged in' : 'before the log-in'}: O, then ${code}`, async () => {
        const { protocol, entries, clock } = logged(make);
        const played = overMemory(protocol, { clock });
        await played.client.line();
        if (isLoggedIn) {
          played.client.send(logIn);
          await played.client.lines(2);
        }
        end(played, clock);
        await played.client.rest();
        played.client.end();
        assert.is(await played.ended, ending);
        assert.equal(
          entries().map((entry) => [entry.code, entry.fields['user'] !== undefined, entry.fields['ending']]),
          [
            ['O', isLoggedIn, undefined],
            [code, false, ending],
          ],
        );
      });

  test(`${make}: G-13, the transport is that of the socket; octets are those of the session`, async () => {
    const { protocol, entries } = logged(make);
    const { client, close, connection, ended } = await overSocket(protocol);
    const greeting = await client.line();
    const { port, session } = connection().inspect();
    client.send('QUIT\r\n');
    const rest = await client.rest();
    client.end();
    await ended;
    const [opened, closed] = entries();
    const [kind, serverAddress, serverPort, clientAddress, clientPort] = opened!.transport;
    assert.equal([kind, serverAddress, clientAddress, clientPort], ['TCP', '127.0.0.1', '127.0.0.1', String(port)]);
    assert.match(serverPort!, /^[1-9]\d*$/);
    assert.is.not(serverPort, clientPort);
    assert.is(opened!.service, make === 'pop3' ? 'POP3' : 'POPPASSD');
    assert.equal([opened!.fields['session'], closed!.fields['session']], [session, session]);
    assert.is(closed!.fields['in'], '6');
    assert.is(closed!.fields['out'], String(greeting!.length + 2 + rest.length));
    await close();
  });
}

test('too many failures: each is an A, and the house is who ended it', async () => {
  for (const [make, name] of [
    ['pop3', 'mrose'],
    ['poppwd', 'joe@example.test'],
  ] as const) {
    const { protocol, codes, entries } = logged(make);
    await said(protocol, ...Array.from({ length: 6 }, () => [`USER ${name}`, 'PASS wrong']).flat());
    assert.is(codes(), 'A A A A O X');
    assert.is(entries().at(-1)!.fields['ending'], 'dismissed');
  }
});

for (const [name, secret, reason] of [
  ['mrose', 'wrong', 'bad-credentials'],
  ['unavailable', 'tanstaaf', 'client-gone'],
] as const)
  test(`a guesser who does not wait is written down before the end, with ${reason} where that is what is known`, async () => {
    let answer: () => void = () => {};
    const { protocol, entries, house, codes } = logged('pop3', {
      holdUp: (asked) => (asked === 'logIn' ? new Promise((resolve) => (answer = resolve)) : undefined),
    });
    const { client, ended } = overMemory(protocol);
    client.send(`USER ${name}\r\nPASS ${secret}\r\n`);
    await house.until('logIn');
    client.destroy();
    await ended;
    assert.is(codes(), '');
    answer();
    while (entries().length < 3) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(
      entries().map(({ code, fields }) => `${code} ${fields['reason'] ?? fields['ending'] ?? ''}`),
      [`A ${reason}`, 'O ', 'X client-gone'],
    );
  });

test('a name is cut to what an account may have, and is one word of one line', async () => {
  const { protocol, entries, lines } = logged('pop3');
  await said(protocol, `AUTH PLAIN ${sasl('', 'a\r\nO | b', 'x')}`, `AUTH PLAIN\r\n${sasl('', 'y'.repeat(5000), 'x')}`);
  assert.is(entries()[0]!.fields['user'], 'a\r\nO | b');
  assert.is(entries()[1]!.fields['user'], `${'y'.repeat(320)}... (5000 characters)`);
  for (const line of lines) assert.is(line.indexOf('\n'), line.length - 1);
});

test('a client that never logs in has its time and no more, whatever it says; one that logs in is let be', async () => {
  for (const make of ['pop3', 'poppwd'] as const) {
    const { protocol, entries, clock } = logged(make);
    const limits = { idleMs: 600_000, writeMs: 60_000, logInMs: 900_000 };
    const [idler, other] = [overMemory(protocol, { clock, limits }), overMemory(protocol, { clock, limits })];
    for (const { client } of [idler, other]) await client.line();
    other.client.send(
      make === 'pop3' ? 'USER mrose\r\nPASS tanstaaf\r\n' : 'USER joe@example.test\r\nPASS old password\r\n',
    );
    await other.client.lines(2);
    for (const minutes of [9, 5]) {
      clock.advance(minutes * 60_000);
      for (const { client, connection } of [idler, other]) {
        connection().checkDeadline(clock.monotonic());
        client.send('NEWS\r\n');
        assert.match((await client.line())!, /^(-ERR|5\d\d) /);
      }
    }
    clock.advance(60_000);
    for (const { connection } of [idler, other]) connection().checkDeadline(clock.monotonic());
    assert.is(await idler.client.rest(), '');
    idler.client.end();
    assert.is(await idler.ended, 'no-log-in');
    assert.is(entries().at(-1)!.fields['ending'], 'no-log-in');
    other.client.send('QUIT\r\n');
    assert.match((await other.client.line())!, /^(\+OK|200) /);
    await other.close();
  }
});

test('a client without a log-in that has always said more than was answered yet is not spared either', async () => {
  const { protocol, clock } = logged('pop3');
  const { client, connection, ended } = overMemory(protocol, {
    clock,
    limits: { idleMs: 600_000, writeMs: 60_000, logInMs: 1000 },
  });
  await client.line();
  client.send('NOOP\r\n'.repeat(2000));
  await client.line();
  clock.advance(1000);
  connection().checkDeadline(clock.monotonic());
  assert.ok((await client.rest()).split('\r\n').length < 1000, 'most of it was not answered');
  client.end();
  assert.is(await ended, 'no-log-in');
});

test('a log-in under way when the time for it is over is seen through', async () => {
  let answer: () => void = () => {};
  const { protocol, house, clock } = logged('pop3', {
    holdUp: (asked) => (asked === 'logIn' ? new Promise((resolve) => (answer = resolve)) : undefined),
  });
  const limits = { idleMs: 600_000, writeMs: 60_000, logInMs: 1000 };
  const { client, connection, close } = overMemory(protocol, { clock, limits });
  client.send('USER mrose\r\nPASS tanstaaf\r\n');
  await client.lines(2);
  await house.until('logIn');
  clock.advance(1000);
  connection().checkDeadline(clock.monotonic());
  answer();
  assert.match((await client.line())!, /^\+OK .*maildrop has/);
  connection().checkDeadline(clock.monotonic());
  client.send('NOOP\r\n');
  assert.match((await client.line())!, /^\+OK/);
  await close();
});

test('who is kicked while a message is being sent has a grace, and is then cut off', async () => {
  const { protocol, house, clock, entries } = logged('pop3', {
    holdUp: (asked) => (asked === 'retrieve 11' ? new Promise(() => {}) : undefined),
  });
  const { client, connection, ended } = overMemory(protocol, { clock });
  client.send('USER mrose\r\nPASS tanstaaf\r\nRETR 1\r\n');
  await client.lines(3);
  await house.until('retrieve 11');
  connection().stop('kicked');
  clock.advance(KICK_GRACE_MS - 1);
  connection().checkDeadline(clock.monotonic());
  assert.is(connection().inspect().state, 'transaction.retrieving', 'what is under way may end by itself');
  clock.advance(1);
  connection().checkDeadline(clock.monotonic());
  assert.is(await ended, 'kicked');
  assert.is(entries().at(-1)!.fields['ending'], 'kicked');
  client.destroy();
});

test('under TLS that never came about there was a connection all the same', async () => {
  const { protocol, codes, entries } = logged('pop3');
  const { client, close, ended } = overMemory(protocol);
  client.send('\x16\x03\x01 no line\r\n');
  client.end();
  await client.rest();
  assert.is(await ended, 'client-gone');
  assert.is(codes(), 'O X');
  assert.is(entries()[1]!.fields['in'], '13');
  await close();
});

test('G-18: who is not let in, for nologin or for want of a channel, has an O and an X as well', async () => {
  const { protocol, log, entries } = logged('pop3');
  const turnedAway = await overSocket(protocol, { connectionLog: log, nologin: () => 'moving house' });
  assert.match(await turnedAway.client.rest(), /^-ERR .*moving house\r\n$/);
  turnedAway.client.end();
  await turnedAway.ended;
  await turnedAway.close();
  assert.equal(
    entries().map(({ code, fields }) => [code, fields['ending']]),
    [
      ['O', undefined],
      ['X', 'nologin'],
    ],
  );

  const full = logged('pop3');
  const first = await overSocket(full.protocol, { connectionLog: full.log, channels: 1 });
  await first.client.line();
  const second = connect({ host: '127.0.0.1', port: (first.client.wire as Socket).remotePort! });
  second.resume();
  await once(second, 'end');
  second.end();
  assert.equal(
    full.entries().map(({ code, fields }) => [code, fields['ending']]),
    [
      ['O', undefined],
      ['X', 'no-channel'],
    ],
  );
  await first.close();
});

test('G-07, G-16: over random sessions, each connection is A* O (C|X), C exactly when the client said goodbye, and no secret', async () => {
  const timestampDigest = createHash('md5').update('<x>tanstaaf').digest('hex');
  const pop3Line = fc.oneof(
    { arbitrary: fc.constantFrom('USER mrose\r\nPASS tanstaaf', 'USER mrose\r\nPASS wrong', 'QUIT'), weight: 3 },
    fc.constantFrom(
      'USER nobody',
      'PASS tanstaaf',
      'PASS wrong',
      'STAT',
      'RETR 1',
      'DELE 1',
      'CAPA',
      'XYZZY',
      'AUTH PLAIN\r\n*',
    ),
    fc.constantFrom(`AUTH PLAIN ${sasl('', 'mrose', 'wrong')}`, `AUTH PLAIN ${sasl('root', 'mrose', 'tanstaaf')}`),
    fc.constantFrom(`APOP mrose ${timestampDigest}`, 'USER busy\r\nPASS tanstaaf', 'USER faulty\r\nPASS tanstaaf'),
  );
  const poppwdLine = fc.oneof(
    {
      arbitrary: fc.constantFrom('USER joe@example.test\r\nPASS old password', 'USER joe\r\nPASS wrong', 'QUIT'),
      weight: 3,
    },
    fc.constantFrom(
      'NEWPASS old password',
      'NEWPASS conflict',
      'NEWPASS faulty',
      'NEWPASS',
      'PASS wrong',
      'USER away',
      'XYZZY',
    ),
  );
  const session = fc.record({
    make: fc.constantFrom('pop3' as const, 'poppwd' as const),
    rude: fc.constantFrom('ends', 'destroys', 'is stopped', 'is kicked', 'is destroyed'),
  });
  await fc.assert(
    fc.asyncProperty(
      session,
      fc.infiniteStream(fc.nat()),
      fc.array(pop3Line, { maxLength: 15 }),
      fc.array(poppwdLine, { maxLength: 15 }),
      async ({ make, rude }, numbers, pop3Lines, poppwdLines) => {
        const { protocol, codes, lines } = logged(make);
        const { client, connection, ended, close } = overMemory(protocol);
        const sent = (make === 'pop3' ? pop3Lines : poppwdLines).map((line) => `${line}\r\n`).join('');
        client.send(sent);
        if (rude === 'ends') client.end();
        else {
          // Somewhere in the middle of it.
          for (let turns = numbers.next().value % 6; turns > 0; turns -= 1)
            await new Promise((resolve) => setImmediate(resolve));
          if (rude === 'destroys') client.destroy();
          else if (rude === 'is stopped') connection().stop();
          else if (rude === 'is kicked') connection().stop('kicked');
          else connection().destroy();
        }
        if (rude !== 'destroys') await client.rest();
        await close();
        const ending = await ended;
        for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => setImmediate(resolve));
        assert.match(codes(), /^(A )*O [CX]$/, JSON.stringify({ make, sent, rude }));
        assert.is(codes().endsWith('C'), ending === 'finished');
        for (const secret of [
          ...SECRETS,
          timestampDigest,
          sasl('', 'mrose', 'wrong'),
          sasl('root', 'mrose', 'tanstaaf'),
        ])
          assert.not.ok(lines.join('').includes(secret) || lines.join('').includes(encodeURIComponent(secret)), secret);
      },
    ),
    { numRuns: 300 },
  );
});

test.run();
