/** The connection driver: order, barriers, backpressure, deadlines and every way of ending. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Limits } from '../../actors/connection-terms.ts';
import type { Caller, Protocol, Session } from '../../actors/session.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';
import { overMemory, overSocket, type Played } from '../support/transcript.ts';
import { manualClock } from './manual-clock.ts';
import { type FakeOptions, fakeHouse, inPieces, pop3 } from './pop3/fake-services.ts';

const limits: Limits = { idleMs: 600_000, writeMs: 60_000 };
const turns = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setImmediate(resolve));
};
const LOG_IN = 'USER mrose\r\nPASS tanstaaf\r\n';
const errorsOf = (errors: string[]): Log => ({ ...silentLog, error: (message) => errors.push(message) });

/** A logged-in session over memory; the replies up to there are read. */
async function loggedIn(options: FakeOptions = {}, log: Log = silentLog) {
  const house = fakeHouse(options);
  const clock = manualClock();
  const played = overMemory(pop3(house.services, log), { limits, clock, log });
  played.client.send(LOG_IN);
  await played.client.lines(3);
  const expire = (ms: number) => {
    clock.advance(ms);
    played.connection().checkDeadline(clock.monotonic());
  };
  return { ...played, ...house, expire };
}

/** A promise and the means to settle it. */
function gate(): { readonly opened: Promise<void>; open(): void; break(fault: Error): void } {
  let settle: { open(): void; break(fault: Error): void } = { open() {}, break() {} };
  const opened = new Promise<void>((resolve, reject) => {
    settle = { open: resolve, break: reject };
  });
  opened.catch(() => {});
  return { opened, open: () => settle.open(), break: (fault) => settle.break(fault) };
}

test('a body that breaks drops the connection: a pipelined DELE and QUIT behind it remove nothing', async () => {
  const errors: string[] = [];
  const { client, asked, ended } = await loggedIn(
    {
      async *body() {
        yield Buffer.from('Subject: one\r\n');
        throw new Error('the owner died');
      },
    },
    errorsOf(errors),
  );
  client.send('RETR 1\r\nDELE 1\r\nQUIT\r\n');
  const rest = await client.rest();
  assert.not.match(rest, /^\.\r\n|\r\n\.\r\n/);
  assert.not.match(rest, /deleted|goodbye/);
  assert.is(await ended, 'fault');
  assert.equal(asked, ['logIn', 'retrieve 11', 'leave']);
  assert.equal(errors, ['a reply broke off']);
});

for (const [what, text] of [
  ['shorter', 'Subject: one\r\n'],
  ['longer', `${'x'.repeat(150)}\r\n`],
] as const)
  test(`a body that is ${what} than listed never ends as if it were whole`, async () => {
    const { client, asked, ended } = await loggedIn({ body: () => inPieces(text, 50) });
    client.send('RETR 1\r\nQUIT\r\n');
    assert.not.match(await client.rest(), /^\.\r\n|\r\n\.\r\n/);
    assert.is(await ended, 'fault');
    assert.equal(asked, ['logIn', 'retrieve 11', 'leave']);
  });

test('no command is taken while a body is still being sent', async () => {
  const middle = gate();
  const { client, asked, close } = await loggedIn({
    messages: ['0123456789\r\n', 'x\r\n'],
    async *body(uid) {
      if (uid === 11) {
        yield Buffer.from('01234');
        await middle.opened;
        yield Buffer.from('56789\r\n');
      } else yield Buffer.from('x\r\n');
    },
  });
  client.send('RETR 1\r\nRETR 2\r\n');
  await turns();
  assert.equal(asked, ['logIn', 'retrieve 11']);
  middle.open();
  assert.equal(await client.lines(6), ['+OK 12 octets', '0123456789', '.', '+OK 3 octets', 'x', '.']);
  await close();
});

test('replies to pipelined commands go out in few writes', async () => {
  const { client, close } = await loggedIn();
  const [chunks, stop] = client.countChunks();
  client.send('NOOP\r\n'.repeat(500));
  await client.lines(500);
  assert.ok(chunks() <= Math.ceil(500 / 64) + 1, `${chunks()} writes`);
  stop();
  await close();
});

test('tens of thousands of pipelined commands are all answered, in order', async () => {
  const { client, close } = await loggedIn();
  const count = 30_000;
  client.send(Array.from({ length: count }, (_, i) => `LIST ${i + 1}\r\n`).join(''));
  assert.equal(await client.lines(3), ['+OK 1 120', '+OK 2 200', '-ERR no such message, only 2 in maildrop']);
  for (let i = 3; i < count; i += 1) assert.is(await client.line(), '-ERR no such message, only 2 in maildrop');
  await close();
});

