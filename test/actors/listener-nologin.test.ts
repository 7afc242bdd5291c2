/** nologin at the door: who is told, when, and that nothing else changes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addressList } from '../../kernel/address-list.ts';
import { ProtocolStatistics } from '../../telemetry/statistics.ts';
import { CertificateDirectory, openCertificates, pem, rulesFor } from '../support/certificates.ts';
import { listening, pop3 } from './listening.ts';
import * as lmtpFakes from './lmtp/fake-services.ts';
import * as poppwdFakes from './poppwd/fake-services.ts';

test('a POP3 client is told the text instead of a greeting, and the connection ends', async () => {
  const statistics = new ProtocolStatistics();
  const house = await listening({ nologin: () => 'back at noon', statistics });
  const client = await house.call();
  client.send('USER mrose\r\n');
  assert.is(await client.line(), '-ERR [ALERT] back at noon');
  assert.is(await client.rest(), '');
  client.end();
  await house.log.until(({ message }) => message === 'connection closed');
  assert.equal(house.callers, [], 'no session of the protocol began');
  assert.equal(house.logged, ['aborted pop3 127.0.0.1 nologin']);
  const { connections, connectionsOpen, connectionsRefused } = statistics.read();
  assert.equal(
    { connections, connectionsOpen, connectionsRefused },
    { connections: 0, connectionsOpen: 0, connectionsRefused: { nologin: 1 } },
  );
  await house.stop();
});

test('it is asked at each connection: sessions that stand go on, and who comes later gets in', async () => {
  let text: string | undefined;
  const house = await listening({ nologin: () => text });
  const before = await house.call();
  assert.match((await before.line())!, /^\+OK/);
  text = 'maintenance';
  assert.is(await (await house.call()).rest(), '-ERR [ALERT] maintenance\r\n');
  before.send('USER mrose\r\nPASS tanstaaf\r\nQUIT\r\n');
  for (const line of await before.lines(3)) assert.match(line!, /^\+OK/);
  text = undefined;
  assert.match((await (await house.call()).line())!, /^\+OK/);
  await house.stop();
});

for (const [name, protocol, greeting] of [
  ['LMTP', lmtpFakes.lmtp(lmtpFakes.fakeHouse().services), /^220 /],
  ['poppwd', poppwdFakes.poppwd(poppwdFakes.fakeHouse().services), /^200 /],
] as const)
  test(`${name} is not concerned`, async () => {
    const house = await listening({ protocol, nologin: () => 'back at noon' });
    assert.match((await (await house.call()).line())!, greeting);
    await house.stop();
  });

test('under implicit TLS it is said after the handshake; behind a balancer after the header', async () => {
  const directory = new CertificateDirectory();
  const certificates = await openCertificates(rulesFor(directory.write('foo', await pem('foo.edu'))));
  const balancers = addressList(['127.0.0.1']);
  if (!balancers.ok) throw new Error('wrong lines');
  const tls = { mode: 'implicit', certificates } as const;
  const house = await listening({ nologin: () => 'back at noon', tls, balancers: balancers.value });
  try {
    const client = await house.call();
    client.send('PROXY TCP4 192.0.2.9 192.0.2.1 1 995\r\n');
    await client.secure();
    assert.is(await client.rest(), '-ERR [ALERT] back at noon\r\n');
    client.end();
    await house.log.until(({ message }) => message === 'connection closed');
    assert.equal(house.logged, ['aborted pop3 192.0.2.9 nologin']);
  } finally {
    await house.stop();
    certificates.close();
    directory.remove();
  }
});

test('while it is being said it counts: as a channel, for its address, and for a stop', async () => {
  const house = await listening({
    protocol: pop3(),
    nologin: () => 'back at noon',
    channels: 1,
    perAddress: () => ({ connections: 1, perMinute: 0 }),
  });
  const client = await house.call();
  assert.is(await client.line(), '-ERR [ALERT] back at noon');
  client.end();
  await house.log.until(({ message }) => message === 'connection closed');
  assert.is(house.listener.connections.size, 0);
  assert.is(await (await house.call()).line(), '-ERR [ALERT] back at noon', 'the address is free again');
  await house.stop();
});

test.run();
