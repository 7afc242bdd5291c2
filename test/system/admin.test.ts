/**
 * Operators as they are meant to be: a machine of their own, the NATS user of docs/nats.md that may use the admin subjects
 * alone, a key. Three nodes on three nats-servers with TLS. And the same orders over a control socket, with one node alone.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { suite, test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pop3Client } from '../../bench/clients/pop3.ts';
import { configuration } from '../../bench/fleet/configuration.ts';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import { NodeProcess } from '../../bench/fleet/node-process.ts';
import { PortPicker } from '../../bench/fleet/port-picker.ts';
import { openWay, type Way } from '../../bin/admin/way.ts';
import { readConfig } from '../../bin/commands/options.ts';
import { main } from '../../bin/homing.ts';
import { answerKeys, readOperatorKey } from '../../cluster/admin/keys.ts';
import { type AdminMessage, audienceOf, signMessage } from '../../cluster/admin/message.ts';
import { deriveKeys, readClusterKey } from '../../cluster/cluster-key.ts';
import { documentedNats, hasOpenssl } from '../support/nats-configuration.ts';
import {
  deliver,
  eventually,
  hasNats,
  isBehindProxy,
  isUnderTls,
  logged,
  logIn,
  message,
  openSession,
  threeNodes,
  withFleet,
} from '../support/system.ts';

const HOMING = resolve(import.meta.dirname, '../../bin/homing.js');
const ANN = 'ann@example.test';
const BOB = 'bob@example.test';
const PASSWORDS = { node: 'of node', init: 'of init', operator: 'of operator' };

type Ended = { readonly status: number; readonly out: string; readonly err: string };
type Homing = (...words: readonly string[]) => Promise<Ended>;

/** A command as a process of its own: a program takes seconds to start on a busy machine, and the gate has few of them. */
const processIn =
  (cwd: string): Homing =>
  (...words) =>
    new Promise((done) => {
      execFile(process.execPath, [HOMING, ...words], { cwd }, (error, out, err) =>
        done({ status: error === null ? 0 : Number(error.code), out, err }),
      );
    });

/** The same commands, one at a time, run in this process by the program's own `main`. */
const inProcess =
  (cwd: string): Homing =>
  async (...words) => {
    const before = { cwd: process.cwd(), exitCode: process.exitCode, umask: process.umask() };
    const { log } = console;
    const { write } = process.stderr;
    let [out, err] = ['', ''];
    console.log = (...said: unknown[]) => {
      out += `${said.join(' ')}\n`;
    };
    process.stderr.write = (said: string | Uint8Array) => {
      err += String(said);
      return true;
    };
    process.chdir(cwd);
    process.exitCode = 0;
    try {
      await main([process.execPath, HOMING, ...words]);
      return { status: Number(process.exitCode), out, err };
    } finally {
      Object.assign(console, { log });
      process.stderr.write = write;
      process.exitCode = before.exitCode;
      process.umask(before.umask);
      process.chdir(before.cwd);
    }
  };

/** In the gate most commands run in this process; by `--full` all are processes. */
const homingIn = process.env['HOMING_TEST_FULL'] ? processIn : inProcess;

const mustEnd = ({ status, err }: Ended, wanted: number) => assert.is(status, wanted, err);
const answersIn = ({ out }: Ended): Record<string, unknown>[] => JSON.parse(out).answers;
const valuesIn = (ended: Ended) => answersIn(ended).map(({ node, value }) => ({ node, ...(value as object) }));
const auditLines = ({ lines }: NodeProcess) => lines.filter((line) => /audit=true/.test(line));

