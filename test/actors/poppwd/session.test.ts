/** poppwd sessions beyond the transcripts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Log, silentLog } from '../../../telemetry/log.ts';
import { CertificateDirectory, openCertificates, pem, rulesFor } from '../../support/certificates.ts';
import { overMemory, overSocket } from '../../support/transcript.ts';
import { manualClock } from '../manual-clock.ts';
import { fakeHouse, poppwd } from './fake-services.ts';

const LOG_IN = 'USER joe@example.test\r\nPASS old password\r\n';

test('the greeting holds one pair of angle brackets, never the same twice', async () => {
  const greetings = new Set<string>();
  const protocol = poppwd(fakeHouse().services);
  for (const session of ['a.1', 'a.2']) {
    const actor = protocol.begin({
      session,
      address: '',
      port: 0,
      local: { address: '/ipc/poppwd', port: 0 },
      tls: 'active',
    }).actor as unknown as {
      on(type: 'reply', listener: (said: { reply: { text: string } }) => void): void;
      start(): void;
    };
    actor.on('reply', ({ reply }) => greetings.add(reply.text));
    actor.start();
  }
  assert.is(greetings.size, 2);
  for (const text of greetings) assert.match(text, /^[^<>]*<[^<>@]+@[^<>]+>$/);
});

test('an unknown account and a wrong password get the same octets', async () => {
  const { client, close } = overMemory(poppwd(fakeHouse().services));
  await client.line();
  client.send('USER nobody\r\nPASS x\r\nUSER joe@example.test\r\nPASS x\r\n');
  const [, unknown, , wrong] = await client.lines(4);
  assert.is(unknown, wrong);
  await close();
});

test('a change is done when its 200 is sent: the client may close without QUIT', async () => {
  const house = fakeHouse();
  const { client, ended, close } = overMemory(poppwd(house.services));
  await client.line();
  client.send(`${LOG_IN}NEWPASS new\r\n`);
  client.end();
  assert.equal(await client.lines(3), ['300 please send the PASS', '200 login OK', '200 password changed']);
  assert.is(house.password(), 'new');
  assert.is(await ended, 'client-gone');
  await close();
});

test('where passwords are taken under TLS only, USER is refused in clear and nothing is changed', async () => {
  const house = fakeHouse();
  const { client, close } = overMemory(poppwd(house.services, undefined, false));
  await client.line();
  client.send(`${LOG_IN}NEWPASS new\r\nQUIT\r\n`);
  assert.equal(await client.lines(4), [
    '500 passwords are changed here under TLS only',
    '500 USER first',
    '500 log in first',
    '200 connection closed',
  ]);
  assert.is(house.password(), 'old password');
  await close();
});

test('under implicit TLS a password is changed there too', async () => {
  const directory = new CertificateDirectory();
  const certificates = await openCertificates(rulesFor(directory.write('mail', await pem('mail.example.test'))));
  try {
    const house = fakeHouse();
    const protocol = poppwd(house.services, undefined, false);
    const { client, close } = await overSocket(protocol, { tls: { mode: 'implicit', certificates } });
    assert.match((await client.line())!, /^200 /);
    client.send(`${LOG_IN}NEWPASS new\r\n`);
    assert.equal(await client.lines(3), ['300 please send the PASS', '200 login OK', '200 password changed']);
    assert.is(house.password(), 'new');
    await close();
  } finally {
    certificates.close();
    directory.remove();
  }
});

test('the same password again is taken', async () => {
  const { client, close } = overMemory(poppwd(fakeHouse().services));
  await client.line();
  client.send(`${LOG_IN}NEWPASS old password\r\n`);
  assert.is((await client.lines(3))[2], '200 password changed');
  await close();
});

test('one that is kicked is told so in the words of the protocol', async () => {
  const { client, connection, ended } = overMemory(poppwd(fakeHouse().services));
  await client.line();
  client.send(LOG_IN);
  await client.lines(2);
  assert.is(connection().inspect().account, 'joe@example.test');
  connection().stop('kicked');
  assert.is(await client.rest(), '500 session ended by the administrator\r\n');
  client.end();
  assert.is(await ended, 'kicked');
});

test('an idle session is closed without a word', async () => {
  const clock = manualClock();
  const { client, connection, ended } = overMemory(poppwd(fakeHouse().services), { clock });
  await client.line();
  clock.advance(600_000);
  connection().checkDeadline(clock.monotonic());
  assert.is(await client.rest(), '');
  client.end();
  assert.is(await ended, 'idle');
});

test('a fault is logged with the session and nothing that the client sent', async () => {
  const logged: unknown[] = [];
  const log: Log = { ...silentLog, error: (message, fields) => logged.push(message, { ...fields, fault: undefined }) };
  const { client, close } = overMemory(poppwd(fakeHouse().services, log));
  await client.line();
  client.send(`${LOG_IN}NEWPASS faulty\r\n`);
  await client.lines(3);
  assert.equal(logged, ['password change failed', { session: 'memory.1', fault: undefined }]);
  await close();
});

test.run();
