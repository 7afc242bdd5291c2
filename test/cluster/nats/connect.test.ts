/**
 * The connection to NATS: what is refused at the start and by which words, what is waited for, and the way back. Skips
 * visibly what needs a nats-server, or openssl, where there is none.
 */
import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connectNats, type NatsLink, type NatsOptions, unfitness } from '../../../cluster/nats/connect.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { memoryLog } from '../../../telemetry/memory-log.ts';
import { type NatsServer, natsServer } from '../../support/nats-server.ts';

const first = await natsServer();
const given = (log = memoryLog()) => ({ me: 'n1', log, clock: systemClock });

const messageOf = (promise: Promise<NatsLink>): Promise<string> =>
  promise.then(
    async (link) => {
      await link.close();
      return assert.unreachable('it connected') as never;
    },
    (error: Error) => error.message,
  );

/** A server that says of itself what a test wants, and answers nothing but the handshake and "is JetStream there?". */
async function pretender(info: Readonly<Record<string, unknown>>) {
  let said = info;
  const sockets = new Set<Socket>();
  /** When each connection came, by the monotonic clock. */
  const cameAt: number[] = [];
  const events = new EventEmitter();
  const server = createServer((socket) => {
    cameAt.push(performance.now());
    sockets.add(socket);
    events.emit('came');
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {}); // the client hangs up as it likes
    socket.write(`INFO ${JSON.stringify({ server_id: 'x', max_payload: 1_048_576, headers: true, ...said })}\r\n`);
    let inboxId = '';
    socket.on('data', (octets) => {
      for (const [line] of octets.toString().matchAll(/[^\r\n]+/g)) {
        const [verb, subject, ...more] = line.split(' ');
        if (verb === 'PING') socket.write('PONG\r\n');
        else if (verb === 'SUB' && subject!.startsWith('_INBOX.')) inboxId = more.at(-1)!;
        else if (verb === 'PUB' && subject === '$JS.API.INFO') socket.write(`MSG ${more[0]} ${inboxId} 2\r\n{}\r\n`);
      }
    });
  });
  const listen = async (at: number) => {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const ownPort = await listen(0);
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${ownPort}`,
    cameAt,
    /** `came`: a connection. */
    events,
    say: (other: Readonly<Record<string, unknown>>) => {
      said = other;
    },
    hangUp,
    isInUse: () => sockets.size > 0,
    listen: () => listen(ownPort),
    close: async () => {
      server.close();
      hangUp();
      await once(server, 'close');
    },
  };
}

/** Resolves at the next change of the connection. */
const nextChange = (link: NatsLink): Promise<boolean> =>
  new Promise((resolve) => {
    const watch = link.onConnection((connected) => {
      resolve(connected);
      void watch.stop();
    });
  });

async function withServer(configuration: string, run: (server: NatsServer) => Promise<void>, jetStream = true) {
  const { server } = await natsServer({ configuration, jetStream });
  try {
    await run(server!);
  } finally {
    await server!.stop();
  }
}

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'homing-connect-'));
  await run(directory).finally(() => rm(directory, { recursive: true }));
}

const connectOnce = async (options: NatsOptions): Promise<void> => (await connectNats(options, given())).close();

test('a nats-server of 2.9.15 to 2.9.20 is refused by name', async () => {
  for (const version of ['2.9.15', '2.9.17', '2.9.20']) {
    const server = await pretender({ version, jetstream: true });
    const message = await messageOf(connectNats({ servers: [server.address] }, given()));
    assert.match(message, new RegExp(`nats-server ${version.replaceAll('.', '\\.')} .*2\\.9\\.15 to 2\\.9\\.20`));
    await server.close();
  }
});

test('its neighbours are not', () => {
  const of = (version: string, maxPayload = 1_048_576) =>
    unfitness({ info: { version, max_payload: maxPayload } } as Parameters<typeof unfitness>[0]);
  for (const version of ['2.9.10', '2.9.14', '2.9.21', '2.10.15', '2.10.27', '3.9.17', '2.19.17']) {
    assert.is(of(version), undefined, version);
  }
  assert.match(of('2.9.16-beta.1')!, /install another/);
  assert.match(of('2.10.27', 65_536)!, /max_payload is 65536/);
});

const GOOD = { version: '2.10.27', jetstream: true };

test('a server that will not do when it comes back is not used, tried in peace, and used once it will do', async () => {
  for (const unfit of [
    { ...GOOD, version: '2.9.17' },
    { ...GOOD, max_payload: 65_536 },
  ]) {
    const server = await pretender(GOOD);
    const log = memoryLog();
    const link = await connectNats({ servers: [server.address] }, given(log));
    const changes: boolean[] = [];
    link.onConnection((connected) => changes.push(connected));
    server.say(unfit);
    server.hangUp();
    const complaint = await log.until(({ message }) => /a server will not do/.test(message));
    assert.match(String(complaint.fields.unfit), /2\.9\.17|max_payload is 65536/);
    while (server.cameAt.length < 4) await once(server.events, 'came');
    assert.not(link.connected());
    const back = nextChange(link);
    server.say(GOOD);
    assert.ok(await back);
    assert.ok(link.connected());
    assert.equal(changes, [false, true]);
    const waits = server.cameAt.slice(2).map((at, i) => at - server.cameAt[i + 1]!);
    assert.ok(Math.min(...waits) >= 100, `it came again after ${waits.map(Math.round)} ms`);
    const complaints = log.entries.filter(({ message }) => /a server will not do/.test(message));
    assert.is(complaints.length, 1);
    await link.close();
    await server.close();
  }
});

test('a server that will not do is left for another', async () => {
  const servers = [await pretender(GOOD), await pretender(GOOD)];
  const link = await connectNats({ servers: servers.map(({ address }) => address) }, given());
  const [first, second] = servers[0]!.isInUse() ? servers : servers.toReversed();
  second!.say({ ...GOOD, version: '2.9.20' });
  const lost = nextChange(link);
  await first!.close();
  assert.not(await lost);
  const back = nextChange(link);
  await once(second!.events, 'came');
  await first!.listen();
  assert.ok(await back);
  assert.is(link.connection.getServer(), first!.address);
  await link.close();
  await Promise.all(servers.map((server) => server.close()));
});

test('a link is closed while its only server will not do', async () => {
  const server = await pretender(GOOD);
  const log = memoryLog();
  const link = await connectNats({ servers: [server.address] }, given(log));
  server.say({ ...GOOD, version: '2.9.20' });
  server.hangUp();
  await log.until(({ message }) => /a server will not do/.test(message));
  await link.close();
  assert.ok(link.connection.isClosed());
  await server.close();
});

test('a listener that throws is logged; the others are told, and it is told again', async () => {
  const server = await pretender(GOOD);
  const log = memoryLog();
  const link = await connectNats({ servers: [server.address] }, given(log));
  const told: boolean[] = [];
  link.onConnection((connected) => {
    told.push(connected);
    throw new Error('a fault of its own');
  });
  for (const round of [1, 2]) {
    const lost = nextChange(link);
    server.hangUp();
    assert.not(await lost);
    assert.ok(await nextChange(link), `back, round ${round}`);
  }
  assert.equal(told, [false, true, false, true]);
  assert.is(log.entries.filter(({ message }) => message === 'a listener threw').length, 4);
  await link.close();
  await server.close();
});

test('a wait for a first server ends with its signal', async () => {
  const nowhere = await pretender({});
  await nowhere.close(); // its port is free now, and nobody listens
  const log = memoryLog();
  const abort = new AbortController();
  const connecting = connectNats({ servers: [nowhere.address] }, { ...given(log), signal: abort.signal });
  const waiting = await log.until(({ message }) => /waiting for a nats-server/.test(message));
  assert.equal(waiting.fields.servers, [nowhere.address]);
  const reason = new Error('enough');
  abort.abort(reason);
  assert.is(await connecting.catch((error: unknown) => error), reason);
});

test('a file that is missing is named with its option', async () => {
  const of = (options: Partial<NatsOptions>) =>
    messageOf(connectNats({ servers: ['127.0.0.1:1'], ...options }, given()));
  assert.match(
    await of({ credentialsFile: '/nowhere/x.creds' }),
    /credentials-file: \/nowhere\/x\.creds: no such file/,
  );
  assert.match(await of({ user: 'u', passwordFile: '/nowhere/p' }), /password-file: \/nowhere\/p: no such file/);
});

if (first.server === undefined) test.skip(first.missing, () => {});
else {
  const nats = first.server;

  test('a server that comes later is waited for', async () => {
    await nats.kill();
    const log = memoryLog();
    const connecting = connectNats({ servers: [nats.address] }, given(log));
    await log.until(({ message }) => /waiting for a nats-server/.test(message));
    await nats.restart();
    const link = await connecting;
    assert.ok(link.connected());
    await link.close();
    assert.not(link.connected());
  });

  test('a server that goes and comes is followed, and those who asked are told', async () => {
    const link = await connectNats({ servers: [nats.address] }, given());
    const changes: boolean[] = [];
    const watch = link.onConnection((connected) => changes.push(connected));
    for (let round = 0; round < 2; round++) {
      const lost = nextChange(link);
      await nats.kill();
      await lost;
      assert.not(link.connected());
      const back = nextChange(link);
      await nats.restart();
      await back;
      assert.ok(link.connected());
    }
    assert.equal(changes, [false, true, false, true]);
    await watch.stop();
    await link.close();
    assert.is(changes.length, 4, 'a stopped listener is not told');
  });

  test('a link is closed while its server is away', async () => {
    const link = await connectNats({ servers: [nats.address] }, given());
    const lost = new Promise<void>((resolve) => link.onConnection(() => resolve()));
    await nats.kill();
    await lost;
    await link.close();
    assert.ok(link.connection.isClosed());
    await nats.restart();
  });

  test('a link is closed while its server hangs', async () => {
    const link = await connectNats({ servers: [nats.address] }, given());
    await nats.freeze();
    await link.close();
    assert.ok(link.connection.isClosed());
    nats.thaw();
  });

  test('a server without JetStream is refused', () =>
    withServer(
      '',
      async ({ address }) => {
        assert.match(await messageOf(connectNats({ servers: [address] }, given())), /JetStream is not enabled/);
      },
      false,
    ));

  test('an account without JetStream is refused', () =>
    withServer('accounts { PLAIN { users [ { user: u, password: p } ] } }', async ({ address }) =>
      withDirectory(async (directory) => {
        const passwordFile = join(directory, 'password');
        await writeFile(passwordFile, 'p\n');
        const connecting = connectNats({ servers: [address], user: 'u', passwordFile }, given());
        assert.match(await messageOf(connecting), /JetStream is not enabled there, for this account/);
      }),
    ));

  test('a server that takes smaller messages than the bus sends is refused', () =>
    withServer('max_payload: 65536', async ({ address }) => {
      assert.match(await messageOf(connectNats({ servers: [address] }, given())), /max_payload is 65536 octets/);
    }));

  test('user and password are shown to the server; wrong ones are refused at once, and not repeated in the error', () =>
    withServer('authorization { user: homing, password: "right-one" }', async ({ address }) =>
      withDirectory(async (directory) => {
        const passwordFile = join(directory, 'password');
        await writeFile(passwordFile, 'right-one\n');
        await connectOnce({ servers: [address], user: 'homing', passwordFile });
        await writeFile(passwordFile, 'wrong-one\n');
        const message = await messageOf(connectNats({ servers: [address], user: 'homing', passwordFile }, given()));
        assert.match(message, /Authorization/i);
        assert.not.match(message, /wrong-one/);
        assert.match(await messageOf(connectNats({ servers: [address] }, given())), /Authorization/i);
      }),
    ));

  test('servers that hang up with a reset, again and again, are refusals and end no process', () =>
    withServer('authorization { user: homing, password: "right-one" }', async ({ address }) => {
      for (let time = 0; time < 100; time++) {
        assert.match(await messageOf(connectNats({ servers: [address] }, given())), /Authorization/i);
      }
    }));

  const hasOpenssl = (() => {
    try {
      execFileSync('openssl', ['version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();
  (hasOpenssl ? test : test.skip)('TLS with a client certificate; a server of another authority is refused', () =>
    withDirectory(async (directory) => {
      const at = (name: string) => join(directory, name);
      const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore', cwd: directory });
      const authority = (name: string, address = '127.0.0.1') =>
        openssl(
          ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
          ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=IP:${address}`, '-keyout', `${name}.key`],
          ...['-out', `${name}.crt`],
        );
      authority('ours');
      authority('theirs');
      authority('misnamed', '127.0.0.2');
      const tls = (name: string) =>
        `tls { cert_file: "${at(`${name}.crt`)}", key_file: "${at(`${name}.key`)}", ca_file: "${at('ours.crt')}", verify: true }`;
      await withServer(tls('misnamed'), async ({ address }) => {
        const message = await messageOf(connectNats({ servers: [address], tlsCaFile: at('misnamed.crt') }, given()));
        assert.match(message, /127\.0\.0\.1 is not in the cert's list/);
      });
      await withServer(tls('ours'), async ({ address }) => {
        const options = {
          servers: [address],
          tlsCaFile: at('ours.crt'),
          tlsCertificateFile: at('ours.crt'),
          tlsKeyFile: at('ours.key'),
        };
        await connectOnce(options);
        const message = await messageOf(connectNats({ ...options, tlsCaFile: at('theirs.crt') }, given()));
        assert.match(message, /certificate/i);
      });
      const plain = connectNats({ servers: [nats.address], tlsCaFile: at('ours.crt') }, given());
      assert.match(await messageOf(plain), /does not support 'tls'/);
    }),
  );

  test.after(() => nats.stop());
}

test.run();
