/**
 * HAProxy in front of three nodes, telling them the client's address by PROXY v2: POP3 by STLS and LMTP through it, the log and
 * the sessions show the client and not the balancer, and when a node is killed new sessions go to the others.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Gathered } from '../../admin/ask-nodes.ts';
import { type Endpoint, Wire } from '../../bench/clients/wire.ts';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import type { NodeProcess } from '../../bench/fleet/node-process.ts';
import { PortPicker } from '../../bench/fleet/port-picker.ts';
import { trusting } from '../../bench/fleet/tls.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { hasProgram } from '../support/programs.ts';
import {
  deliver,
  endsWith,
  eventually,
  hasNats,
  logIn,
  message,
  openSession,
  retrieveAll,
  threeNodes,
  withFleet,
} from '../support/system.ts';

const haproxy = hasNats() && hasProgram('haproxy') ? test : test.skip;
const ANN = 'ann@example.test';
const SECRET = 'of ann';
/** The client's, unlike the balancer's own. */
const CLIENT = '127.0.0.2';
const NAMES = ['n1', 'n2', 'n3'] as const;
const ROUNDS = 6;

type Ports = Readonly<Record<'pop3' | 'lmtp', number>>;

/** Two more listeners of a node, for nobody but the balancer. */
const behindBalancer = (ports: Ports): string =>
  [
    ...(['pop3', 'lmtp'] as const).map((protocol) =>
      [
        '[[listener]]',
        `protocol = "${protocol}"`,
        `address = "127.0.0.1"\nport = ${ports[protocol]}\ntls = "starttls"`,
        'proxy-protocol = "required"\nproxy-trusted = ["127.0.0.1"]\n',
      ].join('\n'),
    ),
    '[connection-log]\ndestination = "connections.log"\n',
  ].join('\n');

haproxy(
  'three nodes behind HAProxy: the client is known by its address, and a killed node by its absence',
  async () => {
    const picker = new PortPicker();
    const ports: Record<string, Ports> = {};
    for (const name of NAMES) ports[name] = { pop3: await picker.next(), lmtp: await picker.next() };
    await withFleet(
      threeNodes({ tls: 'offered', tables: (me) => behindBalancer(ports[me]!) }),
      async (fleet, directory) => {
        await fleet.node('n1').ask('account.add', { name: ANN, secret: SECRET, mailHost: 'n1' });
        const balancer = await startHaproxy({
          pop3: NAMES.map((name) => ports[name]!.pop3),
          lmtp: NAMES.map((name) => ports[name]!.lmtp),
        });
        const startTls = trusting(fleet.tls!);
        const at = (port: number): Endpoint => ({ host: '127.0.0.1', port, localAddress: CLIENT, startTls });
        const pop3 = at(balancer.ports['pop3']!);
        const lmtp = at(balancer.ports['lmtp']!);
        try {
          await carriesMail(pop3, lmtp);
          await showsTheClient(fleet, pop3, join(directory, 'connections.log'));
          await outlivesNode(fleet, pop3, lmtp);
          await refusesOthers(fleet, ports);
        } finally {
          await balancer.stop();
        }
      },
    );
  },
);

async function carriesMail(pop3: Endpoint, lmtp: Endpoint): Promise<void> {
  const sent = Array.from({ length: ROUNDS }, (_, at) => message(`through the balancer ${at}`, 50_000));
  for (const each of sent) assert.match(await deliver(lmtp, ANN, each), /^250/);
  const got = await retrieveAll(pop3, ANN, SECRET);
  assert.is(got.length, ROUNDS);
  for (const [at, each] of sent.entries()) {
    assert.ok(endsWith(got[at]!, each));
    assert.match(
      got[at]!.toString('latin1'),
      /^Received: from \S+ \(\[127\.0\.0\.2\]\)/m,
      'the trace names the client',
    );
  }
}

/** The nodes, in turn, name the client in their list of sessions and in their log. */
async function showsTheClient(fleet: Fleet, pop3: Endpoint, log: string): Promise<void> {
  const seen = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const session = await openSession(pop3, ANN, SECRET);
    const rows = (await sessionsAskedOf(fleet.node('n1'))).filter(({ account }) => account === ANN);
    assert.is(rows.length, 1);
    assert.is(rows[0]!.address, CLIENT);
    assert.is(rows[0]!.tls, true);
    seen.add(rows[0]!.node);
    await session.quit();
  }
  assert.equal([...seen].sort(), [...NAMES], 'each node had one of the sessions');
  const opened = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => / \+ O /.test(line) && line.includes(ANN)); // the balancer's own, to see whether we live, log in nobody
  assert.ok(opened.length >= ROUNDS);
  for (const line of opened) assert.match(line, /\|127\.0\.0\.2\|\d+ POP3 /);
}

type SessionRow = { readonly node: string; readonly account?: string; readonly address: string; readonly tls: boolean };

/** All sessions of the cluster, as one node tells them. */
async function sessionsAskedOf(node: NodeProcess): Promise<readonly SessionRow[]> {
  const order = { verb: 'sessions', arguments: {}, timeoutMs: 5000 };
  const { answers } = (await node.ask('admin', order)) as Gathered;
  assert.is(answers.length, NAMES.length);
  return answers.flatMap(({ node, outcome }) => {
    if (!outcome.ok) throw new Error(outcome.errors.join('; '));
    return (outcome.value as readonly Omit<SessionRow, 'node'>[]).map((row) => ({ node, ...row }));
  });
}

async function outlivesNode(fleet: Fleet, pop3: Endpoint, lmtp: Endpoint): Promise<void> {
  await fleet.node('n3').program!.kill();
  for (let round = 0; round < ROUNDS; round++) {
    assert.match(await deliver(lmtp, ANN, message(`after the kill ${round}`)), /^250/);
    assert.is(
      await eventually('a log-in', 15_000, async () => {
        const said = await logIn(pop3, ANN, SECRET);
        return said === 'ok' ? said : undefined; // the maildrop's lock may still be the killed node's
      }),
      'ok',
    );
  }
  assert.is((await retrieveAll(pop3, ANN, SECRET)).length, 2 * ROUNDS);
}

/** Closed without a word: who is no balancer, whatever he says, and a balancer that brings no header. */
async function refusesOthers(fleet: Fleet, ports: Readonly<Record<string, Ports>>): Promise<void> {
  const { pop3: port } = ports['n1']!;
  for (const [localAddress, said] of [
    ['127.0.0.3', 'PROXY TCP4 127.0.0.2 127.0.0.1 40000 110\r\nCAPA\r\n'],
    ['127.0.0.1', 'CAPA\r\n'],
  ] as const) {
    const wire = await Wire.open({ host: '127.0.0.1', port, localAddress });
    await wire.send(said).catch(() => {}); // it may have closed by then
    assert.is((await wire.some(1000).catch(() => Buffer.alloc(0))).toString(), '', localAddress);
    wire.close();
  }
  assert.is(await logIn(fleet.node('n1').pop3, ANN, SECRET), 'ok', 'the other listener knows no balancer');
}

test.run();
