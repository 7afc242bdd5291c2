/** TLS on real sockets: upgrade and implicit, names, replaced certificates, clients that do it wrong or not at all. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Certificates } from '../../actors/certificates.ts';
import { HANDSHAKE_MS } from '../../actors/connection-tls.ts';
import { Listener } from '../../actors/listener.ts';
import type { ListenerOptions } from '../../actors/listener-terms.ts';
import type { Caller, Protocol } from '../../actors/session.ts';
import { sessionIds } from '../../actors/session-ids.ts';
import { LmtpClient } from '../../bench/clients/lmtp.ts';
import { systemClock } from '../../kernel/clock.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';
import { CertificateDirectory, openCertificates, type Pem, pem, rulesFor } from '../support/certificates.ts';
import { Client } from '../support/transcript.ts';
import { fakeHouse, lmtp } from './lmtp/fake-services.ts';
import { manualClock } from './manual-clock.ts';

const GREETING = '220 foo.edu Homing LMTP server ready';
const directory = new CertificateDirectory();
let authority: Pem;
let foo: Pem;
let bar: Pem;
let certificates: Certificates;

test.before(async () => {
  authority = await pem('Clients', { isAuthority: true });
  foo = await pem('foo.edu');
  bar = await pem('bar.example');
  directory.put(directory.file('ca.pem'), authority.certificate);
  certificates = await openCertificates(
    rulesFor(directory.write('foo', foo), {
      names: [{ ...directory.write('bar', bar), names: ['bar.example', '*.bar.example'] }],
    }),
  );
});
test.after(() => {
  certificates.close();
  directory.remove();
});

type Line = { readonly level: string; readonly message: string; readonly fields: Record<string, unknown> };

/** A log that is kept, and a way to wait for a line of it. */
function recorded() {
  const lines: Line[] = [];
  let arrived: () => void = () => {};
  const write =
    (level: string) =>
    (message: string, fields: object = {}) => {
      lines.push({ level, message, fields: fields as Record<string, unknown> });
      arrived();
    };
  const log: Log = {
    ...silentLog,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
  const until = async (message: string): Promise<Line> => {
    for (;;) {
      const found = lines.findIndex((line) => line.message === message);
      if (found >= 0) return lines.splice(found, 1)[0]!;
      await new Promise<void>((resolve) => (arrived = resolve));
    }
  };
  return { log, lines, until };
}

type Mode = 'starttls' | 'implicit';
const modes: readonly Mode[] = ['starttls', 'implicit'];

/** A listener, its log, and how to call it; `stop` awaits its end while the loop is kept awake. */
async function house(mode: Mode, options: Partial<ListenerOptions> & { readonly certificates?: Certificates } = {}) {
  const { log, lines, until } = recorded();
  const callers: Caller[] = [];
  const inner = options.protocol ?? lmtp(fakeHouse().services);
  const protocol: Protocol = {
    ...inner,
    begin(caller) {
      callers.push(caller);
      return inner.begin(caller);
    },
  };
  const listener = new Listener({
    place: { address: '127.0.0.1', port: 0 },
    channels: 10,
    limits: { idleMs: 600_000, writeMs: 60_000 },
    nextSessionId: sessionIds('tls'),
    clock: systemClock,
    log,
    tls: { mode, certificates: options.certificates ?? certificates },
    ...options,
    protocol,
  });
  await listener.start();
  const clients: Client[] = [];
  const call = async (): Promise<Client & { readonly socket?: Socket }> => {
    const place = listener.place as { port: number };
    const socket = connect({ port: place.port, host: '127.0.0.1', allowHalfOpen: true });
    const client = new Client(socket);
    clients.push(client);
    await once(socket, 'connect');
    return client;
  };
  /** Up to the handshake: STARTTLS said and granted, or nothing. */
  const ready = async (): Promise<Client> => {
    const client = await call();
    if (mode === 'implicit') return client;
    assert.is(await client.line(), GREETING);
    client.send('LHLO c.example\r\nSTARTTLS\r\n');
    await toldOfLhlo(client);
    assert.is(await client.line(), '220 2.0.0 go ahead with TLS');
    return client;
  };
  const secured = async (tls: ConnectionOptions = {}): Promise<{ client: Client; socket: TLSSocket }> => {
    const client = await ready();
    const socket = await client.secure(tls);
    if (mode === 'implicit') assert.is(await client.line(), GREETING);
    return { client, socket };
  };
  const stop = async (): Promise<void> => {
    for (const client of clients) client.destroy();
    const awake = setInterval(() => {}, 1000); // the product's own timers keep no process alive
    await listener.stop(0);
    clearInterval(awake);
  };
  return { listener, callers, lines, until, call, ready, secured, stop };
}

/** Hears the reply to LHLO to its end, whatever there is to offer. */
async function toldOfLhlo(client: Client): Promise<void> {
  let line = await client.line();
  while (line?.startsWith('250-')) line = await client.line();
  assert.match(line!, /^250 /);
}

const nameOf = (socket: TLSSocket): unknown => socket.getPeerCertificate().subject.CN;

for (const mode of modes) {
  test(`${mode}: a session under TLS is the session, and knows of it`, async () => {
    const { secured, callers, stop, until } = await house(mode);
    const { client } = await secured();
    client.send('LHLO c.example\r\nNOOP\r\n');
    await toldOfLhlo(client);
    assert.is(await client.line(), '250 2.0.0 ok');
    assert.is(callers[0]!.tls, mode === 'implicit' ? 'active' : 'offered');
    assert.is((await until('TLS handshake done')).fields.version, 'TLSv1.3');
    client.send('QUIT\r\n');
    assert.is(await client.rest(), '221 2.0.0 foo.edu closing connection\r\n');
    await stop();
  });

  test(`${mode}: the certificate is that of the name that the client calls`, async () => {
    const { secured, stop } = await house(mode);
    for (const [servername, name] of [
      ['foo.edu', 'foo.edu'],
      ['bar.example', 'bar.example'],
      ['mx.bar.example', 'bar.example'],
      ['unknown.example', 'foo.edu'],
      [undefined, 'foo.edu'],
    ] as const) {
      const { socket, client } = await secured(servername === undefined ? {} : { servername });
      assert.is(nameOf(socket), name);
      client.destroy();
    }
    await stop();
  });

  test(`${mode}: a certificate replaced on disk is shown to new connections, and those that stand go on`, async () => {
    const own = directory.write(`replaced-${mode}`, foo);
    const replaced = await openCertificates(rulesFor(own));
    const { secured, stop } = await house(mode, { certificates: replaced });
    const old = await secured();
    directory.write(`replaced-${mode}`, bar);
    await replaced.look();
    const anew = await secured();
    assert.is(nameOf(old.socket), 'foo.edu');
    assert.is(nameOf(anew.socket), 'bar.example');
    old.client.send('NOOP\r\n');
    assert.is(await old.client.line(), '250 2.0.0 ok');
    replaced.close();
    await stop();
  });

  test(`${mode}: a client that does not go on with its handshake is dropped, and holds one channel until then`, async () => {
    const clock = manualClock();
    const { listener, ready, call, until, stop } = await house(mode, { clock, channels: 1 });
    const half = await ready();
    half.send(Uint8Array.of(0x16, 3, 1, 0, 0x20)); // the header of a record that does not come
    while (listener.connections.size === 0) await new Promise((resolve) => setImmediate(resolve));
    const refused = await call();
    assert.is(
      await refused.rest(),
      mode === 'implicit' ? '' : '421 4.3.2 foo.edu too many connections, try again later\r\n',
    );
    refused.end();
    clock.advance(HANDSHAKE_MS - 1000);
    assert.is(listener.connections.size, 1);
    clock.advance(1500);
    assert.is(await half.rest(), '');
    assert.is((await until('TLS handshake failed')).fields.reason, 'it took too long');
    assert.is((await until('connection closed')).fields.ending, 'no-tls');
    assert.is(listener.connections.size, 0);
    await stop();
  });

  test(`${mode}: garbage instead of a handshake ends the connection, without a word and without a stack`, async () => {
    const { ready, until, lines, stop } = await house(mode);
    for (const garbage of [
      'QUIT\r\nQUIT\r\n',
      'EHLO evil.example\r\nMAIL FROM:<a@b.example>\r\n',
      `\x16\x03\x01\x00\x20${'\x00'.repeat(32)}`,
    ]) {
      const client = await ready();
      client.send(Buffer.from(garbage, 'latin1'));
      assert.not.match(await client.rest(), /^[2-5]\d\d/m);
      client.end();
      const { level, fields } = await until('TLS handshake failed');
      assert.is(level, 'info');
      assert.match(fields.reason as string, /^ERR_[A-Z0-9_]+$/);
      assert.is((await until('connection closed')).fields.ending, 'no-tls');
    }
    assert.equal(
      lines.filter(({ level }) => level === 'error' || level === 'warn'),
      [],
    );
    await stop();
  });

  test(`${mode}: a client that vanishes during its handshake frees its channel`, async () => {
    const { ready, until, listener, stop } = await house(mode);
    for (const leave of [(client: Client) => client.destroy(), (client: Client) => client.end()]) {
      const client = await ready();
      leave(client);
      assert.match((await until('connection closed')).fields.ending as string, /^(no-tls|client-gone)$/);
    }
    assert.is(listener.connections.size, 0);
    await stop();
  });

  test(`${mode}: a stop does not wait for handshakes`, async () => {
    const { ready, until, listener, stop } = await house(mode);
    const client = await ready();
    while (listener.connections.size === 0) await new Promise((resolve) => setImmediate(resolve));
    const stopped = listener.stop(1_000_000);
    await client.rest();
    assert.match((await until('connection closed')).fields.ending as string, /^shutdown$/);
    await stopped;
    await stop();
  });

  test(`${mode}: versions below the minimum are refused`, async () => {
    const strict = await openCertificates(
      rulesFor(directory.write(`strict-${mode}`, foo), { minimumVersion: 'TLSv1.3' }),
    );
    const old = { maxVersion: 'TLSv1.2' } as const;
    const [both, newest] = [await house(mode), await house(mode, { certificates: strict })];
    assert.is((await both.secured(old)).socket.getProtocol(), 'TLSv1.2');
    assert.is((await newest.secured()).socket.getProtocol(), 'TLSv1.3');
    let refused = false;
    await newest.secured(old).catch(() => (refused = true));
    assert.ok(refused);
    assert.is((await newest.until('connection closed')).fields.ending, 'no-tls');
    await both.stop();
    await newest.stop();
    strict.close();
  });

  test(`${mode}: a client is asked for its certificate, and goes on with one of ours, of others or none`, async () => {
    const asking = await openCertificates(
      rulesFor(directory.write(`asking-${mode}`, foo), {
        clientCertificates: 'request',
        clientCaFile: directory.file('ca.pem'),
      }),
    );
    const { secured, until, stop } = await house(mode, { certificates: asking });
    const [joe, stranger] = [await pem('joe', { issuer: authority }), await pem('stranger')];
    for (const [shown, isKnown] of [
      [joe, true],
      [stranger, false],
      [undefined, undefined],
    ] as const) {
      const { client } = await secured(shown && { cert: shown.certificate, key: shown.key });
      const { fields } = await until('TLS handshake done');
      const found = fields.client as { subject: string; isKnown: boolean } | undefined;
      assert.is(found?.isKnown, isKnown);
      if (shown) assert.match(found!.subject, shown === joe ? 'CN=joe' : 'CN=stranger');
      client.send('NOOP\r\n');
      assert.is(await client.line(), '250 2.0.0 ok');
      client.destroy();
    }
    await stop();
    asking.close();
  });

  test(`${mode}: some megabytes arrive under TLS octet for octet`, async () => {
    const { services, delivered } = fakeHouse();
    const { secured, stop } = await house(mode, { protocol: lmtp(services, { maxOctets: 10_000_000 }) });
    const { client } = await secured();
    const body = Array.from({ length: 60_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 90)}\r\n`).join('');
    const text = `Subject: much\r\n\r\n${body}`;
    client.send(`LHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<pat@foo.edu>\r\nDATA\r\n`);
    await toldOfLhlo(client);
    await client.lines(3);
    client.send(`${text}.\r\n`);
    assert.is(await client.line(), '250 2.0.0 delivered n1/1');
    assert.ok(delivered[0]!.text === text);
    await stop();
  });

  test(`${mode}: a client that ends its side under TLS still gets its answers`, async () => {
    const { secured, until, stop } = await house(mode);
    const { client } = await secured();
    client.send('NOOP\r\n'.repeat(500));
    client.end();
    assert.is(await client.rest(), '250 2.0.0 ok\r\n'.repeat(500));
    assert.is((await until('connection closed')).fields.ending, 'client-gone');
    await stop();
  });

  test(`${mode}: a forged record ends the connection at once`, async () => {
    const { listener, stop } = await house(mode);
    const { port } = listener.place as { port: number };
    const inner = connect({ port, host: '127.0.0.1' });
    const between = createServer((socket) =>
      socket
        .on('error', () => {})
        .pipe(inner)
        .pipe(socket),
    ).listen(0, '127.0.0.1');
    await once(between, 'listening');
    const client = new Client(connect({ port: (between.address() as AddressInfo).port, host: '127.0.0.1' }));
    if (mode === 'starttls') {
      await client.line();
      client.send('LHLO c.example\r\nSTARTTLS\r\n');
      await toldOfLhlo(client);
      await client.line();
    }
    await client.secure();
    inner.on('error', () => {}); // the server's reset
    const ended = new Promise((resolve) => inner.once('close', resolve));
    inner.write(Buffer.concat([Buffer.from([0x17, 3, 3, 0, 40]), Buffer.alloc(40, 0x55)]));
    await ended;
    client.destroy();
    between.close();
    await stop();
    assert.is(listener.connections.size, 0);
  });

  test(`${mode}: a session under TLS that is idle is told so and closed`, async () => {
    const clock = manualClock();
    const { secured, until, stop } = await house(mode, { clock });
    const { client } = await secured();
    client.send('NOOP\r\n'); // the server's side of the handshake ends after the client's
    assert.is(await client.line(), '250 2.0.0 ok');
    clock.advance(600_500);
    assert.is(await client.rest(), '421 4.4.2 foo.edu idle for too long, closing connection\r\n');
    clock.advance(2000);
    assert.is((await until('connection closed')).fields.ending, 'idle');
    await stop();
  });
}

test('certificates are replaced under load, and no connection breaks', async () => {
  const own = directory.write('load', foo);
  const replaced = await openCertificates(rulesFor(own));
  const { services, delivered } = fakeHouse();
  const { listener, stop } = await house('implicit', {
    protocol: lmtp(services),
    channels: 100,
    certificates: replaced,
  });
  const { port } = listener.place as { port: number };
  const seen = new Set<string>();
  const checkServerIdentity = (_: string, { subject }: PeerCertificate) => {
    seen.add(String(subject.CN));
    return undefined;
  };
  const ca = [foo.certificate, bar.certificate];
  const deliverer = async (): Promise<void> => {
    for (let i = 0; i < 15; i += 1) {
      const client = await LmtpClient.connect({ host: '127.0.0.1', port, tls: { ca, checkServerIdentity } });
      const [answer] = await client.deliver(
        'a@b.example',
        ['pat@foo.edu'],
        Buffer.from(`${'x'.repeat(70)}\r\n`.repeat(500)),
      );
      assert.is(answer!.code, 250);
      await client.quit();
    }
  };
  let isOver = false;
  const renewer = async (): Promise<void> => {
    for (let turn = 0; !isOver; turn += 1) {
      directory.write('load', turn % 2 === 0 ? bar : foo);
      await replaced.look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const renewing = renewer();
  await Promise.all(Array.from({ length: 6 }, deliverer)).finally(() => (isOver = true));
  await renewing;
  assert.is(delivered.length, 90);
  assert.equal([...seen].sort(), ['bar.example', 'foo.edu']);
  replaced.close();
  await stop();
});

test('what was said before STARTTLS is all sent in clear first, however slowly the client reads', async () => {
  const { call, stop } = await house('starttls');
  const client = await call();
  client.stall();
  const count = 20_000;
  client.send(`LHLO c.example\r\n${'VRFY pat\r\n'.repeat(count)}STARTTLS\r\n`);
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
  client.resume();
  assert.match((await client.line())!, /^220 /);
  await toldOfLhlo(client);
  for (let i = 0; i < count; i += 1) assert.match((await client.line())!, /^252 /);
  assert.is(await client.line(), '220 2.0.0 go ahead with TLS');
  await client.secure();
  client.send('NOOP\r\n');
  assert.is(await client.line(), '250 2.0.0 ok');
  await stop();
});

test('a client that gives up TLS on the go-ahead and goes on in clear is not heard', async () => {
  const { services, delivered } = fakeHouse();
  const { ready, until, stop } = await house('starttls', { protocol: lmtp(services) });
  const client = await ready();
  client.send('LHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<pat@foo.edu>\r\nDATA\r\nx\r\n.\r\n');
  assert.not.match(await client.rest(), /250/);
  client.end();
  assert.is((await until('connection closed')).fields.ending, 'no-tls');
  assert.equal(delivered, []);
  await stop();
});

test('a unix socket counts as secured and is offered no TLS', async () => {
  const { log } = recorded();
  const callers: Caller[] = [];
  const inner = lmtp(fakeHouse().services);
  const path = join(directory.path, 'lmtpd');
  const listener = new Listener({
    place: { path },
    channels: 1,
    limits: { idleMs: 600_000, writeMs: 60_000 },
    nextSessionId: sessionIds('unix'),
    clock: systemClock,
    log,
    protocol: {
      ...inner,
      begin(caller) {
        callers.push(caller);
        return inner.begin(caller);
      },
    },
  });
  await listener.start();
  const client = new Client(connect({ path }));
  client.send('LHLO c.example\r\nSTARTTLS\r\nQUIT\r\n');
  const rest = await client.rest();
  assert.not.match(rest, /250.STARTTLS/);
  assert.match(rest, '503 5.5.1 this connection needs no TLS any more');
  assert.is(callers[0]!.tls, 'active');
  client.end();
  const awake = setInterval(() => {}, 1000);
  await listener.stop(0);
  clearInterval(awake);
});

test('a session that begins TLS where the listener has none is a fault of ours, and ends', async () => {
  const inner = lmtp(fakeHouse().services);
  const protocol: Protocol = { ...inner, begin: (caller) => inner.begin({ ...caller, tls: 'offered' }) };
  const { call, until, stop } = await house('starttls', { protocol, tls: undefined });
  const client = await call();
  client.send('LHLO c.example\r\nSTARTTLS\r\nNOOP\r\n');
  assert.not.match(await client.rest(), /250 2.0.0 ok/);
  assert.is((await until('TLS could not begin')).level, 'error');
  assert.is((await until('connection closed')).fields.ending, 'fault');
  await stop();
});

test.run();
