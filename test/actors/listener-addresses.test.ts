/** Who may connect to a listener, and how often: address lists, limits for each address, and what is told of refusals. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AddressTerms } from '../../actors/address-limits.ts';
import type { Listener } from '../../actors/listener.ts';
import { addressList } from '../../kernel/address-list.ts';
import { type IpAddress, ipAddress } from '../../kernel/ip-address.ts';
import { ProtocolStatistics } from '../../telemetry/statistics.ts';
import { CertificateDirectory, openCertificates, pem, rulesFor } from '../support/certificates.ts';
import { listening, pop3 } from './listening.ts';
import * as lmtpFakes from './lmtp/fake-services.ts';
import { manualClock } from './manual-clock.ts';
import * as poppwdFakes from './poppwd/fake-services.ts';

const list = (...lines: string[]) => {
  const read = addressList(lines);
  if (!read.ok) throw new Error('wrong lines');
  return read.value;
};
const atMost = (connections: number, perMinute = 0) => ({
  perAddress: (): AddressTerms => ({ connections, perMinute }),
});

test('whoever is not on the list is closed without a word, and no session begins', async () => {
  const house = await listening({ allowed: list('127.0.0.0/8', '!127.0.0.2') });
  const stranger = await house.call('127.0.0.2');
  assert.is(await stranger.rest(), '');
  const guest = await house.call('127.0.0.3');
  assert.match((await guest.line())!, /^\+OK/);
  assert.equal(
    house.callers.map(({ address }) => address),
    ['127.0.0.3'],
  );
  const told = await house.log.until(({ message }) => message === 'connection refused: its address is not allowed');
  assert.equal(told.fields, { protocol: 'pop3', address: '127.0.0.2' });
  assert.equal(house.logged, ['aborted pop3 127.0.0.2 address']);
  await house.stop();
});

test('an IPv4 client is known as such where the listener takes both', async () => {
  const house = await listening({ place: { address: '::', port: 0 }, allowed: list('127.0.0.1') }).catch(
    (fault: Error) => fault,
  );
  if (house instanceof Error) {
    assert.match(house.message, /EAFNOSUPPORT|EADDRNOTAVAIL/); // a machine without IPv6
    return;
  }
  const client = await house.call();
  assert.match((await client.line())!, /^\+OK/);
  const { address, local, port } = house.callers[0]!;
  assert.is(address, '127.0.0.1');
  assert.is(local.address, '127.0.0.1');
  assert.is(local.port, (house.listener.place as { port: number }).port);
  assert.ok(port > 0);
  await house.stop();
});

test('a list may be changed while sessions stand', async () => {
  const house = await listening({ allowed: list('127.0.0.1') });
  const first = await house.call('127.0.0.1');
  await first.line();
  const terms = { channels: 10, limits: { idleMs: 600_000, writeMs: 60_000 }, protocol: pop3() };
  await house.listener.change({ ...terms, allowed: list('127.0.0.2') });
  assert.is(await (await house.call('127.0.0.1')).rest(), '');
  assert.match((await (await house.call('127.0.0.2')).line())!, /^\+OK/);
  first.send('QUIT\r\n');
  assert.match((await first.line())!, /^\+OK/);
  await house.listener.change(terms);
  assert.match((await (await house.call('127.0.0.3')).line())!, /^\+OK/);
  await house.stop();
});

for (const [name, protocol, refusal] of [
  ['POP3', pop3, '-ERR [SYS/TEMP] too many connections from your address, try again later'],
  [
    'LMTP',
    () => lmtpFakes.lmtp(lmtpFakes.fakeHouse().services),
    '421 4.3.2 foo.edu too many connections from your address, try again later',
  ],
  [
    'poppwd',
    () => poppwdFakes.poppwd(poppwdFakes.fakeHouse().services),
    '500 too many connections from your address, try again later',
  ],
] as const)
  test(`${name}: an address with too many connections is told so; others get in, and it again when one has ended`, async () => {
    const house = await listening({ protocol: protocol(), ...atMost(2) });
    const [first, second] = [await house.call('127.0.0.2'), await house.call('127.0.0.2')];
    await first.line();
    await second.line();
    const third = await house.call('127.0.0.2');
    assert.is(await third.line(), refusal);
    assert.is(await third.line(), undefined);
    const other = await house.call('127.0.0.3');
    assert.not.match((await other.line())!, /too many/);
    first.destroy();
    await house.log.until(({ message }) => message === 'connection closed');
    const again = await house.call('127.0.0.2');
    assert.not.match((await again.line())!, /too many/);
    assert.is(house.logged.filter((line) => line.endsWith('too-many')).length, 1);
    await house.stop();
  });

test('connections that come too fast are refused, and let in again as fast as the rate', async () => {
  const clock = manualClock();
  const house = await listening({ clock, ...atMost(0, 3) });
  for (let count = 0; count < 3; count += 1) assert.match((await (await house.call()).line())!, /^\+OK/);
  assert.match((await (await house.call()).line())!, /^-ERR \[SYS\/TEMP\] too many connections from your address/);
  clock.advance(20_000);
  assert.match((await (await house.call()).line())!, /^\+OK/);
  assert.match((await (await house.call()).line())!, /^-ERR/);
  await house.stop();
});

test('each address has its own terms, and a unix socket none', async () => {
  const spared = ipAddress('127.0.0.9');
  const perAddress = (address: IpAddress) => ({ connections: address === spared ? 0 : 1, perMinute: 0 });
  const house = await listening({ perAddress });
  for (let count = 0; count < 3; count += 1) assert.match((await (await house.call('127.0.0.9')).line())!, /^\+OK/);
  await house.stop();
  const folder = mkdtempSync(join(tmpdir(), 'homing-addresses-'));
  try {
    const path = join(folder, 'pop3d');
    const inside = await listening({ place: { path }, ...atMost(1, 1), allowed: list('192.0.2.1') });
    for (let count = 0; count < 3; count += 1) assert.match((await (await inside.call()).line())!, /^\+OK/);
    const [{ address, port, local, tls }] = inside.callers as [(typeof inside.callers)[0]];
    assert.equal(
      { address, port, local, tls },
      { address: '', port: 0, local: { address: path, port: 0 }, tls: 'active' },
    );
    await inside.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('under implicit TLS nothing is said to who is refused: it would cost a handshake', async () => {
  const directory = new CertificateDirectory();
  const certificates = await openCertificates(rulesFor(directory.write('a', await pem('foo.edu'))));
  try {
    const house = await listening({ tls: { mode: 'implicit', certificates }, ...atMost(1) });
    const first = await house.call();
    await first.secure();
    await first.line();
    assert.is(await (await house.call()).rest(), '');
    await house.stop();
  } finally {
    certificates.close();
    directory.remove();
  }
});

test('a flood of refusals is some lines and a sum, and each is counted', async () => {
  const clock = manualClock();
  const statistics = new ProtocolStatistics();
  const house = await listening({ clock, statistics, allowed: list('192.0.2.1') });
  for (let count = 0; count < 50; count += 1) assert.is(await (await house.call()).rest(), '');
  const lines = () => house.log.entries.filter(({ message }) => message.startsWith('connection refused'));
  assert.is(lines().length, 10);
  clock.advance(10_000);
  const sum = await house.log.until(({ message }) => message === 'more connections were refused');
  assert.equal(sum.fields, { protocol: 'pop3', reason: 'address', times: 40 });
  assert.is(await (await house.call()).rest(), '');
  assert.is(lines().length, 11);
  assert.equal(statistics.read().connectionsRefused, { address: 51 });
  assert.is(house.logged.length, 51);
  await house.stop();
});

/** Deno connects, and looks at what waits, some turns after it was told to: there those that wait may be reset. */
const onNode = 'Deno' in globalThis ? test.skip : test;

