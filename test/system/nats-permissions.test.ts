/**
 * A cluster on the nats-servers of docs/nats.md, with TLS and with no more permissions than that document grants: all works,
 * nothing is refused to a node, and everything else is refused to whoever has a user's password.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PoppwdClient } from '../../bench/clients/poppwd.ts';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import type { NatsPlace } from '../../bench/fleet/nats-process.ts';
import { documentedNats, documentedPermissions, hasOpenssl } from '../support/nats-configuration.ts';
import {
  deliver,
  eventually,
  hasNats,
  logIn,
  message,
  openSession,
  retrieveAll,
  subjectOf,
  threeNodes,
  withFleet,
} from '../support/system.ts';

const cluster = hasNats() && hasOpenssl() ? test : test.skip;
const ANN = 'ann@example.test';
const BOB = 'bob@example.test';
const BUCKET = 'homing_ZGVtbw_directory';
const OTHERS_BUCKET = 'homing_b3RoZXI_directory';
/** Of "of operator": passwords.conf may have hashes. */
const HASH = '$2y$05$abcdefghijklmnopqrstuuAbaEK7LoUEajeXB5IFfzcLqu3EFSxJy';
const PASSWORDS = { node: 'of node', init: 'of init', operator: 'of operator' };

const permissionLines = (fleet: Fleet): string[] =>
  fleet.nodes.flatMap(({ lines }) => lines.filter((line) => /permission/i.test(line)));

async function connectAs(fleet: Fleet, directory: string, user: keyof typeof PASSWORDS): Promise<NatsConnection> {
  const ca = readFileSync(join(directory, 'ca.crt'), 'utf8');
  const tls = { ca, checkServerIdentity: () => undefined }; // nats.js asks for "localhost", whatever the address
  return connect({
    servers: [`127.0.0.1:${fleet.nats[0]!.port}`],
    user,
    pass: PASSWORDS[user],
    tls,
    reconnect: false,
    noAsyncTraces: true,
  });
}

/** Everything that the server refuses of these, told by the server itself before it answers the flush. */
async function refusedTo(
  connection: NatsConnection,
  { publish, subscribe }: { readonly publish: readonly string[]; readonly subscribe: readonly string[] },
): Promise<string[]> {
  const refused: string[] = [];
  const statuses = connection.status();
  const followed = (async () => {
    for await (const status of statuses)
      if (status.type === 'error' && status.error instanceof errors.PermissionViolationError)
        refused.push(`${status.error.operation} ${status.error.subject}`);
  })();
  for (const subject of publish) connection.publish(subject, 'x');
  for (const subject of subscribe) connection.subscribe(subject, { callback: () => {} });
  await connection.flush();
  await connection.close();
  await followed;
  return refused;
}

const all = ({
  publish,
  subscribe,
}: {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}) => [...publish.map((subject) => `publish ${subject}`), ...subscribe.map((subject) => `subscription ${subject}`)];

/** What belongs to another cluster, and what belongs to nobody: the account, the streams, the servers. */
const foreign = {
  publish: [
    'homing.other.auth.log-in',
    'homing.other.node.n1.applied',
    '_INBOX_homing_other.x.1',
    `$KV.${OTHERS_BUCKET}.account.x`,
    `$JS.API.STREAM.INFO.KV_${OTHERS_BUCKET}`,
    `$JS.API.STREAM.MSG.GET.KV_${OTHERS_BUCKET}`,
    `$JS.API.CONSUMER.CREATE.KV_${OTHERS_BUCKET}.watch`,
    `$JS.API.STREAM.UPDATE.KV_${BUCKET}`,
    `$JS.API.STREAM.DELETE.KV_${BUCKET}`,
    `$JS.API.STREAM.PURGE.KV_${BUCKET}`,
    `$JS.API.STREAM.MSG.DELETE.KV_${BUCKET}`,
    `$JS.API.STREAM.SNAPSHOT.KV_${BUCKET}`,
    `$JS.API.STREAM.CREATE.${OTHERS_BUCKET}`,
    '$JS.API.STREAM.NAMES',
    '$SYS.REQ.SERVER.PING',
  ],
  subscribe: [
    '>',
    'homing.>',
    'homing.*.auth.*',
    'homing.other.>',
    '_INBOX_homing_other.>',
    '$KV.>',
    '$JS.API.>',
    '$SYS.>',
  ],
};

/** What a node of this cluster does. */
const ofNodes = {
  publish: [
    'homing.demo.auth.log-in',
    'homing.demo.mail.n1.deliver',
    'homing.demo.node.n1.applied',
    '_INBOX_homing_demo.x.1',
    '_INBOX.x',
    `$KV.${BUCKET}.account.x`,
    '$JS.API.INFO',
    `$JS.API.STREAM.INFO.KV_${BUCKET}`,
    `$JS.API.STREAM.MSG.GET.KV_${BUCKET}`,
    `$JS.API.CONSUMER.CREATE.KV_${BUCKET}.watch`,
    `$JS.API.CONSUMER.DELETE.KV_${BUCKET}.watch`,
    `$JS.FC.KV_${BUCKET}.watch.x`,
  ],
  subscribe: [
    'homing.demo.>',
    'homing.demo.auth.*',
    'homing.demo.mail.n1.*',
    'homing.demo.changed.n1.*',
    '_INBOX_homing_demo.>',
    `$KV.${BUCKET}.>`,
  ],
};

