/** STARTTLS through the connection and a listener (RFC 9051 §6.2.1), and what is slipped in before the handshake (§11.1). */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectionTls } from '../../../actors/connection-tls.ts';
import { CertificateDirectory, openCertificates, pem, rulesFor } from '../../support/certificates.ts';
import { overSocket, paces, play, transcripts } from '../../support/transcript.ts';
import { house } from './house.ts';

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

for (const transcript of transcripts('imap-starttls'))
  for (const pace of paces)
    test(`${transcript.name}, ${pace}`, async () => {
      const home = await house();
      const played = await overSocket(home.protocol({ cleartextLogin: false }), { tls });
      try {
        await play(transcript, played.client, pace);
      } finally {
        await played.close();
        await home.stop();
      }
    });

test('commands behind STARTTLS in the same packet are neither answered nor done, whatever half of one was left', async () => {
  const home = await house();
  const { client, close } = await overSocket(home.protocol(), { tls });
  client.send('a STARTTLS\r\nb LOGIN ann pencil\r\nc LOGIN {3+}\r\nann {6}\r\n');
  assert.match((await client.lines(2))[1]!, 'a OK');
  await client.secure();
  client.send('d LIST "" *\r\ne LOGIN ann pencil\r\n');
  const [list, login] = await client.lines(2);
  assert.is(list, 'd BAD LIST: log in first', 'nobody is logged in');
  assert.match(login!, 'e OK');
  assert.is(client.unread, '');
  await close();
  await home.stop();
});

test('a continuation that was asked for in clear is forgotten with its command', async () => {
  const home = await house();
  const { client, close } = await overSocket(home.protocol(), { tls });
  client.send('a AUTHENTICATE PLAIN\r\n*\r\nb STARTTLS\r\n');
  assert.equal((await client.lines(4)).slice(1), [
    '+ ',
    'a BAD authentication cancelled',
    'b OK begin TLS negotiation',
  ]);
  await client.secure();
  client.send('AGFubgBwZW5jaWw=\r\n');
  assert.match((await client.line())!, /^(\* )?\S* ?BAD/, 'no response of an exchange');
  await close();
  await home.stop();
});

test.run();