/** The operator's own directory: a configuration without a node, a private key, the key of the cluster's answers. */
async function operatorOf(fleet: Fleet, directory: string): Promise<{ homing: Homing; key: string }> {
  const own = join(directory, 'operator');
  mkdirSync(own);
  const onNode = homingIn(directory);
  const made = await onNode('admin', 'keygen', 'boss', '--out', 'operator/boss.key', '--allow', '-f', 'n1.toml');
  mustEnd(made, 0);
  assert.not.match(made.out, /"d"/);
  assert.is(statSync(join(own, 'boss.key')).mode & 0o777, 0o600);
  writeFileSync(join(own, 'answers'), (await onNode('admin', 'answer-key', '-f', 'n1.toml')).out);
  const servers = JSON.stringify(fleet.nats.map(({ port }) => `127.0.0.1:${port}`));
  writeFileSync(
    join(own, 'homing.toml'),
    `me = "operator"\ndata = "none"\ndefault-domain = "example.test"\n
[nats]\nservers = ${servers}\ncluster = "demo"
user = "operator"\npassword-file = "../operator.password"\ntls-ca-file = "../ca.crt"\n
[admin]\nkey-file = "boss.key"\nanswers-key-file = "answers"\n`,
  );
  return { homing: homingIn(own), key: join(own, 'boss.key') };
}

/** An order without the half second that a command takes to start: the values that nodes answered, or their errors. */
type Order = (verb: string, given?: object, to?: string) => Promise<readonly unknown[]>;

async function orderOf(
  file: string,
): Promise<{ readonly order: Order; readonly ask: Way['ask']; close(): Promise<void> }> {
  const way = await openWay(readConfig(file), { file });
  return {
    ask: way.ask,
    close: () => way.close(),
    async order(verb, given = {}, to = undefined) {
      const { answers, refused, silent } = await way.ask({ verb, arguments: { ...given } }, to, 15_000);
      assert.equal([refused, silent], [[], []]);
      return answers.map(({ node, outcome }) => (outcome.ok ? { node, ...(outcome.value as object) } : outcome.errors));
    },
  };
}

type Stage = {
  readonly homing: Homing;
  readonly order: Order;
  readonly ask: Way['ask'];
  readonly fleet: Fleet;
  readonly directory: string;
  readonly key: string;
};

/** One cluster for all of these, which go from one to the next: it takes longer to start than they do. */
const cluster = suite<{ stage: Stage; leave?(): void; ended: Promise<void> }>('operators of a cluster');

cluster.before(async (context) => {
  const nats = documentedNats(PASSWORDS);
  const options = threeNodes({
    nats: 3,
    natsConfiguration: nats.configuration,
    natsAccess: { node: nats.access('node'), init: nats.access('init') },
    logLevel: 'info',
    tables: '[admin]\nkeys-file = "admin-keys.json"\n',
  });
  await new Promise<void>((isSet, failed) => {
    context.ended = withFleet(options, async (fleet, directory) => {
      const operator = await operatorOf(fleet, directory);
      const { order, ask, close } = await orderOf(join(directory, 'operator', 'homing.toml'));
      context.stage = { fleet, directory, order, ask, ...operator };
      isSet();
      await new Promise<void>((leave) => (context.leave = leave));
      await close();
    });
    context.ended.catch(failed);
  });
});
cluster.after(async ({ leave, ended }) => {
  leave?.();
  await ended;
});