/** Connects, sends and resets, all before this process has a turn to accept it: of such a peer no address is told any more. */
function callAndReset(listener: Listener, said: string): void {
  const { port } = listener.place as { port: number };
  const script = `const socket = require('node:net').connect(${port}, '127.0.0.1', () =>
    socket.write(${JSON.stringify(said)}, () => socket.resetAndDestroy()));`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

for (const [what, terms, said] of [
  ['the list of addresses', { allowed: list('192.0.2.1') }, 'USER mrose\r\nPASS tanstaaf\r\nDELE 1\r\nQUIT\r\n'],
  [
    'the list of balancers, with a header for whomever it likes',
    { balancers: list('192.0.2.1') },
    'PROXY TCP4 198.51.100.7 192.0.2.2 4711 110\r\nUSER mrose\r\nPASS tanstaaf\r\nDELE 1\r\nQUIT\r\n',
  ],
  ['the limits', atMost(1), 'USER mrose\r\n'],
  ['what it could have, for it would not', {}, 'USER mrose\r\n'],
] as const)
  onNode(`who resets before being accepted does not get past ${what}`, async () => {
    const statistics = new ProtocolStatistics();
    const house = await listening({ ...terms, statistics });
    for (let times = 0; times < 3; times += 1) callAndReset(house.listener, said);
    while (house.logged.length < 3) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(house.logged, Array(3).fill('aborted pop3  gone'));
    assert.equal(house.callers, []);
    const { commands, connections, connectionsRefused } = statistics.read();
    assert.equal(
      { commands, connections, connectionsRefused },
      { commands: 0, connections: 0, connectionsRefused: { gone: 3 } },
    );
    await house.stop();
  });

onNode('those that wait to be accepted when the port closes are answered, not reset', async () => {
  for (const way of ['drain', 'no channels', 'stop'] as const) {
    const house = await listening({ channels: 100 });
    const calls = Array.from({ length: 40 }, () => house.call());
    await new Promise((resolve) => process.nextTick(resolve)); // they are in the kernel's queue, and none is accepted
    const closed =
      way === 'drain'
        ? house.listener.setDraining(true)
        : way === 'no channels'
          ? house.listener.setChannels(0)
          : house.listener.stop(1000);
    const lines = await Promise.all(calls.map(async (call) => (await call).line()));
    await closed;
    const expected = way === 'drain' ? /^\+OK/ : /^\+OK|^-ERR \[SYS\/TEMP\]/;
    for (const line of lines) assert.match(line ?? 'nothing', expected, way);
    assert.is(house.listener.place, undefined);
    await house.stop();
  }
});

test('a drained listener leaves its sessions alone, refuses by its absence, and opens again where it was', async () => {
  const house = await listening();
  const { port } = house.listener.place as { port: number };
  const client = await house.call();
  await client.line();
  await house.listener.setDraining(true);
  await house.listener.setChannels(5);
  assert.is(house.listener.place, undefined, 'channels do not open a drained port');
  client.send('NOOP\r\n');
  assert.match((await client.line())!, /^-ERR NOOP/);
  await house.listener.setDraining(false);
  assert.is((house.listener.place as { port: number }).port, port);
  assert.match((await (await house.call()).line())!, /^\+OK/);
  await house.stop();
});

test.run();
