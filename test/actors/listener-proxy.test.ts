/** Listeners behind balancers: whose PROXY header is believed, what it changes, and who never gets to the session. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Listener } from '../../actors/listener.ts';
import { HEADER_MS } from '../../actors/listener-origin.ts';
import { addressList } from '../../kernel/address-list.ts';
import { ProtocolStatistics } from '../../telemetry/statistics.ts';
import { CertificateDirectory, openCertificates, pem, rulesFor } from '../support/certificates.ts';
import { SIGNATURE, v1, v2, v2Local, v2Summed, v2Unix } from '../support/proxy-header.ts';
import { Client } from '../support/transcript.ts';
import { listening } from './listening.ts';
import * as lmtpFakes from './lmtp/fake-services.ts';
import { manualClock } from './manual-clock.ts';

const list = (...lines: string[]) => {
  const read = addressList(lines);
  if (!read.ok) throw new Error('wrong lines');
  return read.value;
};
const client4 = { address: '192.0.2.9', port: 50_009 };
const server4 = { address: '198.51.100.1', port: 110 };
const client6 = { address: '2001:db8::9', port: 50_009 };
const server6 = { address: '2001:db8::1', port: 995 };
const behind = { balancers: list('127.0.0.1') };
const greets = async (client: Client) => assert.match((await client.line())!, /^\+OK/);

for (const [name, header, source, destination] of [
  ['version 1, IPv4', v1(client4, server4), client4, server4],
  ['version 1, IPv6', v1(client6, server6), client6, server6],
  ['version 2, IPv4', v2(client4, server4), client4, server4],
  ['version 2, IPv6 with a checksum', v2Summed(client6, server6), client6, server6],
] as const)
  for (const pace of ['at once, with a command behind it', 'octet by octet'] as const)
    test(`${name}, ${pace}: the session knows the client, and nothing of the header is a command`, async () => {
      const house = await listening(behind);
      const client = await house.call();
      const octets = Buffer.concat([header, Buffer.from('NOOP\r\n')]);
      if (pace === 'octet by octet') for (const octet of octets) client.send(Uint8Array.of(octet));
      else client.send(octets);
      await greets(client);
      assert.is(await client.line(), '-ERR NOOP is not allowed now');
      client.send('QUIT\r\n');
      assert.match((await client.line())!, /^\+OK/);
      assert.is(client.unread, '');
      const { address, port, local, tls } = house.callers[0]!;
      assert.equal({ address, port, local, tls }, { ...source, local: destination, tls: 'none' });
      await house.stop();
    });

test('nothing is said before the header is whole: a client that waits for the greeting waits', async () => {
  const house = await listening(behind);
  const client = await house.call();
  const header = v2(client4, server4);
  client.send(header.subarray(0, 20));
  const other = await house.call();
  other.send(v1(client4, server4));
  await greets(other); // by then the first would have been greeted too
  assert.is(client.unread, '');
  client.send(header.subarray(20));
  await greets(client);
  await house.stop();
});

test('a mapped IPv4 client is an IPv4 client', async () => {
  const house = await listening(behind);
  const client = await house.call();
  client.send(v1({ address: '::ffff:192.0.2.9', port: 1 }, { address: '::ffff:192.0.2.10', port: 2 }));
  await greets(client);
  assert.is(house.callers[0]!.address, '192.0.2.9');
  assert.is(house.callers[0]!.local.address, '192.0.2.10');
  await house.stop();
});

test('a health check, LOCAL or UNKNOWN, is the balancer itself: served, whatever the lists and limits say', async () => {
  const house = await listening({
    ...behind,
    allowed: list('192.0.2.0/24'),
    perAddress: () => ({ connections: 1, perMinute: 1 }),
  });
  for (const header of [v2Local(), v2Local(Buffer.alloc(20, 7)), Buffer.from('PROXY UNKNOWN\r\n')]) {
    const client = await house.call();
    client.send(header);
    await greets(client);
  }
  for (const { address } of house.callers) assert.is(address, '127.0.0.1');
  await house.stop();
});

test("a client on the balancer's unix socket has no address; its path is what it connected to", async () => {
  const house = await listening({ ...behind, allowed: list('192.0.2.0/24') });
  const client = await house.call();
  client.send(v2Unix('/run/client', '/run/pop3'));
  await greets(client);
  const { address, port, local } = house.callers[0]!;
  assert.equal({ address, port, local }, { address: '', port: 0, local: { address: '/run/pop3', port: 0 } });
  await house.stop();
});

test('nobody but a balancer is heard, with the best of headers', async () => {
  const house = await listening(behind);
  const stranger = await house.call('127.0.0.2');
  stranger.send(v1(client4, server4));
  assert.is(await stranger.rest(), '');
  assert.equal(house.callers, []);
  const told = await house.log.until(({ message }) => message === 'connection refused: not from a trusted balancer');
  assert.equal(told.fields, { protocol: 'pop3', address: '127.0.0.2' });
  assert.equal(house.logged, ['aborted pop3 127.0.0.2 no-balancer']);
  await house.stop();
});

test('a balancer without a right header is closed at once, and the reason is logged', async () => {
  const wrong: readonly (readonly [Uint8Array, string])[] = [
    [Buffer.from('USER alice\r\nPASS secret\r\n'), 'no PROXY header'],
    [Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n'), 'the line is not as it should be'],
    [Buffer.from(`PROXY ${'x'.repeat(200)}`), 'the line is too long'],
    [Buffer.concat([SIGNATURE, Buffer.of(0x31)]), 'an unknown version or command'],
  ];
  for (const [octets, fault] of wrong) {
    const house = await listening(behind);
    const client = await house.call();
    client.send(octets);
    assert.is(await client.rest(), '');
    const told = await house.log.until(({ message }) => message === 'connection refused: no PROXY header');
    assert.equal(told.fields, { protocol: 'pop3', address: '127.0.0.1', fault });
    assert.equal(house.callers, []);
    await house.stop();
  }
});

test('a header that does not come, or ends in the middle, frees its channel', async () => {
  const clock = manualClock();
  const house = await listening({ ...behind, clock, channels: 2 });
  const [slow, cut] = [await house.call(), await house.call()];
  slow.send('PROXY ');
  cut.send(SIGNATURE);
  const third = await house.call();
  assert.match(
    (await third.line())!,
    /^-ERR \[SYS\/TEMP\] too many connections/,
    'those who have not said who they are count',
  );
  cut.end();
  const { fields } = await house.log.until(({ message }) => message === 'connection refused: no PROXY header');
  assert.is(fields['fault'], 'the connection ended before its header');
  clock.advance(HEADER_MS - 1);
  const fourth = await house.call();
  fourth.send(v1(client4, server4));
  await greets(fourth);
  clock.advance(1);
  assert.is(await slow.rest(), '');
  await house.log.until(({ fields: more }) => more['fault'] === 'the header did not come in time');
  await house.stop();
});

test('a stop does not wait for headers; who had not said one was refused, and is written down', async () => {
  const statistics = new ProtocolStatistics();
  const house = await listening({ ...behind, statistics });
  const client = await house.call();
  client.send('PRO');
  const other = await house.call();
  other.send(v1(client4, server4));
  await greets(other);
  await house.listener.stop(1000);
  assert.is(await client.rest(), '');
  assert.ok(house.logged.includes('aborted pop3 127.0.0.1 shutdown'), house.logged.join());
  assert.equal(statistics.read().connectionsRefused, { shutdown: 1 });
  await house.stop();
});

test('a listener is not empty while a header is awaited', async () => {
  const house = await listening(behind);
  const { listener } = house;
  await listener.emptied;
  const [leaves, stays] = [await house.call(), await house.call()];
  for (const client of [leaves, stays]) client.send('PRO');
  const last = await house.call();
  last.send(`${v1(client4, server4)}QUIT\r\n`);
  await last.rest(); // by now the others were accepted
  last.end();
  await house.log.until(({ message }) => message === 'connection closed');
  await listener.setDraining(true);
  let isEmptied = false;
  const emptied = listener.emptied.then(() => (isEmptied = true));
  leaves.end();
  await house.log.until(({ message }) => message === 'connection refused: no PROXY header');
  assert.is(isEmptied, false);
  stays.send('XY TCP4 192.0.2.9 198.51.100.1 1 110\r\n');
  await greets(stays);
  assert.is(isEmptied, false);
  stays.send('QUIT\r\n');
  await stays.rest();
  stays.end();
  await emptied;
  await house.stop();
});

test("lists and limits are about the client, not the balancer: its address counts, and another's does not", async () => {
  const house = await listening({
    ...behind,
    allowed: list('192.0.2.0/24', '2001:db8::/32'),
    perAddress: () => ({ connections: 1, perMinute: 0 }),
  });
  const call = async (address: string) => {
    const client = await house.call();
    client.send(v1({ address, port: 7 }, address.includes(':') ? server6 : server4));
    return client;
  };
  const first = await call('192.0.2.9');
  await greets(first);
  assert.match((await (await call('192.0.2.9')).line())!, /^-ERR \[SYS\/TEMP\] too many connections from your address/);
  await greets(await call('192.0.2.10'));
  await greets(await call('2001:db8::1'));
  assert.match((await (await call('2001:db8::2')).line())!, /from your address/);
  assert.is(await (await call('203.0.113.1')).rest(), '');
  assert.ok(house.logged.includes('aborted pop3 203.0.113.1 address'));
  await house.stop();
});

/** A balancer that sends its header in one piece with the client's first octets. */
async function balancer(listener: Listener, header: Uint8Array) {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect((listener.place as { port: number }).port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.push(socket);
      socket.on('error', () => {}).on('close', () => sockets.forEach((each) => void each.destroy()));
    }
    near.once('data', (octets: Buffer) => {
      far.write(Buffer.concat([header, octets]));
      near.pipe(far);
    });
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const call = () => new Client(connect((server.address() as AddressInfo).port, '127.0.0.1'));
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { call, stop };
}