cluster(
  'an operator with a key and no more permissions than documented does all that he may',
  async ({ stage: { homing, order, fleet, directory } }) => {
    const [n1, n2, n3] = fleet.nodes as [NodeProcess, NodeProcess, NodeProcess];
    await n1.ask('account.add', { name: ANN, secret: 'secret', mailHost: 'n2' });
    const pinged = await processIn(join(directory, 'operator'))('admin', 'ping', '--json');
    mustEnd(pinged, 0);
    assert.equal(
      valuesIn(pinged).map(({ node, state, sessions }: Record<string, unknown>) => [node, state, sessions]),
      [
        ['n1', 'serving', 0],
        ['n2', 'serving', 0],
        ['n3', 'serving', 0],
      ],
    );
    assert.match(await deliver(n3.lmtp, ANN, message('kept')), /^250/);

    // sessions: from the operator's machine, and from any node's control socket
    const session = await openSession(n1.pop3, ANN, 'secret');
    await session.stat();
    const listed = await homing('admin', 'sessions', '--json');
    mustEnd(listed, 0);
    const fromN3 = await homingIn(directory)('admin', 'sessions', '--json', '-f', 'n3.toml');
    for (const ended of [listed, fromN3]) {
      const rows = answersIn(ended).flatMap(({ node, value }) => (value as object[]).map((row) => ({ node, ...row })));
      assert.is(rows.length, 1);
      const { node, protocol, state, account, address, tls } = rows[0] as unknown as Record<string, unknown>;
      const seen = { node, protocol, state, account, address, tls };
      assert.equal(seen, {
        ...{
          node: 'n1',
          protocol: 'pop3',
          state: 'transaction.ready',
          account: ANN,
          address: '127.0.0.1',
          tls: isUnderTls(),
        },
      });
    }
    assert.match(
      (await homing('admin', 'sessions')).out,
      /^n1 +\S+ +127\.0\.0\.1:\d+ +pop3 +transaction\.ready +ann@/m,
    );

    // kick: between two commands, without UPDATE
    await session.ask('DELE 1');
    assert.equal(await order('kick', { account: 'ann' }), [
      { node: 'n1', account: ANN, kicked: 1 },
      { node: 'n2', account: ANN, kicked: 0 },
      { node: 'n3', account: ANN, kicked: 0 },
    ]);
    assert.match(String(await session.ask('NOOP').catch((error: Error) => error.message)), /SYS\/PERM|closed|ended/);
    session.close();
    const again = await openSession(n2.pop3, ANN, 'secret');
    assert.is((await again.stat()).messages, 1);

    // disable: everywhere at once, sessions too
    mustEnd(await homing('admin', 'disable', 'ann'), 0);
    assert.match(String(await again.ask('NOOP').catch((error: Error) => error.message)), /SYS\/PERM|closed|ended/);
    again.close();
    for (const { pop3 } of fleet.nodes) assert.match(await logIn(pop3, ANN, 'secret'), /^-ERR \[AUTH\]/);
    assert.equal((await order('enable', { account: 'ann' })).length, 3);
    for (const { pop3 } of fleet.nodes) assert.is(await logIn(pop3, ANN, 'secret'), 'ok');
    const no = ['there is no account nobody@example.test'];
    assert.equal(await order('disable', { account: 'nobody' }), [no, no, no]);

    // nologin, on one node
    mustEnd(await homing('admin', 'nologin', 'on', 'back', 'at', 'noon', '--node', 'n2'), 0);
    const told = await logIn(n2.pop3, ANN, 'secret').catch((error: Error) => error.message);
    assert.match(told, /back at noon/);
    assert.is(await logIn(n1.pop3, ANN, 'secret'), 'ok');
    await order('nologin');
    assert.is(await logIn(n2.pop3, ANN, 'secret'), 'ok');

    // a node that is silent is named
    const nobody = await homing('admin', 'ping', '--node', 'n9', '--timeout', '300ms');
    mustEnd(nobody, 1);
    assert.is(nobody.err, 'homing: n9: did not answer\n');

    assert.equal(
      fleet.nodes.flatMap(({ lines }) => lines.filter((line) => /permission/i.test(line))),
      [],
    );
  },
);

cluster(
  'drain empties a node without breaking a session, and undrain brings it back',
  async ({ stage: { homing, order, fleet, directory } }) => {
    const [n1, n2] = fleet.nodes as [NodeProcess, NodeProcess];
    await n1.ask('account.add', { name: BOB, secret: 'secret', mailHost: 'n1' });
    await deliver(n2.lmtp, BOB, message('kept'));
    const all = await homing('admin', 'drain');
    mustEnd(all, 1);
    assert.match(all.err, /name the node by --node/);
    const session = await openSession(n1.pop3, BOB, 'secret');
    const drained = await homing('admin', 'drain', '--node', 'n1', '--wait', '300ms', '--json');
    mustEnd(drained, 1);
    assert.match(drained.err, /1 sessions have not ended yet/);
    const met = await Pop3Client.connect(n1.pop3).catch((error: Error) => error);
    // A balancer takes the connection, and ends it unsaid when the node refuses.
    if (isBehindProxy()) assert.instance(met, Error);
    else assert.match(String(met), /ECONNREFUSED/);
    assert.is((await session.stat()).messages, 1, 'the session goes on');
    const status = JSON.parse((await homingIn(directory)('status', '--json', '-f', 'n2.toml')).out);
    assert.equal(
      status.nodes.map(({ node, state }: Record<string, string>) => [node, state]),
      [
        ['n1', 'draining'],
        ['n2', 'serving'],
        ['n3', 'serving'],
      ],
    );
    // its mailHost stays with it: its store is the only one
    assert.match(await deliver(n2.lmtp, BOB, message('more')), /^250/);
    const waiting = homing('admin', 'drain', '--node', 'n1', '--wait', '20s');
    await session.quit();
    mustEnd(await waiting, 0);
    await order('undrain');
    assert.is(await logIn(n1.pop3, BOB, 'secret'), 'ok');
  },
);

