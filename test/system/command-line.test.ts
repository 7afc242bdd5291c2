/** The command line as an operator meets it: on a running server, on a stopped one, and when it is asked for what can't be. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { configuration } from '../../bench/fleet/configuration.ts';
import { NodeProcess } from '../../bench/fleet/node-process.ts';
import { PortPicker } from '../../bench/fleet/port-picker.ts';
import { Program } from '../../bench/fleet/program.ts';
import { createLmdbStore } from '../../store/lmdb-store.ts';
import { deliver, logIn, message, retrieveAll } from '../support/system.ts';

const HOMING = resolve(import.meta.dirname, '../../bin/homing.js');

async function inDirectory(
  use: (node: NodeProcess, homing: Homing, directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  const picker = new PortPicker();
  const ports = { pop3: await picker.next(), lmtp: await picker.next(), poppwd: await picker.next() };
  const file = join(directory, 'homing.toml');
  writeFileSync(file, configuration({ me: 'n1', data: 'data', ports }));
  const homing: Homing = (words, input = '') => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [HOMING, ...words], { cwd: directory, input });
    return { status, out: String(stdout), err: String(stderr) };
  };
  const node = new NodeProcess({ me: 'n1', file, data: join(directory, 'data'), ports });
  try {
    await use(node, homing, directory);
  } finally {
    await node.program?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
type Homing = (words: readonly string[], input?: string) => { status: number | null; out: string; err: string };

test('accounts and passwords, on a stopped and on a running server', () =>
  inDirectory(async (node, homing) => {
    assert.is(homing(['init']).status, 0);
    assert.is(homing(['account', 'add', 'joe', '--password-stdin'], 'first\n').status, 0);
    assert.match(homing(['account', 'add', 'joe']).err, /^homing: joe@example\.test exists already\n$/);
    await node.start();
    assert.is(await logIn(node.pop3, 'joe', 'first'), 'ok');
    assert.is(homing(['password', 'set', 'joe', '--password-stdin'], 'second\n').status, 0);
    assert.match(await logIn(node.pop3, 'joe', 'first'), /^-ERR \[AUTH\]/);
    assert.is(await logIn(node.pop3, 'joe', 'second'), 'ok');
    assert.is(homing(['password', 'test', 'joe'], 'second\n').status, 0);
    assert.is(homing(['password', 'test', 'joe'], 'first\n').status, 1);
    assert.is(homing(['account', 'set', 'joe', 'status=noaccess']).status, 0);
    assert.match(await logIn(node.pop3, 'joe', 'second'), /^-ERR \[AUTH\]/);
    assert.match(homing(['account', 'list']).out, /joe@example\.test +n1 +noaccess/);
    const shown = homing(['account', 'show', 'joe', '--json']).out;
    assert.not.match(shown, /second|first|storedKey|plain/);
    const status = JSON.parse(homing(['status', '--json']).out);
    assert.is(status.nodes[0].state, 'serving');
    assert.is(status.mailHosts[0].owner, 'n1');
  }));

test('an account made anew under an old name does not see the old mail', () =>
  inDirectory(async (node, homing) => {
    homing(['init']);
    homing(['account', 'add', 'joe', '--password-stdin'], 'secret');
    await node.start();
    assert.match(await deliver(node.lmtp, 'joe@example.test', message('private')), /^250/);
    assert.is(homing(['account', 'delete', 'joe']).status, 0);
    assert.match(await deliver(node.lmtp, 'joe@example.test', message('too late')), /^550 5\.1\.1/);
    assert.is(homing(['account', 'add', 'joe', '--password-stdin'], 'secret').status, 0);
    assert.equal(await retrieveAll(node.pop3, 'joe', 'secret'), []);
  }));

test('where no server runs an account is deleted with its mail, and what it holds is told', () =>
  inDirectory(async (node, homing) => {
    homing(['init']);
    homing(['account', 'add', 'joe', '--password-stdin'], 'secret');
    await node.start();
    for (let number = 1; number <= 3; number++)
      assert.match(await deliver(node.lmtp, 'joe@example.test', message(`${number}`)), /^250/);
    await node.program!.stop();
    assert.match(homing(['account', 'show', 'joe']).out, /^usage: .*"messages":3/m);
    assert.match(homing(['check']).out, /messages 3 /);
    assert.is(homing(['account', 'delete', 'joe']).out, '');
    assert.match(homing(['check']).out, /messages 0 /);
    assert.match(homing(['account', 'delete', 'joe']).out, /^deleted before/);
    assert.is(homing(['account', 'delete', 'jim']).status, 1);
  }));

test('an import is checked whole before the first account is made', () =>
  inDirectory(async (_node, homing, directory) => {
    homing(['init']);
    const file = join(directory, 'accounts');
    writeFileSync(file, '{"name": "a", "password": "x"}\n{"name": "a"}\n{"nam": "b"}\nnot JSON\n');
    const refused = homing(['account', 'import', file]);
    assert.is(refused.status, 1);
    for (const line of [2, 3, 4]) assert.match(refused.err, new RegExp(`line ${line}: `));
    assert.not.match(homing(['account', 'list']).out, /@/);
    writeFileSync(file, '{"name": "a", "password": "x"}\n{"name": "b", "mailHost": "n1"}\n');
    assert.match(homing(['account', 'import', file]).out, /^2 accounts imported$/m);
  }));

test('what is missing is named and never made anew; what exists is never touched', () =>
  inDirectory(async (node, homing, directory) => {
    assert.match(homing(['serve']).err, /data/);
    assert.is(homing(['init']).status, 0);
    assert.match(homing(['init']).err, /exists already/);
    assert.is(statSync(join(directory, 'data', 'cluster.key')).mode & 0o777, 0o600);
    await node.start();
    assert.is(statSync(join(directory, 'data', 'ipc', 'control')).mode & 0o777, 0o600);
    assert.match(homing(['serve']).err, new RegExp(`in use by process ${node.program!.pid}`));
    await node.program!.stop();
    rmSync(join(directory, 'data', 'mail', 'n1'), { recursive: true });
    const refused = homing(['serve']);
    assert.is(refused.status, 1);
    assert.match(refused.err, /mail\/n1: the mail database is missing/);
  }));

test('an import longer than a request is checked and made, and what stands twice is found', () =>
  inDirectory(async (node, homing, directory) => {
    homing(['init']);
    await node.start();
    const file = join(directory, 'accounts');
    const long = 'x'.repeat(250_000);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const lines = names.map((name) => JSON.stringify({ name, password: name + long }));
    writeFileSync(file, [...lines, '{"name": "A@example.test"}', 'null', '7'].join('\n'));
    const refused = homing(['account', 'import', file]);
    assert.is(refused.status, 1);
    assert.match(refused.err, /line 7: name: a@example\.test stands in the list before/);
    assert.match(refused.err, /line 8: must be a JSON object/);
    assert.match(refused.err, /line 9: must be a JSON object/);
    const short = Array.from({ length: 1201 }, (_, index) => JSON.stringify({ name: `s${index % 1200}` }));
    writeFileSync(file, short.join('\n'));
    assert.match(homing(['account', 'import', file]).err, /line 1201: name: s0@example\.test stands in the list/);
    writeFileSync(file, lines.join('\n').replaceAll(long, ''));
    assert.match(homing(['account', 'import', file]).out, /^6 accounts imported$/m);
    assert.match(homing(['account', 'import', 'nosuch']).err, /^homing: nosuch: no such file\n$/);
  }));

test('mailboxes are made, listed and closed with a server and without, and a right may begin with a dash', () =>
  inDirectory(async (node, homing) => {
    homing(['init']);
    homing(['account', 'add', 'joe']);
    assert.equal(homing(['mailbox', 'create', 'joe', 'a/b']), { status: 0, out: '', err: '' });
    assert.is(homing(['mailbox', 'create', 'shared', 'bugs', '--anyone', 'p']).status, 0);
    await node.start();
    assert.is(homing(['mailbox', 'rights', 'shared', 'bugs', 'anyone', '-p']).out, '');
    assert.is(homing(['mailbox', 'rights', 'shared', 'bugs', '--negative', 'joe', 'lr']).out, '-joe@example.test lr\n');
    assert.match(homing(['mailbox', 'list', 'joe']).out, /^a +0 +0 +-\na\/b +0 +0 +-$/m);
    const listed = JSON.parse(homing(['mailbox', 'list', 'shared', '--json']).out) as {
      name: string;
      rights: object;
    }[];
    assert.equal(
      listed.map(({ name, rights }) => ({ name, rights })),
      [{ name: 'bugs', rights: { '-joe@example.test': 'lr' } }],
    );
    const refused = homing(['mailbox', 'create', 'joe', 'a/b']);
    assert.equal([refused.status, refused.out], [1, '']);
    assert.match(refused.err, /^homing: joe@example\.test has a mailbox a\/b already/);
    assert.match(homing(['account', 'show', 'joe']).out, /^usage: \{"octets":0,"messages":0\}$/m);
  }));

test('a command killed while it is answered does not end the server', () =>
  inDirectory(async (node, homing) => {
    homing(['init']);
    await node.start();
    const path = join(node.data, 'ipc', 'control');
    for (let round = 0; round < 20; round++) {
      const socket = createConnection(path);
      await once(socket, 'connect');
      socket.write('{"verb":"account.list"}\n'.repeat(50), () => socket.destroy());
      await once(socket, 'close');
    }
    assert.is(homing(['account', 'list']).status, 0);
    assert.ok(node.program!.isAlive());
  }));

test('without a nats-server: serve waits and ends on SIGTERM, init says where none answers', () =>
  inDirectory(async (_node, homing, directory) => {
    assert.is(homing(['init']).status, 0); // alone: what serve needs is there
    const picker = new PortPicker();
    const [port, pop3, lmtp, poppwd] = [
      await picker.next(),
      await picker.next(),
      await picker.next(),
      await picker.next(),
    ];
    const ports = { pop3, lmtp, poppwd };
    const write = (name: string, data: string) => {
      writeFileSync(join(directory, name), configuration({ me: 'n1', data, ports, natsPorts: [port] }));
      return ['-f', name];
    };
    const serving = write('serve.toml', 'data');
    copyFileSync(join(directory, 'data', 'cluster.key'), join(directory, 'cluster.key'));
    const program = await Program.start([process.execPath, HOMING, 'serve', '-f', join(directory, serving[1]!)], {
      readyLine: /waiting for a nats-server/,
    });
    const refused = homing(['init', ...write('init.toml', 'other')]); // takes its 15 seconds
    assert.is(refused.status, 1);
    assert.is(refused.err, `homing: no nats-server answers at 127.0.0.1:${port}\n`);
    assert.ok(program.isAlive());
    assert.is(await program.stop(), '0');
  }));

test('a store that the directory knows by another identity is refused before the server is ready', () =>
  inDirectory(async (_node, homing, directory) => {
    homing(['init']);
    rmSync(join(directory, 'data', 'mail', 'n1'), { recursive: true });
    const created = await createLmdbStore(join(directory, 'data', 'mail', 'n1'), 'n1');
    assert.ok(created.ok);
    const refused = homing(['serve']);
    assert.is(refused.status, 1);
    assert.match(refused.err, /^homing: .*mail\/n1: .*this node refuses to own it$/m);
    assert.not.match(refused.out, /ready/);
  }));

test('init takes no store of another mailHost, and no path that a socket can not have', () =>
  inDirectory(async (_node, homing, directory) => {
    mkdirSync(join(directory, 'data', 'mail'), { recursive: true });
    await createLmdbStore(join(directory, 'data', 'mail', 'n1'), 'n9');
    const refused = homing(['init']);
    assert.is(refused.status, 1);
    assert.match(refused.err, /mail\/n1: is the store of mailHost "n9", not of "n1"/);
    const file = join(directory, 'long.toml');
    writeFileSync(file, configuration({ me: 'n1', data: 'd'.repeat(100), ports: { pop3: 1, lmtp: 2, poppwd: 3 } }));
    assert.match(
      homing(['init', '-f', file]).err,
      /long\.toml: data: .* is too long: a unix socket's path has at most 107/,
    );
  }));

test('a wrong configuration names file, key, value and what is allowed', () =>
  inDirectory(async (_node, homing, directory) => {
    const file = join(directory, 'wrong.toml');
    writeFileSync(
      file,
      'me = "n1"\ndata = "d"\ndefault-domain = "example.test"\nmail-hostz = 1\n[[listener]]\nprotocol = "pop4"\n',
    );
    const { status, err } = homing(['init', '-f', file]);
    assert.is(status, 1);
    assert.match(err, /wrong\.toml: listener#1\.protocol: "pop4" is not allowed: must be "pop3"/);
    assert.match(err, /wrong\.toml: mail-hostz: .*did you mean "mail-hosts"/);
  }));

test.run();
