/** POP3 sessions beyond the transcripts: greetings, log-ins, large maildrops. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Log, silentLog } from '../../../telemetry/log.ts';
import { overMemory, overSocket } from '../../support/transcript.ts';
import { fakeHouse, pop3 } from './fake-services.ts';

test('each greeting has a timestamp of its own, in the form of a msg-id (RFC 1939 §7)', async () => {
  const protocol = pop3(fakeHouse().services);
  const timestamps: string[] = [];
  for (const session of ['x.1', 'x.2']) {
    const { actor } = protocol.begin({
      session,
      address: '',
      port: 0,
      local: { address: '/ipc/pop3', port: 0 },
      tls: 'none',
    });
    actor.on('*', (said) => {
      if (said.type === 'reply') timestamps.push((said.reply as { text: string }).text);
    });
    actor.start();
  }
  assert.is(new Set(timestamps).size, 2);
  for (const text of timestamps) assert.match(text, /^[^<>]*<[A-Za-z0-9.-]+@mail\.example\.test>$/);
});

test('USER gets the same octets for a user that exists and for one that does not', async () => {
  const { client, close } = overMemory(pop3(fakeHouse().services));
  await client.line();
  client.send('USER mrose\r\nUSER nobody\r\n');
  const [known, unknown] = await client.lines(2);
  assert.is(known, unknown);
  await close();
});

test('IN-USE is said only after the right secret', async () => {
  const { client, close } = overMemory(pop3(fakeHouse().services));
  await client.line();
  client.send('USER busy\r\nPASS wrong\r\nUSER busy\r\nPASS tanstaaf\r\n');
  const [, wrong, , right] = await client.lines(4);
  assert.match(wrong!, '-ERR [AUTH]');
  assert.match(right!, '-ERR [IN-USE]');
  await close();
});

test('a broken authenticator is logged with the session, and the client told to come back', async () => {
  const logged: unknown[] = [];
  const log: Log = { ...silentLog, error: (message, fields) => logged.push(message, fields?.session) };
  const { client, close } = overMemory(pop3(fakeHouse().services, log));
  await client.line();
  client.send('USER faulty\r\nPASS tanstaaf\r\n');
  assert.match((await client.lines(2))[1]!, '-ERR [SYS/TEMP]');
  assert.equal(logged, ['log-in failed', 'memory.1']);
  await close();
});

test('TOP leaves the rest of the message unread', async () => {
  let pulled = 0;
  const { client, close } = overMemory(
    pop3(
      fakeHouse({
        async *body() {
          yield Buffer.from('Subject: x\r\n\r\n');
          for (; pulled < 1000; pulled += 1) yield Buffer.from('line\r\n');
        },
      }).services,
    ),
  );
  await client.line();
  client.send('USER mrose\r\nPASS tanstaaf\r\nTOP 1 2\r\n');
  assert.equal((await client.lines(8)).slice(2), ['+OK top of message follows', 'Subject: x', '', 'line', 'line', '.']);
  assert.ok(pulled <= 3, `${pulled}`);
  await close();
});

test('a maildrop of 100,000 messages is listed, marked and updated', async () => {
  const count = 100_000;
  const house = fakeHouse({ messages: Array.from({ length: count }, () => 'x\r\n') });
  const { client, close } = await overSocket(pop3(house.services));
  await client.line();
  client.send(`USER mrose\r\nPASS tanstaaf\r\nDELE 50000\r\nDELE ${count}\r\nUIDL\r\nQUIT\r\n`);
  assert.is((await client.lines(2))[1], `+OK maildrop has ${count} messages (${3 * count} octets)`);
  const rest = (await client.rest()).split('\r\n');
  assert.is(rest[3], '1 7.11');
  assert.is(rest[3 + 49_998], '49999 7.100007');
  assert.is(rest[3 + 49_999], '50001 7.100011');
  assert.equal(rest.slice(-3), ['.', `+OK goodbye (${count - 2} messages left)`, '']);
  assert.equal(house.asked, ['logIn', 'expunge 100009,200009']);
  await close();
});

test.run();
