/** All listeners of a node: opened together, drained, changed while they serve, their sessions found and ended. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Door, Doors } from '../../actors/doors.ts';
import type { Place } from '../../actors/listener-socket.ts';
import { sessionIds } from '../../actors/session-ids.ts';
import { systemClock } from '../../kernel/clock.ts';
import { memoryLog } from '../../telemetry/memory-log.ts';
import { Client } from '../support/transcript.ts';
import { pop3 } from './listening.ts';
import * as poppwdFakes from './poppwd/fake-services.ts';

const anyPort: Place = { address: '127.0.0.1', port: 0 };
const log = memoryLog();
const nextSessionId = sessionIds('doors');

const door = (more: Partial<Door> = {}): Door => ({
  place: anyPort,
  label: '',
  channels: 10,
  limits: { idleMs: 600_000, writeMs: 60_000 },
  protocol: pop3(),
  nextSessionId,
  clock: systemClock,
  log,
  ...more,
});

const poppwd = () => poppwdFakes.poppwd(poppwdFakes.fakeHouse().services);

async function opened(...configured: Door[]): Promise<Doors> {
  const doors = new Doors(configured, { clock: systemClock, log, graceMs: 5000 });
  await doors.start();
  return doors;
}

/** The port of the nth address: `pop3 on 127.0.0.1:1110`. */
const portOf = (doors: Doors, at = 0): number => Number(/:(\d+)/.exec(doors.addresses[at] ?? '')?.[1]);

const clients: Client[] = [];
async function call(port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  const client = new Client(socket);
  clients.push(client);
  await once(socket, 'connect');
  return client;
}
const greeted = async (port: number): Promise<Client> => {
  const client = await call(port);
  assert.match((await client.line())!, /^(\+OK|200)/);
  return client;
};
const refusal = (port: number): Promise<string | undefined> =>
  call(port).then(
    () => undefined,
    (fault: NodeJS.ErrnoException) => fault.code,
  );

/** Ends what is left; the loop is kept awake, for the product's timers keep no process alive. */
async function close(doors: Doors): Promise<void> {
  for (const client of clients.splice(0)) client.destroy();
  const awake = setInterval(() => {}, 1000);
  await doors.stop();
  clearInterval(awake);
  assert.equal(doors.addresses, []);
}

const portFree = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
};

test('all open in their order, and are named with what is behind them', async () => {
  const doors = await opened(door({ label: ' (STARTTLS)' }), door({ protocol: poppwd() }), door({ channels: 0 }));
  assert.match(doors.addresses[0]!, /^pop3 on 127\.0\.0\.1:\d+ \(STARTTLS\)$/);
  assert.match(doors.addresses[1]!, /^poppwd on 127\.0\.0\.1:\d+$/);
  assert.is(doors.addresses.length, 2, 'one without channels is not open');
  await close(doors);
});

test('when one cannot be opened none is, and it is named', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const first = await portFree();
  const places: Place[] = [
    { address: '127.0.0.1', port: first },
    { address: '127.0.0.1', port },
  ];
  const doors = new Doors(
    places.map((place) => door({ place })),
    { clock: systemClock, log, graceMs: 0 },
  );
  const fault = await doors.start().catch((thrown: Error) => thrown);
  assert.match((fault as Error).message, `pop3 on 127.0.0.1:${port} cannot start`);
  assert.equal(doors.addresses, []);
  assert.is(await refusal(first), 'ECONNREFUSED');
  taken.close();
});

test('sessions are shown with their state, and an account is kicked from all doors between two commands', async () => {
  const doors = await opened(door(), door({ protocol: poppwd() }));
  const [logged, other] = [await greeted(portOf(doors)), await greeted(portOf(doors, 1))];
  assert.equal(
    doors.sessions().map(({ protocol, state, account }) => ({ protocol, state, account })),
    [
      { protocol: 'pop3', state: 'authorization.ready', account: undefined },
      { protocol: 'poppwd', state: doors.sessions()[1]!.state, account: undefined },
    ],
  );
  logged.send('USER mrose\r\nPASS tanstaaf\r\n');
  for (const line of await logged.lines(2)) assert.match(line!, /^\+OK/);
  const [{ account, state, session, address, port }] = doors.sessions() as [ReturnType<Doors['sessions']>[0]];
  assert.is(state, 'transaction.ready');
  assert.is(address, '127.0.0.1');
  assert.ok(port > 0);
  assert.match(session, /^doors\./);
  assert.ok(account !== undefined);
  assert.is(doors.kick(account!), 0, 'by its id, not its name');
  assert.is(doors.kick(`id of ${account}`), 1);
  assert.match((await logged.rest())!, /^-ERR \[SYS\/PERM\]/);
  other.send('QUIT\r\n');
  assert.match((await other.line())!, /^200/, 'others are left alone');
  await close(doors);
});

