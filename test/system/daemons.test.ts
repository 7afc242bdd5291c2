/** A node as the machine knows it: the files that name its process, the signals that it hears, and how it ends. */
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { configuration, type NodePlace } from '../../bench/fleet/configuration.ts';
import { NodeProcess } from '../../bench/fleet/node-process.ts';
import { PortPicker } from '../../bench/fleet/port-picker.ts';
import { deliver, eventually, logged, logIn, message, openSession } from '../support/system.ts';

const picker = new PortPicker();

async function withNode(use: (node: NodeProcess, rewrite: (more: Partial<NodePlace>) => void) => Promise<void>) {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  const ports = { pop3: await picker.next(), lmtp: await picker.next(), poppwd: await picker.next() };
  const file = join(directory, 'homing.toml');
  const rewrite = (more: Partial<NodePlace>) =>
    writeFileSync(file, configuration({ me: 'n1', data: 'data', ports, ...more }));
  rewrite({});
  const node = new NodeProcess({ me: 'n1', file, data: join(directory, 'data'), ports });
  try {
    await node.init();
    await node.start();
    await use(node, rewrite);
  } finally {
    await node.program?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const DAEMONS = ['lmtpd', 'pop3d', 'poppwdd'];
const lockOf = (node: NodeProcess, daemon: string) => join(node.data, 'run', `${daemon}.lock`);
const statsOf = (node: NodeProcess, daemon: string) => join(node.data, 'log', `${daemon}.stats`);
const blocksIn = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').split('\n\n').slice(0, -1) : []);

/** SIGHUP, to the process that the file names, and the block that it adds to that daemon's statistics. */
async function hangUp(node: NodeProcess, daemon: string): Promise<Map<string, string>> {
  const before = blocksIn(statsOf(node, daemon)).length;
  process.kill(Number(readFileSync(lockOf(node, daemon), 'utf8')), 'SIGHUP');
  const block = await eventually(`a block of ${daemon}`, 30_000, () => blocksIn(statsOf(node, daemon))[before]);
  const [, ...lines] = block.split('\n');
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}

test("files name the process: those of a killed one are the next one's, a second start changes none, a clean stop takes them", () =>
  withNode(async (node) => {
    const dead = node.program!.pid;
    for (const daemon of DAEMONS) assert.is(readFileSync(lockOf(node, daemon), 'latin1'), `${dead}\n`);
    await node.program!.kill();
    const loosened = { ipc: 0o755, 'mail/n1/data.mdb': 0o644, run: 0o777 };
    for (const [name, mode] of Object.entries(loosened)) chmodSync(join(node.data, name), mode);
    await node.start();
    for (const name of Object.keys(loosened)) {
      assert.is(statSync(join(node.data, name)).mode & 0o022, 0, name);
      await logged(node, 'WARN', `${name}: its mode was`);
    }
    assert.is(statSync(join(node.data, 'ipc')).mode & 0o777, 0o700);
    const { pid } = node.program!;
    assert.is.not(pid, dead);
    for (const daemon of DAEMONS) assert.is(readFileSync(lockOf(node, daemon), 'latin1'), `${pid}\n`);
    const second = new NodeProcess({ me: 'n1', file: node.file, data: node.data, ports: node.ports });
    const refused = await second.start().catch((error: Error) => error.message);
    assert.match(String(refused), `in use by process ${pid}`);
    for (const daemon of DAEMONS) assert.is(readFileSync(lockOf(node, daemon), 'latin1'), `${pid}\n`);
    assert.is(await node.program!.stop(), '0');
    for (const place of ['run', 'ipc']) assert.equal(readdirSync(join(node.data, place)), []);
  }));

test('SIGHUP writes what was done, number by number; sessions go on and the configuration is not read again', () =>
  withNode(async (node, rewrite) => {
    await node.ask('account.add', { name: 'joe', secret: 'secret' });
    const quiet = await hangUp(node, 'pop3d');
    assert.is(quiet.get('connections-total'), '0');
    for (let i = 0; i < 3; i++) assert.match(await deliver(node.lmtp, 'joe@example.test', message(`m${i}`)), /^250/);
    assert.match(await deliver(node.lmtp, 'nobody@example.test', message('lost')), /^550/);
    assert.match(await logIn(node.pop3, 'joe', 'wrong'), /^-ERR/);
    const said = await converse(node, ['USER joe', 'PASS secret', 'RETR 1', 'TOP 2 0', 'DELE 1', 'DELE 2', 'QUIT']);
    const open = await openSession(node.pop3, 'joe', 'secret');
    rewrite({ channels: 0 });

    const pop3 = await eventually('what the clients have closed to be closed here', 30_000, async () => {
      const block = await hangUp(node, 'pop3d');
      return block.get('connections-now') === '1' ? block : undefined;
    });
    const expected = {
      'connections-now': '1',
      'connections-total': '3',
      'connections-refused': '0',
      'logins-accepted': '2',
      'logins-refused': '1',
      'logins-accepted.PASS': '2',
      'logins-refused.PASS': '1',
      'messages-retrieved': '2',
      'messages-removed': '2',
    };
    for (const [name, value] of Object.entries(expected)) assert.is(pop3.get(name), value, name);
    assert.is(Number(pop3.get('commands')), 7 + 2 + 2, 'of the conversation, the wrong log-in and the open session');
    const more = await converse(node, ['CAPA', 'QUIT']);
    const later = await hangUp(node, 'pop3d');
    assert.is(Number(later.get('octets-in')) - Number(pop3.get('octets-in')), more.sent);
    assert.is(Number(later.get('octets-out')) - Number(pop3.get('octets-out')), more.received);
    assert.ok(Number(pop3.get('octets-out')) > said.received);
    assert.is(later.get('connections-total'), '4', 'a new one: the channels are as they were at the start');

    const lmtp = await hangUp(node, 'lmtpd');
    assert.is(lmtp.get('messages-received'), '3');
    assert.is(lmtp.get('deliveries-accepted'), '3');
    assert.is(lmtp.get('recipients-refused'), '1');
    assert.is(lmtp.get('logins-accepted'), '0');
    assert.is((await open.stat()).messages, 1, 'the session that was open has seen it all');
    await open.quit();
    open.close();
    await eventually('each signal to have written all files', 30_000, () =>
      blocksIn(statsOf(node, 'poppwdd')).length === blocksIn(statsOf(node, 'pop3d')).length ? true : undefined,
    );
    assert.is(statSync(statsOf(node, 'pop3d')).mode & 0o077, 0);
  }));

test('a SIGHUP while the node starts is answered when it has started', () =>
  withNode(async (node) => {
    await node.program!.stop();
    const before = blocksIn(statsOf(node, 'pop3d')).length;
    const starting = node.start();
    const pid = await eventually('the process id', 30_000, () =>
      existsSync(lockOf(node, 'pop3d')) ? Number(readFileSync(lockOf(node, 'pop3d'), 'utf8')) : undefined,
    );
    process.kill(pid, 'SIGHUP');
    await starting;
    await eventually('a block', 30_000, () => blocksIn(statsOf(node, 'pop3d'))[before]);
  }));

test('a hundred SIGHUPs at once, other signals, and a missing directory harm nothing', () =>
  withNode(async (node) => {
    const { pid } = node.program!;
    for (let i = 0; i < 100; i++) process.kill(pid, 'SIGHUP');
    for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const) process.kill(pid, signal);
    await hangUp(node, 'pop3d');
    for (const block of blocksIn(statsOf(node, 'pop3d')))
      assert.match(block, /^--- \S+ pop3d of n1, [^\n]*\n(\S+ \S+\n)+\S+ \S+$/);
    rmSync(join(node.data, 'log'), { recursive: true });
    process.kill(pid, 'SIGHUP');
    await eventually('an error in the log', 30_000, () =>
      node.lines.find((line) => line.includes('ERROR') && line.includes('pop3d.stats')),
    );
    assert.not.ok(existsSync(join(node.data, 'log')));
    assert.ok(node.program!.isAlive());
    assert.not.ok(
      node.lines.some((line) => /debugger/i.test(line)),
      'no debugger listens',
    );
    process.kill(pid, 'SIGINT');
    assert.is(await node.program!.ended, '0', 'SIGINT stops it as SIGTERM does');
    assert.equal(readdirSync(join(node.data, 'run')), []);
  }));

/** Says all lines, one after the other's answer, and counts the octets both ways until the server closes. */
async function converse(node: NodeProcess, lines: readonly string[]): Promise<{ sent: number; received: number }> {
  const socket = connect({ host: '127.0.0.1', port: node.ports.pop3 });
  const counted = { sent: 0, received: 0 };
  let text = '';
  socket.on('data', (bytes) => {
    counted.received += bytes.length;
    text += bytes.toString('latin1');
  });
  const answered = async (isMultiline: boolean) => {
    const end = isMultiline ? /\r\n\.\r\n$/ : /\r\n$/;
    while (!end.test(text)) await once(socket, 'data');
    text = '';
  };
  await answered(false);
  for (const line of lines) {
    counted.sent += line.length + 2;
    socket.write(`${line}\r\n`);
    await answered(/^(CAPA|RETR|TOP)/.test(line));
  }
  await once(socket, 'close');
  return counted;
}

test.run();