cluster(
  'reload applies what can change, names what can not, and a bad file changes nothing',
  async ({ stage: { homing, fleet, directory } }) => {
    const [n1] = fleet.nodes as [NodeProcess];
    const onNode = homingIn(directory);
    const before = readFileSync(n1.file, 'utf8');
    const picked = await new PortPicker().next();
    const listener = `[[listener]]\nprotocol = "pop3"\naddress = "127.0.0.1"\nport = ${picked}\n`;
    const changed = before.replace('[log]\nlevel = "info"', `${listener}\n[log]\nlevel = "debug"`);
    writeFileSync(n1.file, `failover-patience = "7s"\n${changed}\n[pop3]\nidle-timeout = "11m"\n`);
    const reloaded = await homing('admin', 'reload', '--node', 'n1', '--json');
    mustEnd(reloaded, 0);
    assert.equal(valuesIn(reloaded), [
      { node: 'n1', applied: ['listener', 'log.level', 'pop3.idle-timeout'], needRestart: ['failover-patience'] },
    ]);
    const client = await Pop3Client.connect({ host: '127.0.0.1', port: picked });
    client.close();
    await eventually('a line at debug', 5000, () => (n1.lines.some((line) => / DEBUG /.test(line)) ? true : undefined));
    writeFileSync(n1.file, `${changed}\n[pop3]\nidle-timeout = "long"\nlogin-delay = "1m"\n`);
    const bad = await homing('admin', 'reload', '--node', 'n1');
    mustEnd(bad, 1);
    assert.match(bad.err, /^homing: n1: .*n1\.toml: pop3\.idle-timeout: "long" is not allowed/m);
    writeFileSync(n1.file, before);
    // as the unit of systemd does it: this machine's node, and no other
    const here = await onNode('admin', 'reload', '--here', '--json', '-f', 'n1.toml');
    assert.equal(valuesIn(here), [
      { node: 'n1', applied: ['listener', 'log.level', 'pop3.idle-timeout'], needRestart: [] },
    ]);
    for (const words of [
      ['--node', 'n2'],
      ['--key', 'operator/boss.key'],
    ])
      mustEnd(await onNode('admin', 'reload', '--here', ...words, '-f', 'n1.toml'), 1);
    const gone = await Pop3Client.connect({ host: '127.0.0.1', port: picked }).catch((error: Error) => error);
    assert.match(String(gone), /ECONNREFUSED/);
  },
);