/** The protocol, and how many commands its sessions were given. */
function counted(protocol: Protocol): { readonly protocol: Protocol; count(): number } {
  let commands = 0;
  const begin = (caller: Caller): Session => {
    const { actor, decoder, encoder, end } = protocol.begin(caller);
    const next = () => {
      const piece = decoder.next();
      if (piece !== undefined) commands += 1;
      return piece;
    };
    return {
      actor,
      encoder,
      end,
      decoder: {
        next,
        push: (bytes) => decoder.push(bytes),
        expect: (what) => decoder.expect(what),
        discard: () => decoder.discard(),
      },
    };
  };
  return { protocol: { ...protocol, begin }, count: () => commands };
}

test('a client that reads nothing holds up only itself: what it pipelines is no longer taken', async () => {
  const messages = Array.from({ length: 1000 }, () => 'x\r\n');
  const { protocol, count } = counted(pop3(fakeHouse({ messages }).services));
  const { client, close } = await overSocket(protocol, { limits });
  client.send(LOG_IN);
  await client.lines(3);
  client.stall();
  const listings = 8000; // some 80 MB of replies
  client.send('UIDL\r\n'.repeat(listings));
  let before = -1;
  while (count() !== before) {
    before = count();
    for (let i = 0; i < 10; i += 1) await turns();
  }
  assert.ok(count() < listings / 4, `${count()} of ${listings} commands were taken`);
  client.resume();
  for (let i = 0; i < 1002 * 100; i += 1) await client.line();
  assert.is(await client.line(), '+OK unique-id listing follows');
  await close();
});

test('a line without end costs no memory and gets one reply when its end comes', async () => {
  const { client, close } = await loggedIn();
  for (let i = 0; i < 200; i += 1) client.send(Buffer.alloc(64 * 1024, 'x'));
  client.send('\r\nNOOP\r\n');
  assert.equal(await client.lines(2), ['-ERR line too long', '+OK']);
  await close();
});

test('a slow reader is dropped after the write limit, in a listing and in a body', async () => {
  const huge = Array.from({ length: 30_000 }, () => 'x\r\n');
  for (const command of ['UIDL\r\n', 'RETR 1\r\n']) {
    let pulled = 0;
    let returned = false;
    const { client, ended, asked, expire } = await loggedIn({
      messages: [`${'x'.repeat(998)}\r\n`.repeat(1000), ...huge],
      async *body() {
        try {
          for (; pulled < 1000; pulled += 1) yield Buffer.from(`${'x'.repeat(998)}\r\n`);
        } finally {
          returned = true;
        }
      },
    });
    client.stall();
    client.send(command);
    await turns();
    assert.ok(pulled < 500, `${pulled} of 1000 pieces were read for a client that reads none`);
    expire(limits.writeMs - 1);
    await turns();
    assert.is(asked.includes('leave'), false);
    expire(1);
    assert.is(await ended, 'slow-reader');
    if (command.startsWith('RETR')) assert.ok(returned, 'the body was let go of');
    assert.is(asked.at(-1), 'leave');
  }
});

test('an idle session is closed without a word and removes nothing (RFC 1939 §3)', async () => {
  const { client, ended, asked, expire } = await loggedIn();
  client.send('DELE 1\r\n');
  await client.line();
  expire(limits.idleMs - 1);
  assert.is(asked.includes('leave'), false);
  expire(1);
  assert.is(await client.rest(), '');
  client.end();
  assert.is(await ended, 'idle');
  assert.equal(asked, ['logIn', 'leave']);
});

test('octets that complete no command do not keep a session alive; a command does', async () => {
  const { client, ended, expire } = await loggedIn();
  expire(limits.idleMs - 1);
  client.send('NOOP\r\n');
  await client.line();
  expire(limits.idleMs - 1);
  client.send('NO');
  await turns();
  expire(1);
  assert.is(await client.rest(), '');
  client.end();
  assert.is(await ended, 'idle');
});

test('a session is not idle while what it has said waits for its turn', async () => {
  const { client, ended, expire } = await loggedIn();
  client.send('NOOP\r\n'.repeat(200));
  const rest = client.rest();
  for (let rounds = 0; rounds < 30; rounds += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    expire(limits.idleMs + 1);
  }
  assert.is((await rest).split('+OK').length - 1, 200);
  assert.is(await ended, 'idle'); // when all was answered
});

