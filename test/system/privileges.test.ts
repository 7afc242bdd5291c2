/**
 * A node that root starts: it takes a port below 1024 and a key that only root may read, becomes its runtime user for good,
 * and leaves nothing of root's behind. Needs root, and a user `nobody`.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NodeProcess } from '../../bench/fleet/node-process.ts';
import { PortPicker } from '../../bench/fleet/port-picker.ts';
import { accountNamed } from '../../bin/privileges.ts';
import { pem } from '../support/certificates.ts';
import { deliver, eventually, logged, logIn, message, retrieveAll } from '../support/system.ts';

const HOMING = resolve(import.meta.dirname, '../../bin/homing.js');
const user = process.getuid?.() === 0 ? accountNamed('nobody') : undefined;
const obstacle =
  process.getuid?.() !== 0
    ? 'this is not run as root'
    : 'Deno' in globalThis
      ? 'this runtime can not set supplementary groups'
      : user === undefined
        ? 'there is no user "nobody"'
        : undefined;

const homing = (words: readonly string[], input = '') => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [HOMING, ...words], { input, cwd: '/' });
  return { status, out: String(stdout), err: String(stderr) };
};

type Place = { readonly directory: string; readonly file: string; readonly node: NodeProcess };

/** A directory that others may enter, with a configuration for `nobody`: POP3 at a low port, in clear and under TLS. */
async function withPlace(use: (place: Place) => Promise<void>, runtimeUser = 'runtime-user = "nobody"\n') {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  chmodSync(directory, 0o711);
  const picker = new PortPicker();
  const ports = { pop3: await lowPort(), lmtp: await picker.next(), poppwd: await picker.next() };
  const file = join(directory, 'homing.toml');
  mkdirSync(join(directory, 'tls'), { mode: 0o700 });
  const { certificate, key } = await pem('mail.example.test');
  writeFileSync(join(directory, 'tls/cert.pem'), certificate, { mode: 0o600 });
  writeFileSync(join(directory, 'tls/key.pem'), key, { mode: 0o600 });
  const listener = (protocol: string, place: string, more = '') =>
    `[[listener]]\nprotocol = "${protocol}"\n${place}\n${more}`;
  const text = [
    `me = "n1"\ndata = "state/data"\ndefault-domain = "example.test"\n${runtimeUser}`,
    '[tls]\ncertificate-file = "tls/cert.pem"\nkey-file = "tls/key.pem"\n',
    listener('pop3', `port = ${ports.pop3}`, 'tls = "starttls"\n'),
    listener('lmtp', `port = ${ports.lmtp}`),
    listener('lmtp', 'path = "state/data/ipc/lmtpd"'),
  ];
  writeFileSync(file, text.join('\n'), { mode: 0o600 });
  const node = new NodeProcess({ me: 'n1', file, data: join(directory, 'state/data'), ports });
  try {
    await use({ directory, file, node });
  } finally {
    await node.program?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** One that is free; below 1024, from the top. */
async function lowPort(): Promise<number> {
  for (let port = 1023; port > 512; port -= 1) {
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((closed) => server.close(closed));
    return port;
  }
  throw new Error('no port below 1024 is free');
}

/** All below, with whose it is. */
function* foreignIn(path: string, uid: number): Generator<string> {
  if (statSync(path).uid !== uid) yield path;
  if (!statSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) yield* foreignIn(join(path, name), uid);
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** A test that only root can run: elsewhere it says why not, and checks nothing. */
const rootTest = (name: string, run: () => Promise<void>) =>
  test(name, async () => {
    if (obstacle === undefined) return await run();
    console.log(`skipped: ${name}: ${obstacle}`);
  });

rootTest('every thread is the runtime user for good, with its groups and no capability, and serves below 1024', () =>
  withPlace(async ({ directory, file, node }) => {
    const { uid, gid } = user!;
    mkdirSync(join(directory, 'state'), { mode: 0o711 });
    assert.is(homing(['init', '-f', file]).status, 0);
    assert.is(homing(['account', 'add', 'joe', '--password-stdin', '-f', file], 'secret\n').status, 0);
    assert.equal([...foreignIn(node.data, uid)], [], 'what root made by commands');
    await node.start();
    assert.match(node.program!.ready, new RegExp(`pop3 on 127.0.0.1:${node.ports.pop3} `));
    const { pid } = node.program!;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
      const field = (name: string) => new RegExp(`^${name}:\\s+(.*?)\\s*$`, 'm').exec(status)?.[1]?.split(/\s+/);
      assert.equal(field('Uid'), Array(4).fill(String(uid)), thread);
      assert.equal(field('Gid'), Array(4).fill(String(gid)), thread);
      assert.not.ok(field('Groups')?.includes('0'), thread);
      for (const capabilities of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb'])
        assert.match(field(capabilities)![0]!, /^0+$/, capabilities);
    }
    assert.is(await logIn(node.pop3, 'joe', 'secret'), 'ok');
    assert.is(await logIn({ ...node.pop3, startTls: { rejectUnauthorized: false } }, 'joe', 'secret'), 'ok');
    assert.match(await deliver(node.lmtp, 'joe@example.test', message('hello')), /^250/);
    assert.is((await retrieveAll(node.pop3, 'joe', 'secret')).length, 1);
    assert.match(homing(['status', '-f', file]).out, /n1 +serving/);
    assert.equal([...foreignIn(node.data, uid)], [], 'what the node made');
    assert.is(modeOf(join(node.data, 'ipc')), '700');
    assert.is(modeOf(join(node.data, 'ipc/control')), '600');
    assert.is(modeOf(join(node.data, 'run/pop3d.lock')), '600');
    for (const database of ['directory', 'mail/n1'])
      for (const name of readdirSync(join(node.data, database)))
        assert.is(modeOf(join(node.data, database, name)), '600', name);
    process.kill(pid, 'SIGHUP');
    await eventually('statistics', 30_000, () => existsSync(join(node.data, 'log/pop3d.stats')) || undefined);
    await logged(node, 'WARN', 'tls/key.pem', 'a change of it will not be read');
    assert.is(await node.program!.stop(), '0');
    assert.equal(readdirSync(join(node.data, 'ipc')), []);
    assert.equal([...foreignIn(node.data, uid)], []);
  }),
);

rootTest('a command that becomes owner for so long does so as the runtime user, and gives its lease back', () =>
  withPlace(async ({ directory, file, node }) => {
    mkdirSync(join(directory, 'state'), { mode: 0o711 });
    assert.is(homing(['init', '-f', file]).status, 0);
    const accounts = join(directory, 'accounts.jsonl');
    writeFileSync(accounts, '{"name": "joe", "password": "secret"}\n{"name": "ann"}\n', { mode: 0o600 });
    assert.equal(homing(['account', 'import', accounts, '-f', file]), {
      status: 0,
      out: '2 accounts imported\n',
      err: '',
    });
    for (const words of [
      ['mailbox', 'create', 'joe', 'lists', '--anyone', 'p'],
      ['mailbox', 'rights', 'joe', 'lists', 'ann', 'lr'],
      ['mailbox', 'delete', 'joe', 'no-such-mailbox'],
      ['account', 'delete', 'ann'],
    ]) {
      const { status, err } = homing([...words, '-f', file]);
      assert.equal([status, err === ''], words.includes('no-such-mailbox') ? [1, false] : [0, true], err);
      assert.equal([...foreignIn(node.data, user!.uid)], [], words.join(' '));
    }
    await node.start();
    const answer = await deliver(node.lmtp, 'joe+lists@example.test', message('hello'));
    assert.match(answer, /^250/);
    assert.match(homing(['mailbox', 'list', 'joe', '-f', file]).out, /lists +1 /);
  }),
);

rootTest("data that is root's is refused by name, before anything is opened", () =>
  withPlace(async ({ directory, file, node }) => {
    mkdirSync(join(directory, 'state'), { mode: 0o711 });
    assert.is(homing(['init', '-f', file]).status, 0);
    chownSync(join(node.data, 'mail/n1/data.mdb'), 0, 0);
    const refused = homing(['serve', '-f', file]);
    assert.is(refused.status, 1);
    assert.match(refused.err, `${file}: data: ${join(node.data, 'mail/n1/data.mdb')} belongs to the user with id 0`);
    assert.match(refused.err, `chown -R nobody: ${node.data}`);
    assert.equal(readdirSync(join(node.data, 'run')), []);
  }),
);

rootTest('an unknown runtime user is refused; none at all is a warning', async () => {
  await withPlace(async ({ file }) => {
    assert.match(homing(['init', '-f', file]).err, 'runtime-user: there is no user "no-such-user" on this machine');
  }, 'runtime-user = "no-such-user"\n');
  await withPlace(async ({ file, node }) => {
    assert.is(homing(['init', '-f', file]).status, 0);
    await node.start();
    await logged(node, 'WARN', 'the node runs as root');
  }, '');
});

test.run();