test('a drained node has no ports and no sockets, its sessions go on, and it opens again at the same places', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'homing-doors-'));
  const path = join(folder, 'pop3d');
  const doors = await opened(door(), door({ place: { path } }));
  const port = portOf(doors);
  const client = await greeted(port);
  await doors.drain();
  assert.ok(doors.isDraining);
  assert.equal(doors.addresses, []);
  assert.is(await refusal(port), 'ECONNREFUSED');
  assert.not.ok(existsSync(path));
  assert.is(doors.size, 1);
  await doors.drain(); // said twice
  client.send('USER mrose\r\nPASS tanstaaf\r\nSTAT\r\n');
  for (const line of await client.lines(3)) assert.match(line!, /^\+OK/);
  await doors.undrain();
  assert.not.ok(doors.isDraining);
  assert.is(portOf(doors), port);
  assert.ok(existsSync(path));
  await greeted(port);
  await close(doors);
  rmSync(folder, { recursive: true });
});

test('a port taken while the node was drained is named; the others are open, and it may be tried again', async () => {
  const doors = await opened(door(), door());
  const [lost, kept] = [portOf(doors, 0), portOf(doors, 1)];
  await doors.drain();
  const thief = createServer().listen(lost, '127.0.0.1');
  await once(thief, 'listening');
  const fault = await doors.undrain().catch((thrown: Error) => thrown);
  assert.match((fault as Error).message, `cannot listen on 127.0.0.1:${lost}: `);
  await greeted(kept);
  thief.close();
  await once(thief, 'close');
  await doors.undrain();
  await greeted(lost);
  await close(doors);
});

test('changed while it serves: channels, terms, what is gone, what is new', async () => {
  const [a, b, c] = [await portFree(), await portFree(), await portFree()];
  const at = (port: number, more: Partial<Door> = {}) => door({ place: { address: '127.0.0.1', port }, ...more });
  const doors = await opened(at(a, { channels: 1 }), at(b));
  const [inA, inB] = [await greeted(a), await greeted(b)];
  assert.match((await (await call(a)).line())!, /too many/);

  await doors.reconfigure([at(c), at(a, { channels: 2, label: ' (TLS)' })]);
  assert.equal(doors.addresses, [`pop3 on 127.0.0.1:${c}`, `pop3 on 127.0.0.1:${a} (TLS)`]);
  await greeted(a);
  await greeted(c);
  assert.is(await refusal(b), 'ECONNREFUSED');
  assert.is(doors.sessions().length, 4, 'the session of the one that is gone is still there');
  inB.send('USER mrose\r\nPASS tanstaaf\r\nSTAT\r\n');
  for (const line of await inB.lines(3)) assert.match(line!, /^\+OK/);

  await doors.reconfigure([at(c), at(a, { channels: 0 }), at(b)]); // b has come back before it was empty
  assert.is(await refusal(a), 'ECONNREFUSED');
  await greeted(b);
  inA.send('QUIT\r\n');
  assert.match((await inA.line())!, /^\+OK/);
  await doors.reconfigure([at(a, { channels: 5 })]);
  await greeted(a);
  assert.equal(doors.addresses, [`pop3 on 127.0.0.1:${a}`]);
  await close(doors);
});

test('the session of a door that is gone ends as others do, and the door with it', async () => {
  const own = memoryLog();
  const doors = await opened(door({ log: own }), door({ protocol: poppwd() }));
  const client = await greeted(portOf(doors));
  await doors.reconfigure([door({ protocol: poppwd() })]);
  assert.is(doors.size, 1);
  client.send('QUIT\r\n');
  await client.rest();
  client.end();
  await own.until(({ message }) => message === 'connection closed');
  assert.is(doors.size, 0);
  await doors.drain(); // comes after what was under way
  await doors.undrain();
  assert.is(doors.addresses.length, 1);
  await close(doors);
});

test('changed before they are opened: nothing opens until then, and only what is wanted last', async () => {
  const [a, b] = [await portFree(), await portFree()];
  const at = (port: number) => door({ place: { address: '127.0.0.1', port } });
  const doors = new Doors([at(a)], { clock: systemClock, log, graceMs: 5000 });
  await doors.reconfigure([at(a)]);
  assert.equal([doors.addresses, await refusal(a)], [[], 'ECONNREFUSED']);
  await doors.reconfigure([at(b)]);
  const [, started] = await Promise.all([doors.reconfigure([at(a), at(b)]), doors.start(), doors.reconfigure([at(a)])]);
  assert.is(started, undefined);
  assert.equal(doors.addresses, [`pop3 on 127.0.0.1:${a}`]);
  await greeted(a);
  await close(doors);
});