cluster(
  'with the permissions and the TLS of docs/nats.md a cluster does all it does, and nobody else anything',
  async () => {
    const nats = documentedNats({ ...PASSWORDS, operator: HASH });
    const options = threeNodes({
      nats: 3,
      natsConfiguration: nats.configuration,
      natsAccess: { node: nats.access('node'), init: nats.access('init') },
      top: 'failover-patience = "1s"\n',
    });
    await withFleet(options, async (fleet, directory) => {
      const [n1, n2, n3] = fleet.nodes as [Fleet['nodes'][0], Fleet['nodes'][0], Fleet['nodes'][0]];
      await n1.ask('account.add', { name: ANN, secret: 'before', mailHost: 'n2' });
      await n1.ask('account.add', { name: BOB, secret: 'of bob', mailHost: 'n3' });
      const long = message('a long one', 600_000); // streamed, with credit
      assert.match(await deliver(n1.lmtp, ANN, long), /^250/);
      assert.is((await retrieveAll(n3.pop3, ANN, 'before')).map(subjectOf).join(), 'a long one');
      const poppwd = await PoppwdClient.connect(n2.poppwd);
      assert.match(await poppwd.changePassword(ANN, 'before', 'after'), /^200/);
      poppwd.close();
      for (const { pop3 } of fleet.nodes) {
        assert.match(await logIn(pop3, ANN, 'before'), /^-ERR \[AUTH\]/);
        assert.is(await logIn(pop3, ANN, 'after'), 'ok');
      }
      const session = await openSession(n1.pop3, ANN, 'after');
      await n3.program!.kill();
      assert.is(subjectOf(await session.retrieve(1)), 'a long one');
      await session.quit();
      assert.match(await deliver(n1.lmtp, BOB, message('to a dead node')), /^451/);
      await n3.start();
      await eventually('the killed node', 10_000, async () =>
        (await deliver(n1.lmtp, BOB, message('back'))).startsWith('250') ? true : undefined,
      );
      assert.equal(permissionLines(fleet), [], 'nothing was refused to a node');

      const node = await connectAs(fleet, directory, 'node');
      assert.equal(await refusedTo(node, foreign), all(foreign));
      const init = await connectAs(fleet, directory, 'init');
      assert.equal(await refusedTo(init, foreign), all(foreign));
      const operator = await connectAs(fleet, directory, 'operator');
      assert.equal(await refusedTo(operator, foreign), all(foreign));
      const another = await connectAs(fleet, directory, 'operator');
      assert.equal(await refusedTo(another, ofNodes), all(ofNodes));
      const admin = { publish: ['homing.demo.admin.drain'], subscribe: ['homing.demo.admin.>'] };
      assert.equal(await refusedTo(await connectAs(fleet, directory, 'operator'), admin), []);
      assert.is(await logIn(n1.pop3, ANN, 'after'), 'ok', 'and what was tried has changed nothing');
    });
  },
);

/** One server, at which `all` may do everything and `some` what the document grants a node, less some subjects. */
const serverThatLacks =
  (lacking: readonly string[]) =>
  ({ port, store }: NatsPlace): string => {
    for (const user of ['all', 'some']) writeFileSync(join(dirname(store), `${user}.password`), `of ${user}\n`);
    const { publish, subscribe } = documentedPermissions('node');
    const less = (subjects: readonly string[]) => JSON.stringify(subjects.filter((each) => !lacking.includes(each)));
    return `
      listen: "127.0.0.1:${port}"
      jetstream { store_dir: "${store}" }
      authorization { users = [
        { user: all, password: "of all" }
        { user: some, password: "of some", permissions { publish: ${less(publish)}, subscribe: ${less(subscribe)} } }
      ] }`;
  };

const as = (user: string) => `user = "${user}"\npassword-file = "${user}.password"\n`;

cluster('a node that lacks a permission names the subject in its log', async () => {
  const natsConfiguration = serverThatLacks(['homing.demo.>']);
  const natsAccess = { node: as('some'), init: as('all') };
  await withFleet({ nodes: ['n1'], nats: 1, natsConfiguration, natsAccess }, async (fleet) => {
    const { lines } = fleet.node('n1');
    const named = await eventually('the line', 5000, () => lines.find((line) => /lacks a permission/.test(line)));
    assert.match(named, /ERROR .*operation=subscription subject=homing\.demo\.node\.n1\./);
  });
});

cluster('a node may not make the bucket: init ends and names the subject', async () => {
  const natsConfiguration = serverThatLacks([]);
  const natsAccess = { node: as('some'), init: as('some') };
  const fleet = withFleet({ nodes: ['n1'], nats: 1, natsConfiguration, natsAccess }, async () => {});
  const message = await fleet.then(() => 'it was made', String);
  assert.match(message, /homing init .*: ended with 1:\n.*"\$JS\.API\.STREAM\.CREATE\.KV_homing_ZGVtbw_directory"/);
});

test.run();
