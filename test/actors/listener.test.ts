/** Listeners: channels, opening and closing, unix sockets, stopping. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Listener } from '../../actors/listener.ts';
import type { Place } from '../../actors/listener-socket.ts';
import type { ListenerOptions } from '../../actors/listener-terms.ts';
import type { Protocol } from '../../actors/session.ts';
import { sessionIds } from '../../actors/session-ids.ts';
import { systemClock } from '../../kernel/clock.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';
import { ProtocolStatistics } from '../../telemetry/statistics.ts';
import { keptConnectionLog } from '../support/connection-entries.ts';
import { Client } from '../support/transcript.ts';
import * as lmtpFakes from './lmtp/fake-services.ts';
import { manualClock } from './manual-clock.ts';
import * as pop3Fakes from './pop3/fake-services.ts';
import * as poppwdFakes from './poppwd/fake-services.ts';

const anyPort: Place = { address: '127.0.0.1', port: 0 };
const pop3 = (): Protocol => pop3Fakes.pop3(pop3Fakes.fakeHouse().services);

/** A log that lets a test wait for what happens inside the listener. */
function watched() {
  const seen: string[] = [];
  let told: () => void = () => {};
  const log: Log = {
    ...silentLog,
    debug: (message) => {
      seen.push(message);
      told();
    },
  };
  const until = async (message: string, times = 1): Promise<void> => {
    while (seen.filter((each) => each === message).length < times)
      await new Promise<void>((resolve) => {
        told = resolve;
      });
  };
  return { log, until };
}

const listen = async (options: Partial<ListenerOptions> = {}): Promise<Listener> => {
  const listener = new Listener({
    place: anyPort,
    channels: 2,
    limits: { idleMs: 600_000, writeMs: 60_000 },
    protocol: pop3(),
    nextSessionId: sessionIds('listener'),
    clock: systemClock,
    log: silentLog,
    ...options,
  });
  await listener.start();
  return listener;
};

function call(listener: Listener): Client {
  const place = listener.place!;
  return new Client('path' in place ? connect({ path: place.path }) : connect(place.port, place.address));
}

/** Resolves with the error code of a connection, or undefined when it was accepted. */
async function codeOf(port: number): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1');
  const code = await new Promise<string | undefined>((resolve) => {
    socket.once('connect', () => resolve(undefined));
    socket.once('error', (fault: NodeJS.ErrnoException) => resolve(fault.code));
  });
  socket.destroy();
  return code;
}

const portOf = (listener: Listener): number => (listener.place as { port: number }).port;

for (const [name, protocol, refusal] of [
  ['POP3', pop3(), '-ERR [SYS/TEMP] too many connections, try again later'],
  ['LMTP', lmtpFakes.lmtp(lmtpFakes.fakeHouse().services), '421 4.3.2 foo.edu too many connections, try again later'],
  ['poppwd', poppwdFakes.poppwd(poppwdFakes.fakeHouse().services), '500 too many connections, try again later'],
] as const)
  test(`one ${name} connection too many is told so and closed; when one ends, the next is let in`, async () => {
    const { log, until } = watched();
    const listener = await listen({ protocol, channels: 2, log });
    const [first, second] = [call(listener), call(listener)];
    await first.line();
    await second.line();
    const third = call(listener);
    assert.is(await third.line(), refusal);
    assert.is(await third.line(), undefined);
    first.destroy();
    await until('connection closed');
    const fourth = call(listener);
    assert.not.match((await fourth.line())!, /too many/);
    for (const client of [second, third, fourth]) client.destroy();
    await listener.stop(0);
  });

test('every way of ending frees the channel: QUIT, closing, half-close, in the middle of a command, reset', async () => {
  const { log, until } = watched();
  const listener = await listen({ channels: 1, log });
  const ways: ((client: Client) => void)[] = [
    (client) => client.send('QUIT\r\n'),
    (client) => client.destroy(),
    (client) => client.end(),
    (client) => client.send('USER mrose\r\nPASS tanst'),
    (client) => (client.wire as Socket).resetAndDestroy(),
  ];
  for (const [index, way] of ways.entries()) {
    const client = call(listener);
    assert.match((await client.line())!, /^\+OK/);
    way(client);
    if (index === 3) client.destroy();
    await until('connection closed', index + 1);
    client.destroy();
    assert.is(listener.connections.size, 0);
  }
  await listener.stop(0);
});

