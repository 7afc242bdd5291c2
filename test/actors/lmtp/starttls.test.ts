/** LMTP under STARTTLS (RFC 3207): the transcript, and commands slipped in before the handshake. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectionTls } from '../../../actors/connection-tls.ts';
import { CertificateDirectory, openCertificates, pem, rulesFor } from '../../support/certificates.ts';
import { overSocket, paces, play, transcripts } from '../../support/transcript.ts';
import { fakeHouse, lmtp } from './fake-services.ts';

const directory = new CertificateDirectory();
let tls: ConnectionTls;

test.before(async () => {
  const pair = directory.write('foo', await pem('foo.edu'));
  tls = { mode: 'starttls', certificates: await openCertificates(rulesFor(pair)) };
});
test.after(() => {
  tls.certificates.close();
  directory.remove();
});

for (const transcript of transcripts('lmtp-starttls'))
  for (const pace of paces)
    test(`${transcript.name}, ${pace}`, async () => {
      const played = await overSocket(lmtp(fakeHouse().services), { tls });
      try {
        await play(transcript, played.client, pace);
      } finally {
        await played.close();
      }
    });

test('commands behind STARTTLS in the same packet are neither answered nor done (RFC 3207 §4.2)', async () => {
  const house = fakeHouse();
  const { client, close } = await overSocket(lmtp(house.services), { tls });
  client.send('LHLO client.example\r\n');
  await client.lines(9);
  client.send(
    'STARTTLS\r\nLHLO evil.example\r\nMAIL FROM:<evil@bar.com>\r\nRCPT TO:<pat@foo.edu>\r\nDATA\r\nSubject: evil\r\n\r\n.\r\nNO',
  );
  assert.is(await client.line(), '220 2.0.0 go ahead with TLS');
  await client.secure();
  client.send('OP\r\nNOOP\r\nMAIL FROM:<pat@foo.edu>\r\n');
  assert.equal(await client.lines(3), ['500 5.5.1 unknown command', '250 2.0.0 ok', '503 5.5.1 LHLO first']);
  assert.is(client.unread, '');
  assert.equal(house.delivered, []);
  await close();
});

test.run();