cluster(
  'unsigned, expired, replayed, unknown, for others: refused, audited, and nothing is changed',
  async ({ stage: { homing, order, ask, fleet, directory, key: keyFile } }) => {
    const [n1] = fleet.nodes as [NodeProcess];
    const signing = await readOperatorKey(keyFile);
    assert.ok(signing.ok);
    const answers = await answerKeys(deriveKeys(await readClusterKey(join(directory, 'cluster.key'))).adminAnswers);
    const drain = (changed: Partial<AdminMessage> = {}): AdminMessage => ({
      verb: 'drain',
      arguments: {},
      id: `message-${Math.random().toString(36).slice(2)}-${Date.now()}`,
      audience: audienceOf('demo', answers.publicJwk.kid),
      to: 'n1',
      answerTo: { kty: 'OKP', crv: 'X25519', x: 'JWK7uVGpUXu5Fkj4T9vJMQxOSVcGRJoWV0sI9kZvQ3A' },
      issuedAtMs: Date.now(),
      expiresAtMs: Date.now() + 55_000,
      ...changed,
    });
    const connection = await asOperator(fleet, directory);
    try {
      await homingIn(directory)('admin', 'keygen', 'stranger');
      const stranger = await readOperatorKey(join(directory, 'stranger.key'));
      assert.ok(stranger.ok);
      const good = await signMessage(signing.value, drain());
      const unsigned = Buffer.from('{"alg":"none","kid":"boss","typ":"homing-admin+jwt"}').toString('base64url');
      const hour = 3_600_000;
      for (const [reason, octets] of [
        ['algorithm', Buffer.from(`${unsigned}.${Buffer.from(good).toString().split('.')[1]}.`)],
        ['malformed', Buffer.from('{"verb":"drain"}')],
        ['unknown-key', await signMessage(stranger.value, drain())],
        ['signature', await signMessage({ ...stranger.value, kid: 'boss' }, drain())],
        [
          'expired',
          await signMessage(
            signing.value,
            drain({ issuedAtMs: Date.now() - hour, expiresAtMs: Date.now() - hour + 1000 }),
          ),
        ],
        ['other-node', await signMessage(signing.value, drain({ to: 'n2' }))],
        ['other-cluster', await signMessage(signing.value, drain({ audience: audienceOf('demo', 'another') }))],
      ] as const)
        await refusedBy(n1, connection, octets, reason);
      assert.is(await logInAnswer(n1), 'no such account, but greeted');

      // a good one, once; and the same again: at once, and after the node was killed and started again
      connection.publish('homing.demo.admin.n1', good);
      await eventually('it is done', 5000, () => auditLines(n1).find((line) => /outcome=done.*verb=drain/.test(line)));
      await order('undrain');
      await refusedBy(n1, connection, good, 'replayed');
      await n1.program!.kill();
      const { answers: there, silent } = await ask({ verb: 'ping', arguments: {} }, undefined, 2000);
      assert.equal([there.map(({ node }) => node), silent], [['n2', 'n3'], ['n1']]);
      await n1.start();
      await isHeardBy(n1, connection);
      await refusedBy(n1, connection, good, 'replayed');
      assert.is(await logInAnswer(n1), 'no such account, but greeted');
      const [n2] = fleet.nodes.slice(1) as [NodeProcess];
      assert.not.ok(
        auditLines(n2).some((line) => /verb=drain/.test(line)),
        'what is for n1 is not heard elsewhere',
      );
    } finally {
      await connection.close();
    }
    // a node that can't remember what it has acted on serves mail, and obeys no signed message
    const n3 = fleet.nodes[2]!;
    await n3.program!.stop();
    rmSync(join(n3.data, 'admin-seen'));
    mkdirSync(join(n3.data, 'admin-seen'));
    await n3.start();
    await logged(n3, 'ERROR', 'no signed admin message is taken until the next start');
    assert.is(await logInAnswer(n3), 'no such account, but greeted');
    assert.equal((await ask({ verb: 'ping', arguments: {} }, 'n3', 300)).silent, ['n3']);
    // a key that is taken away has no effect from then on
    writeFileSync(join(directory, 'admin-keys.json'), '{"keys": []}');
    const refused = await homing('admin', 'ping', '--node', 'n1');
    mustEnd(refused, 1);
    assert.match(refused.err, /^homing: n1: refused; the log of the node says why$/m);
  },
);

async function refusedBy(node: NodeProcess, connection: NatsConnection, octets: Uint8Array, reason: string) {
  const before = auditLines(node).length;
  connection.publish('homing.demo.admin.n1', octets);
  const isNoise = (line: string) => reason !== 'malformed' && line.includes('reason=malformed'); // of isHeardBy
  const next = () =>
    auditLines(node)
      .slice(before)
      .find((line) => !isNoise(line));
  const line = await eventually(`the audit line of ${reason}`, 5000, next).catch((error: Error) =>
    Promise.reject(new Error(`${error.message}; it said last:\n${node.lines.slice(-8).join('\n')}`)),
  );
  assert.match(line, new RegExp(`outcome=refused.*reason=${reason}`));
}

