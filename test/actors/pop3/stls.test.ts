/** STLS through the connection and a listener (RFC 2595 §4), and what is slipped in before the handshake (§2.1). */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
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

for (const transcript of transcripts('pop3-stls'))
  for (const pace of paces)
    test(`${transcript.name}, ${pace}`, async () => {
      const protocol = pop3(fakeHouse().services, silentLog, { cleartextLogin: false });
      const played = await overSocket(protocol, { tls });
      try {
        await play(transcript, played.client, pace);
      } finally {
        await played.close();
      }
    });

test('commands behind STLS in the same packet are neither answered nor done, nor is a name given before it kept', async () => {
  const house = fakeHouse();
  const { client, close } = await overSocket(pop3(house.services), { tls });
  client.send('USER mallory\r\nSTLS\r\nUSER mallory\r\nPASS x\r\nAUTH PLAIN\r\nNO');
  assert.equal((await client.lines(3)).slice(1), ['+OK send PASS', '+OK begin TLS negotiation']);
  await client.secure();
  client.send('OP\r\nPASS tanstaaf\r\nUSER mrose\r\n');
  assert.equal(await client.lines(3), ['-ERR unknown command', '-ERR PASS is not allowed now', '+OK send PASS']);
  assert.is(client.unread, '');
  assert.equal(house.asked, []);
  await close();
});

test.run();