test('a session is not idle while the house is at work for it', async () => {
  const held = gate();
  const { client, expire, until, close } = await loggedIn({
    holdUp: (asked) => (asked === 'retrieve 11' ? held.opened : undefined),
  });
  client.send('RETR 1\r\n');
  await until('retrieve 11');
  expire(10 * limits.idleMs);
  held.open();
  assert.is(await client.line(), '+OK 120 octets');
  await close();
});

test('a client that vanishes during its log-in leaves the maildrop that the log-in then opens', async () => {
  const held = gate();
  const house = fakeHouse({ holdUp: (asked) => (asked === 'logIn' ? held.opened : undefined) });
  const played = overMemory(pop3(house.services));
  played.client.send(LOG_IN);
  await house.until('logIn');
  played.client.destroy();
  assert.is(await played.ended, 'client-gone');
  await turns();
  assert.equal(house.asked, ['logIn'], 'nothing is left before the answer is there');
  held.open();
  await house.until('leave');
  await turns();
  assert.equal(house.asked, ['logIn', 'leave']);
});

test('a client that vanishes during a log-in that fails leaves nothing', async () => {
  const held = gate();
  const errors: string[] = [];
  const house = fakeHouse({ holdUp: () => held.opened });
  const played = overMemory(pop3(house.services, errorsOf(errors)));
  played.client.send(LOG_IN);
  await house.until('logIn');
  played.client.destroy();
  await played.ended;
  held.break(new Error('no authenticator'));
  await turns();
  assert.equal(house.asked, ['logIn']);
  assert.equal(errors, ['log-in failed']);
});

test('a client that vanishes while its body is sent, or between commands, is left exactly once', async () => {
  for (const command of ['', 'RETR 1\r\n', 'NOOP\r\nDELE 1\r\n']) {
    const endless = gate();
    let returned = false;
    const { client, asked, ended } = await loggedIn({
      async *body() {
        try {
          yield Buffer.from('x');
          await endless.opened;
        } finally {
          returned = true;
        }
      },
    });
    client.send(command);
    await turns();
    client.destroy();
    await ended;
    await turns();
    assert.is(asked.filter((each) => each === 'leave').length, 1);
    assert.is(
      asked.some((each) => each.startsWith('expunge')),
      false,
    );
    endless.open();
    await turns();
    if (command.startsWith('RETR')) assert.ok(returned);
  }
});

test('a client that vanishes after QUIT has its update done, and nothing is left twice', async () => {
  const held = gate();
  const { client, asked, until, ended } = await loggedIn({
    holdUp: (what) => (what.startsWith('expunge') ? held.opened : undefined),
  });
  client.send('DELE 2\r\nQUIT\r\n');
  await until('expunge 13');
  client.destroy();
  await ended;
  held.open();
  await turns();
  assert.equal(asked, ['logIn', 'expunge 13']);
});

test('a client that vanishes after QUIT whose update then fails is left', async () => {
  const held = gate();
  const { client, asked, until, ended } = await loggedIn({
    holdUp: (what) => (what.startsWith('expunge') ? held.opened : undefined),
  });
  client.send('QUIT\r\n');
  await until('expunge ');
  client.destroy();
  await ended;
  held.break(new Error('the owner is gone'));
  await until('leave');
  assert.equal(asked, ['logIn', 'expunge ', 'leave']);
});

test('a client that ends its side still gets what it asked for, body and all', async () => {
  const over: (() => Promise<Played>)[] = [];
  over.push(
    async () => overMemory(pop3(fakeHouse().services)),
    () => overSocket(pop3(fakeHouse().services)),
  );
  for (const connect of over) {
    const { client, ended, close } = await connect();
    client.send(`${LOG_IN}RETR 2\r\nSTAT\r\n`);
    client.end();
    const rest = await client.rest();
    assert.match(rest, /\r\n\.\r\n\+OK 2 320\r\n$/);
    assert.is(await ended, 'client-gone');
    await close();
  }
});

test('a stop between commands closes at once and removes nothing', async () => {
  const { client, connection, asked, ended } = await loggedIn();
  client.send('DELE 1\r\n');
  await client.line();
  connection().stop();
  assert.is(await client.rest(), '');
  client.end();
  assert.is(await ended, 'shutdown');
  assert.equal(asked, ['logIn', 'leave']);
});