/** That a node listens reaches the other nats-servers a little after it is ready: what is published there before is lost. */
async function isHeardBy(node: NodeProcess, connection: NatsConnection): Promise<void> {
  const before = auditLines(node).length;
  const hasHeard = () => auditLines(node).length > before || undefined;
  await eventually('the node to hear this connection', 15_000, () => {
    connection.publish('homing.demo.admin.n1', Buffer.from('noise'));
    return eventually('its audit line', 300, hasHeard);
  });
}

const logInAnswer = async (node: NodeProcess): Promise<string> =>
  (await logIn(node.pop3, 'nobody', 'x').catch(String)).startsWith('-ERR [AUTH]')
    ? 'no such account, but greeted'
    : 'not greeted';

function asOperator(fleet: Fleet, directory: string): Promise<NatsConnection> {
  const ca = readFileSync(join(directory, 'ca.crt'), 'utf8');
  const tls = { ca, checkServerIdentity: () => undefined }; // nats.js asks for "localhost", whatever the address
  const servers = [`127.0.0.1:${fleet.nats[0]!.port}`];
  return connect({ servers, user: 'operator', pass: PASSWORDS.operator, tls, reconnect: false, noAsyncTraces: true });
}

test('one node alone: the same orders over the control socket, audited, without a key', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
  const picker = new PortPicker();
  const ports = { pop3: await picker.next(), lmtp: await picker.next(), poppwd: await picker.next() };
  const file = join(directory, 'homing.toml');
  writeFileSync(file, configuration({ me: 'n1', data: 'data', ports, logLevel: 'info' }));
  const node = new NodeProcess({ me: 'n1', file, data: join(directory, 'data'), ports });
  const homing = homingIn(directory);
  try {
    mustEnd(await homing('init'), 0);
    const stopped = await homing('admin', 'ping');
    mustEnd(stopped, 1);
    assert.match(stopped.err, /no server runs here/);
    await node.start();
    await node.ask('account.add', { name: ANN, secret: 'secret' });
    const session = await openSession(node.pop3, ANN, 'secret');
    assert.match((await homing('admin', 'sessions')).out, /^n1 .* pop3 +transaction\.ready +ann@example\.test/m);
    assert.equal(valuesIn(await homing('admin', 'disable', 'ann', '--json')), [
      { node: 'n1', account: ANN, status: 'disabled', kicked: 1 },
    ]);
    session.close();
    mustEnd(await homing('admin', 'drain', '--wait', '10s'), 0);
    assert.match((await homing('status')).out, /^n1 +draining/m);
    const order = (verb: string, given = {}) => node.ask('admin', { verb, arguments: given, timeoutMs: 5000 });
    await order('undrain');
    await order('enable', { account: 'ann' });
    assert.is(await logIn(node.pop3, ANN, 'secret'), 'ok');
    mustEnd(await homing('admin', 'nologin', 'on', 'closed for today'), 0);
    assert.is(readFileSync(join(node.data, 'etc', 'nologin'), 'utf8'), 'closed for today\n');
    await order('nologin');
    assert.not.ok(existsSync(join(node.data, 'etc', 'nologin')));
    for (const [words, complaint] of [
      [['kick', 'a b'], /n1: account: /],
      [['ping', '--key', 'nosuch'], /nats: is missing/],
      [['keygen', 'x', '--allow'], /admin\.keys-file: is missing/],
    ] as const) {
      const refused = await homing('admin', ...words);
      mustEnd(refused, 1);
      assert.match(refused.err, complaint);
    }
    assert.not.ok(existsSync(join(directory, 'x.key')));
    await logged(node, 'audit=true', 'by="the control socket of n1"', 'outcome=done ', 'verb=disable ', '"ann"');
  } finally {
    await node.program?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});

if (hasNats() && hasOpenssl()) cluster.run();
else test.skip('operators of a cluster: needs nats-server and openssl', () => {});
test.run();
