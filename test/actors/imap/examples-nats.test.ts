/**
 * The examples that the RFCs of IMAP print, with the session on one node, the owners on another and the sessions beside it on a
 * third, over a real nats-server. Skipped, visibly, where none is installed.
 */
import { test } from 'uvu';
import type { ConnectionTls } from '../../../actors/connection-tls.ts';
import { frontOf } from '../../model/imap-house.ts';
import { CertificateDirectory, openCertificates, pem, rulesFor } from '../../support/certificates.ts';
import { nameOf } from '../../support/imap-examples.ts';
import { exampleFiles } from '../../support/imap-examples-reader.ts';
import { natsServer } from '../../support/nats-server.ts';
import { houseOf, playScene } from './examples.ts';
import { type NatsNode, natsNode } from './nats-node.ts';

const { server: nats, missing } = await natsServer();
const directory = new CertificateDirectory();
let tls: ConnectionTls;
let nodes: readonly NatsNode[] = [];

if (nats === undefined) test.skip(missing, () => {});
else {
  test.before(async () => {
    const pair = directory.write('mail', await pem('mail.example.test'));
    tls = { mode: 'starttls', certificates: await openCertificates(rulesFor(pair)) };
    nodes = await Promise.all([1, 2, 3].map(() => natsNode(nats.address)));
  });
  test.after(async () => {
    for (const node of nodes) await node.close();
    tls.certificates.close();
    directory.remove();
    await nats.stop();
  });

  for (const scene of exampleFiles()) {
    const played = scene.examples.filter(({ impossible }) => impossible === undefined);
    if (played.length === 0) continue;
    test(`${scene.name}: ${played.map(nameOf).join('; ')}`, async () => {
      const [front, owners, elsewhere] = nodes;
      const home = await houseOf(scene, { front: front!.bus, owners: owners!.bus });
      const other = frontOf(home, elsewhere!.bus, 'n3');
      const own = home.protocol({ cleartextLogin: !scene.tls });
      try {
        const protocolOf = (session: 'own' | 'other') => (session === 'own' ? own : other.protocol);
        await playScene(scene, { home, protocolOf, ...(scene.tls && { tls }) });
      } finally {
        await other.watch.stop();
        await home.stop();
      }
    });
  }
}

test.run();
