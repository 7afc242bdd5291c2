/** The examples that the RFCs of IMAP print, against real owners on a local bus. */
import { test } from 'uvu';
import type { ConnectionTls } from '../../../actors/connection-tls.ts';
import { CertificateDirectory, openCertificates, pem, rulesFor } from '../../support/certificates.ts';
import { nameOf } from '../../support/imap-examples.ts';
import { exampleFiles } from '../../support/imap-examples-reader.ts';
import { houseOf, playScene } from './examples.ts';

const directory = new CertificateDirectory();
let tls: ConnectionTls;

test.before(async () => {
  const pair = directory.write('mail', await pem('mail.example.test'));
  tls = { mode: 'starttls', certificates: await openCertificates(rulesFor(pair)) };
});
test.after(() => {
  tls.certificates.close();
  directory.remove();
});

for (const scene of exampleFiles()) {
  const played = scene.examples.filter(({ impossible }) => impossible === undefined);
  if (played.length === 0) continue;
  test(`${scene.name}: ${played.map(nameOf).join('; ')}`, async () => {
    const home = await houseOf(scene);
    const protocol = home.protocol({ cleartextLogin: !scene.tls });
    try {
      await playScene(scene, { home, protocolOf: () => protocol, ...(scene.tls && { tls }) });
    } finally {
      await home.stop();
    }
  });
}

test.run();