for (const mode of ['implicit', 'starttls'] as const)
  for (const pace of ['in one piece with the header', 'after the header'] as const)
    test(`the header comes before TLS (${mode}), the client's first octets ${pace}`, async () => {
      const directory = new CertificateDirectory();
      const certificates = await openCertificates(rulesFor(directory.write('foo', await pem('foo.edu'))));
      const protocol = lmtpFakes.lmtp(lmtpFakes.fakeHouse().services);
      const house = await listening({ ...behind, protocol, tls: { mode, certificates } });
      const header = v2Summed(client6, server6);
      const relay = await balancer(house.listener, header);
      try {
        const client = pace === 'after the header' ? await house.call() : relay.call();
        if (pace === 'after the header') client.send(header);
        if (mode === 'starttls') {
          client.send('LHLO client.test\r\n');
          assert.match((await client.line())!, /^220 /);
          while ((await client.line())?.startsWith('250-'));
          client.send('STARTTLS\r\n');
          assert.match((await client.line())!, /^220 /);
        }
        await client.secure();
        if (mode === 'implicit') assert.match((await client.line())!, /^220 /);
        client.send('NOOP\r\n');
        assert.match((await client.line())!, /^250 /);
        assert.is(house.callers[0]!.address, client6.address);
        assert.is(house.callers[0]!.tls, mode === 'implicit' ? 'active' : 'offered');
        client.destroy();
      } finally {
        relay.stop();
        await house.stop();
        certificates.close();
        directory.remove();
      }
    });

test.run();