test('a drain before they are opened holds, and a stop before it opens nothing', async () => {
  const doors = new Doors([door()], { clock: systemClock, log, graceMs: 5000 });
  await doors.drain();
  await doors.start();
  assert.equal(doors.addresses, []);
  await doors.undrain();
  await greeted(portOf(doors));
  await close(doors);
  const never = new Doors([door()], { clock: systemClock, log, graceMs: 5000 });
  await never.stop();
  await never.start();
  assert.equal(never.addresses, []);
});

test('what cannot be opened when it is changed is named, and all else is done', async () => {
  const [a, b] = [await portFree(), await portFree()];
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const at = (which: number, more: Partial<Door> = {}) =>
    door({ place: { address: '127.0.0.1', port: which }, ...more });
  const doors = await opened(at(a));
  const fault = await doors.reconfigure([at(port), at(a, { channels: 1 }), at(b)]).catch((thrown: Error) => thrown);
  assert.match((fault as Error).message, `pop3 on 127.0.0.1:${port} cannot start`);
  assert.equal(doors.addresses, [`pop3 on 127.0.0.1:${a}`, `pop3 on 127.0.0.1:${b}`]);
  await greeted(a);
  assert.match((await (await call(a)).line())!, /too many/);
  taken.close();
  await once(taken, 'close');
  await doors.reconfigure([at(port), at(a), at(b)]);
  assert.is(doors.addresses.length, 3);
  await close(doors);
});

test('what is changed while the node is drained holds when it is open again', async () => {
  const [a, b] = [await portFree(), await portFree()];
  const at = (which: number) => door({ place: { address: '127.0.0.1', port: which } });
  const doors = await opened(at(a));
  await doors.drain();
  await doors.reconfigure([at(a), at(b)]);
  assert.equal(doors.addresses, []);
  await doors.undrain();
  await greeted(a);
  await greeted(b);
  await close(doors);
});

test("a unix socket's mode is changed where it stands, also back to the system's, and one that cannot be is named", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'homing-doors-'));
  const path = join(folder, 'lmtpd');
  const at = (mode?: number) => door({ place: { path }, mode });
  const modeNow = () => statSync(path).mode & 0o777;
  const umask = process.umask(0o077);
  try {
    const doors = await opened(at(0o660));
    assert.is(modeNow(), 0o660);
    await doors.reconfigure([at(0o600)]);
    assert.is(modeNow(), 0o600);
    await doors.reconfigure([at()]);
    assert.is(modeNow(), 0o700);
    renameSync(path, `${path}.away`);
    const fault = await doors.reconfigure([at(0o666)]).catch((thrown: Error) => thrown);
    assert.match((fault as Error).message, 'cannot set the mode of');
    renameSync(`${path}.away`, path);
    await doors.reconfigure([at(0o666)]);
    assert.is(modeNow(), 0o666, 'what failed is tried again');
    await doors.drain();
    await doors.reconfigure([at(0o640)]);
    await doors.undrain();
    assert.is(modeNow(), 0o640);
    await close(doors);
  } finally {
    process.umask(umask);
    rmSync(folder, { recursive: true });
  }
});

test('a door that broke opens again by itself, with the terms of now', async () => {
  const { listen } = Server.prototype;
  const servers: Server[] = [];
  Server.prototype.listen = function (this: Server, ...place: unknown[]) {
    servers.push(this);
    return Reflect.apply(listen, this, place);
  } as typeof listen;
  try {
    const doors = await opened(door({ channels: 5 }));
    const port = portOf(doors);
    const same = door({ channels: 1 });
    await doors.reconfigure([same]);
    servers.at(-1)!.emit('error', new Error('broken'));
    await log.until(({ message }) => message === 'a child failed');
    while (doors.addresses.length === 0) await new Promise((resolve) => setTimeout(resolve, 5)); // a restart tells nobody
    assert.is(portOf(doors), port);
    await greeted(port);
    assert.match((await (await call(port)).line())!, /too many/);
    await close(doors);
  } finally {
    Server.prototype.listen = listen;
  }
});

test('a stop ends all doors at the same time, those that are leaving too', async () => {
  const doors = await opened(door(), door(), door());
  const callers = await Promise.all([0, 1, 2].map((at) => greeted(portOf(doors, at))));
  await doors.reconfigure([door(), door()]);
  const stopped = doors.stop();
  for (const client of callers) {
    await client.rest();
    client.end();
  }
  await stopped;
  assert.is(doors.size, 0);
});

test.run();
