/** All thirteen capabilities in one session (RFC 2449 §5): told by CAPA and used, with TLS offered and a delay between log-ins. */
import { test } from 'uvu';
import type { ConnectionTls } from '../../../actors/connection-tls.ts';
import { silentLog } from '../../../telemetry/log.ts';
import { CertificateDirectory, openCertificates, pem, rulesFor } from '../../support/certificates.ts';
import { overSocket, paces, play, transcripts } from '../../support/transcript.ts';
import { fakeHouse, pop3 } from './fake-services.ts';

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

for (const transcript of transcripts('pop3-thirteen'))
  for (const pace of paces)
    test(`${transcript.name}, ${pace}`, async () => {
      const played = await overSocket(pop3(fakeHouse().services, silentLog, { loginDelayMs: 60_000 }), { tls });
      try {
        await play(transcript, played.client, pace);
      } finally {
        await played.close();
      }
    });

test.run();