test('no channels: the port is closed, sessions go on, and it opens again at the same port', async () => {
  const listener = await listen({ channels: 2 });
  const port = portOf(listener);
  const client = call(listener);
  await client.line();
  await listener.setChannels(0);
  assert.is(listener.place, undefined);
  assert.is(await codeOf(port), 'ECONNREFUSED');
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening'); // truly unbound: another may have it
  other.close();
  await once(other, 'close');
  client.send('NOOP\r\nCAPA\r\n');
  assert.is(await client.line(), '-ERR NOOP is not allowed now');
  await listener.setChannels(1);
  assert.is(portOf(listener), port);
  const second = call(listener);
  assert.match((await second.line())!, /too many/, 'the old session counts');
  client.destroy();
  second.destroy();
  await listener.stop(0);
});

test('a port that broke, or was stopped, opens again with its channels, and tells when it breaks again', async () => {
  const { servers, release } = openedServers();
  const listener = await listen({ channels: 2 });
  await listener.setChannels(1);
  const port = portOf(listener);
  for (const times of [1, 2]) {
    const failed = listener.failed;
    const fault = new Error(`broken ${times}`);
    servers.at(-1)!.emit('error', fault);
    assert.is(await failed, fault);
    assert.is(listener.place, undefined);
    assert.is(await codeOf(port), 'ECONNREFUSED');
    await listener.stop(0); // as a supervisor clears up
    await listener.setChannels(1);
    assert.is(listener.place, undefined, 'set while stopped, the port stays closed');
    await listener.start();
    assert.is.not(listener.failed, failed);
    assert.is(portOf(listener), port);
    assert.is(listener.channels, 1);
    const client = call(listener);
    assert.match((await client.line())!, /^\+OK/);
    const second = call(listener);
    assert.match((await second.line())!, /too many/);
    client.destroy();
    second.destroy();
    await listener.stop(0);
    await listener.start();
  }
  release();
  await listener.stop(0);
});

/** Every server that begins to listen, until released: what breaks one comes from the kernel, and seldom. */
function openedServers() {
  const { listen } = Server.prototype;
  const servers: Server[] = [];
  Server.prototype.listen = function (this: Server, ...place: unknown[]) {
    servers.push(this);
    return Reflect.apply(listen, this, place);
  } as typeof listen;
  return {
    servers,
    release() {
      Server.prototype.listen = listen;
    },
  };
}

test('a listener with no channels at first is closed until it gets some', async () => {
  const listener = await listen({ channels: 0 });
  assert.is(listener.place, undefined);
  await listener.setChannels(1);
  const client = call(listener);
  assert.match((await client.line())!, /^\+OK/);
  client.destroy();
  await listener.stop(0);
});

test('a port that is taken fails the start, and says which', async () => {
  const first = await listen();
  const place = first.place!;
  const fault = await listen({ place }).catch((thrown: Error) => thrown);
  assert.ok(fault instanceof Error);
  assert.match(fault.message, `cannot listen on 127.0.0.1:${portOf(first)}: `);
  await first.stop(0);
  const second = await listen({ place });
  await second.stop(0);
});

test('a unix socket: a stale file is removed, a live one or another file fails the start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'homing-listener-'));
  try {
    const path = join(folder, 'pop3d');
    await leaveStale(path);
    const listener = await listen({ place: { path } });
    const client = call(listener);
    assert.match((await client.line())!, /^\+OK/);
    const second = await listen({ place: { path } }).catch((thrown: Error) => thrown);
    assert.match((second as Error).message, `cannot listen on ${path}: another server is listening there`);
    client.destroy();
    await listener.stop(0);

    const file = join(folder, 'notes.txt');
    writeFileSync(file, 'precious');
    const third = await listen({ place: { path: file } }).catch((thrown: Error) => thrown);
    assert.match((third as Error).message, 'a file that is no socket is in the way');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a unix socket whose mode cannot be set is not left open: nobody knows who could reach it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'homing-listener-'));
  const path = join(folder, 'lmtpd');
  const { listen: listenAsEver } = Server.prototype;
  const servers: Server[] = [];
  Server.prototype.listen = function (this: Server, ...place: unknown[]) {
    servers.push(this.once('listening', () => rmSync(path)));
    return Reflect.apply(listenAsEver, this, place);
  } as typeof listenAsEver;
  try {
    const fault = await listen({ place: { path }, mode: 0o660 }).catch((thrown: Error) => thrown);
    assert.match((fault as Error).message, `cannot set the mode of ${path}`);
    assert.equal(
      servers.map(({ listening }) => listening),
      [false],
    );
  } finally {
    Server.prototype.listen = listenAsEver;
    rmSync(folder, { recursive: true });
  }
});

