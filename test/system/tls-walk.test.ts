/**
 * The cluster with TLS on every listener and on NATS, in short: mail, the maildrop's lock, a changed password, a killed owner.
 * `npm run test:cluster:tls` runs all the tests of this folder so.
 */
import { connect as connectSocket } from 'node:net';
import { connect as connectNats } from '@nats-io/transport-node';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pop3Client } from '../../bench/clients/pop3.ts';
import { PoppwdClient } from '../../bench/clients/poppwd.ts';
import { type Endpoint, Wire } from '../../bench/clients/wire.ts';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import { connectToNats } from '../support/nats-connection.ts';
import {
  deliver,
  endsWith,
  hasNats,
  isBehindProxy,
  logIn,
  message,
  openSession,
  retrieveAll,
  threeNodes,
  withFleet,
} from '../support/system.ts';

const cluster = hasNats() ? test : test.skip;
const ANN = 'ann@example.test';
const inClear = (port: number): Endpoint => ({ host: '127.0.0.1', port });

cluster('under TLS everywhere: nothing in clear, mail across nodes, one session, a true password, a killed owner', () =>
  withFleet(threeNodes({ tls: 'only' }), async (fleet) => {
    await fleet.node('n1').ask('account.add', { name: ANN, secret: 'first', mailHost: 'n1' });
    await refusesClearText(fleet);
    await carriesMail(fleet);
    await locksOnce(fleet);
    await changesPassword(fleet);
    await waitsForOwner(fleet);
  }),
);

async function refusesClearText(fleet: Fleet): Promise<void> {
  for (const { ports } of fleet.nodes) {
    const pop3 = await Pop3Client.connect(inClear(ports.pop3));
    const refused = await pop3.logIn(ANN, 'first').catch((error: Error) => error.message);
    assert.match(String(refused), /^-ERR/);
    pop3.close();
    if (!isBehindProxy()) {
      const closed = await Wire.open(inClear(ports.poppwd)).catch((error: NodeJS.ErrnoException) => error.code);
      assert.is(closed, 'ECONNREFUSED', 'poppwd listens under TLS alone');
    } // a balancer takes the connection, and ends it
    assert.is(await saidTo(ports.poppwd, 'USER ann\r\n'), '', 'poppwd says nothing in clear');
    assert.match(await saidTo(ports.poppwds!, 'USER ann\r\n'), /^(\x15\x03|$)/, 'a TLS alert at most, and no reply');
  }
  const [nats] = fleet.nats;
  const said = await connectNats({ servers: `127.0.0.1:${nats!.port}`, reconnect: false }).then(
    () => 'it connected',
    (error: Error) => error.message,
  );
  assert.match(said, /certificate|closed|disconnected|TLS/i);
  await (await connectToNats(fleet, nats!)).close(); // with a certificate of the fleet's authority
}

/** All that comes back until the other side closes; nothing from a port where nobody listens, with a balancer before it or without. */
const saidTo = (port: number, text: string): Promise<string> =>
  new Promise((resolve) => {
    let heard = '';
    connectSocket({ host: '127.0.0.1', port })
      .on('error', () => {})
      .on('data', (bytes) => {
        heard += bytes.toString('latin1');
      })
      .on('close', () => resolve(heard))
      .end(text);
  });

async function carriesMail(fleet: Fleet): Promise<void> {
  const sent = [message('small'), message('of several chunks', 700_000)];
  for (const each of sent) assert.match(await deliver(fleet.node('n2').lmtp, ANN, each), /^250/);
  for (const place of [fleet.node('n3').pop3, fleet.node('n3').pop3s!]) {
    const got = await retrieveAll(place, ANN, 'first');
    assert.is(got.length, sent.length);
    for (const [at, each] of sent.entries()) assert.ok(endsWith(got[at]!, each));
  }
  const versioned = await Pop3Client.connect(fleet.node('n3').pop3s!);
  assert.is(versioned.wire.tls?.getProtocol(), 'TLSv1.3');
  versioned.close();
}

async function locksOnce(fleet: Fleet): Promise<void> {
  const first = await openSession(fleet.node('n2').pop3, ANN, 'first');
  for (const { pop3, pop3s } of fleet.nodes)
    for (const place of [pop3, pop3s!]) assert.match(await logIn(place, ANN, 'first'), /^-ERR \[IN-USE\]/);
  await first.quit();
}

async function changesPassword(fleet: Fleet): Promise<void> {
  const poppwd = await PoppwdClient.connect(fleet.node('n2').poppwd);
  assert.match(await poppwd.changePassword(ANN, 'first', 'second'), /^200/);
  poppwd.close();
  for (const { pop3 } of fleet.nodes) {
    assert.match(await logIn(pop3, ANN, 'first'), /^-ERR \[AUTH\]/);
    assert.is(await logIn(pop3, ANN, 'second'), 'ok');
  }
}

async function waitsForOwner(fleet: Fleet): Promise<void> {
  const session = await openSession(fleet.node('n3').pop3, ANN, 'second');
  const owner = fleet.node('n1');
  await owner.program!.kill();
  const retrieved = session.retrieve(2);
  await owner.start();
  assert.ok(endsWith(await retrieved, message('of several chunks', 700_000)));
  await session.quit();
}

test.run();