test('a stop lets a command finish, its body too, and takes none of those pipelined behind it', async () => {
  const held = gate();
  const middle = gate();
  const { client, connection, asked, until, ended } = await loggedIn({
    messages: ['0123456789\r\n'],
    holdUp: (what) => (what === 'retrieve 11' ? held.opened : undefined),
    async *body() {
      yield Buffer.from('01234');
      await middle.opened;
      yield Buffer.from('56789\r\n');
    },
  });
  client.send('RETR 1\r\nDELE 1\r\nQUIT\r\n');
  await until('retrieve 11');
  connection().stop();
  held.open();
  await turns();
  middle.open();
  assert.is(await client.rest(), '+OK 12 octets\r\n0123456789\r\n.\r\n');
  client.end();
  assert.is(await ended, 'shutdown');
  assert.equal(asked, ['logIn', 'retrieve 11', 'leave']);
});

test('one that is kicked is told so between two commands, in its language, and what it marked stays', async () => {
  const { client, connection, asked, ended } = await loggedIn();
  client.send('LANG de\r\nDELE 1\r\n');
  await client.lines(2);
  connection().stop('kicked');
  assert.is(await client.rest(), '-ERR [SYS/PERM] Sitzung vom Verwalter beendet\r\n');
  client.end();
  assert.is(await ended, 'kicked');
  assert.equal(asked, ['logIn', 'leave']);
});

test('one that is kicked in the middle of a command gets its answer first, and nothing that it pipelined', async () => {
  const held = gate();
  const { client, connection, until, ended } = await loggedIn({
    holdUp: (what) => (what === 'retrieve 11' ? held.opened : undefined),
    messages: ['x\r\n'],
  });
  client.send('RETR 1\r\nDELE 1\r\nQUIT\r\n');
  await until('retrieve 11');
  connection().stop('kicked');
  connection().stop(); // the first reason stands
  held.open();
  assert.is(await client.rest(), '+OK 3 octets\r\nx\r\n.\r\n-ERR [SYS/PERM] session ended by the administrator\r\n');
  client.end();
  assert.is(await ended, 'kicked');
});

test('an operator sees who a session is, since when and in which state, and its account once logged in', async () => {
  const clock = manualClock(5_000);
  const held = gate();
  const house = fakeHouse({ holdUp: (what) => (what === 'logIn' ? held.opened : undefined) });
  const { client, connection, close } = overMemory(pop3(house.services), { clock });
  await client.line();
  clock.advance(60_000);
  const { session, ...seen } = connection().inspect();
  assert.is(session, connection().id);
  assert.equal(seen, {
    protocol: 'pop3',
    address: '192.0.2.1',
    port: 40_110,
    state: 'authorization.ready',
    account: undefined,
    accountId: undefined,
    since: 5_000,
    tls: false,
  });
  client.send('USER mrose\r\nPASS tanstaaf\r\n');
  await house.until('logIn');
  assert.equal([connection().inspect().state, connection().inspect().account], ['authorization.loggingIn', undefined]);
  held.open();
  await client.lines(2);
  assert.equal([connection().inspect().state, connection().inspect().account], ['transaction.ready', 'mrose']);
  assert.is(connection().inspect().accountId, 'id of mrose');
  assert.equal(JSON.stringify(connection().inspect()).includes('tanstaaf'), false);
  await close();
});

test('a client that never ends its side after the goodbye is dropped', async () => {
  const { client, ended, expire } = await loggedIn();
  client.send('QUIT\r\n');
  assert.is(await client.rest(), '+OK goodbye (2 messages left)\r\n');
  expire(1000);
  assert.is(await ended, 'finished');
});

test('what is sent behind QUIT is dropped, and the goodbye still arrives', async () => {
  const played = await overSocket(pop3(fakeHouse().services));
  played.client.send(`${LOG_IN}QUIT\r\n${'NOOP\r\n'.repeat(10_000)}`);
  assert.match(await played.client.rest(), /\+OK goodbye \(2 messages left\)\r\n$/);
  await played.close();
});

test('neither a name nor a secret is ever logged, at any level', async () => {
  const lines: string[] = [];
  const write = (message: string, fields?: object) => {
    lines.push(message + JSON.stringify(fields, (_, value) => (value instanceof Error ? value.stack : value)));
  };
  const log: Log = { debug: write, info: write, warn: write, error: write, with: () => log };
  for (const name of ['mrose', 'faulty', 'nobody']) {
    const played = await overSocket(pop3(fakeHouse().services, log), { log });
    played.client.send(`USER ${name}\r\nPASS tanstaaf\r\nPASS again\r\nXYZZY tanstaaf\r\nQUIT\r\n`);
    await played.client.rest();
    await played.close();
  }
  assert.ok(lines.some((line) => line.startsWith('log-in failed')));
  for (const line of lines) assert.not.match(line, /mrose|nobody|tanstaaf|XYZZY|\bagain\b/);
});

test.run();