/** A socket file whose server is gone without unlinking it, as after a kill. */
async function leaveStale(path: string): Promise<void> {
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', code], { stdio: 'ignore' }), 'exit');
}

test('a stop closes the port, ends sessions between commands, and after the grace those that are busy', async () => {
  const clock = manualClock();
  let isAsked: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  const house = pop3Fakes.fakeHouse({
    holdUp(what) {
      if (what !== 'retrieve 11') return undefined;
      isAsked();
      return new Promise(() => {});
    },
  });
  const listener = await listen({ protocol: pop3Fakes.pop3(house.services), clock });
  const port = portOf(listener);
  const [idle, busy] = [call(listener), call(listener)];
  await idle.line();
  await busy.line();
  busy.send('USER mrose\r\nPASS tanstaaf\r\nRETR 1\r\n');
  await busy.lines(2);
  await asked;
  const stopped = listener.stop(5000);
  assert.is(await idle.rest(), '');
  idle.end();
  assert.is(await codeOf(port), 'ECONNREFUSED');
  assert.is(listener.connections.size >= 1, true);
  clock.advance(5000);
  assert.is(await busy.rest(), '');
  await stopped;
  assert.is(listener.connections.size, 0);
});

test('deadlines are looked at by the listener: an idle client is dropped', async () => {
  const clock = manualClock();
  const { log, until } = watched();
  const listener = await listen({ clock, limits: { idleMs: 10_000, writeMs: 1000 }, log });
  const client = call(listener);
  await client.line();
  clock.advance(9999);
  assert.is(listener.connections.size, 1);
  clock.advance(500);
  assert.is(await client.rest(), '');
  client.end();
  await until('connection closed');
  await listener.stop(0);
});

test('a protocol whose session cannot begin loses that connection and no other', async () => {
  const errors: string[] = [];
  let broken = true;
  const good = pop3();
  const protocol: Protocol = {
    ...good,
    begin(caller) {
      if (broken) throw new Error('no services');
      return good.begin(caller);
    },
  };
  const log: Log = { ...silentLog, error: (message) => errors.push(message) };
  const { log: connectionLog, entries } = keptConnectionLog(manualClock());
  const statistics = new ProtocolStatistics();
  const perAddress = () => ({ connections: 1, perMinute: 0 });
  const listener = await listen({ protocol, log, connectionLog, statistics, perAddress });
  assert.is(await call(listener).line(), undefined);
  assert.equal(
    entries().map(({ code, fields }) => `${code} ${fields['ending'] ?? ''}`),
    ['O ', 'X fault'],
  );
  assert.equal(statistics.read().connectionsRefused, { fault: 1 });
  broken = false;
  const client = call(listener);
  assert.match((await client.line())!, /^\+OK/);
  assert.equal(errors, ['a session could not begin']);
  client.destroy();
  await listener.stop(0);
});

test('a session whose machine cannot start is ended as any other, and gives back what it held', async () => {
  const { log: connectionLog, entries } = keptConnectionLog(manualClock());
  const statistics = new ProtocolStatistics();
  const good = pop3();
  let left = 0;
  const protocol: Protocol = {
    ...good,
    begin(caller) {
      const session = good.begin(caller);
      const end = session.end.bind(session);
      session.end = () => {
        left += 1;
        return end();
      };
      session.actor.start = () => {
        throw new Error('no greeting');
      };
      Object.defineProperty(session, 'record', { value: connectionLog.begin(caller, 'pop3') });
      return session;
    },
  };
  const perAddress = () => ({ connections: 1, perMinute: 0 });
  const { log, until } = watched();
  const listener = await listen({ protocol, statistics, perAddress, log });
  for (let times = 1; times <= 2; times += 1) {
    const client = call(listener);
    assert.is(await client.line(), undefined);
    client.end();
    await until('connection closed', times);
    assert.is(left, times);
  }
  assert.equal(
    entries().map(({ code, fields }) => `${code} ${fields['ending'] ?? ''}`),
    ['O ', 'X fault', 'O ', 'X fault'],
  );
  const { connections, connectionsOpen, connectionsRefused } = statistics.read();
  assert.equal(
    { connections, connectionsOpen, connectionsRefused },
    { connections: 2, connectionsOpen: 0, connectionsRefused: {} },
  );
  await listener.stop(0);
});

test('session ids are never the same and fit a msg-id', () => {
  const [one, other] = [sessionIds('a-1'), sessionIds('b-1')];
  const ids = [one(), one(), other(), other()];
  assert.is(new Set(ids).size, 4);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9.-]+$/);
  assert.throws(() => sessionIds('a b'), /start id/);
});

test.run();
