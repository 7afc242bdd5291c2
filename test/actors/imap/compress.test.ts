/** COMPRESS through the connection (RFC 4978): what is said after it is compressed, and what is slipped in before is dropped. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectionTls } from '../../../actors/connection-tls.ts';
import { CertificateDirectory, openCertificates, pem, rulesFor } from '../../support/certificates.ts';
import { overSocket } from '../../support/transcript.ts';
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

for (const isUnderTls of [false, true])
  test(`a whole session is compressed${isUnderTls ? ' under TLS' : ''}, with a message that comes and goes`, async () => {
    const home = await house();
    const { client, close } = await overSocket(home.protocol(), isUnderTls ? { tls } : {});
    assert.match((await client.line())!, /COMPRESS=DEFLATE/);
    if (isUnderTls) {
      client.send('s STARTTLS\r\n');
      assert.match((await client.line())!, /^s OK/);
      await client.secure();
    }
    client.send('a COMPRESS DEFLATE\r\nb LOGIN ann pencil\r\nc COMPRESS GZIP\r\nd COMPRESS DEFLATE\r\n');
    const [early, , other, active] = await client.lines(4);
    assert.is(early, 'a BAD COMPRESS: log in first');
    assert.is(other, 'c BAD DEFLATE is the only one');
    assert.is(active, 'd OK DEFLATE active');
    client.compress();
    const message = `Subject: one\r\n\r\n${'all work and no play\r\n'.repeat(20_000)}`;
    client.send(`e COMPRESS DEFLATE\r\nf APPEND INBOX {${message.length}+}\r\n${message}\r\ng SELECT INBOX\r\n`);
    assert.is(await client.line(), 'e NO [COMPRESSIONACTIVE] DEFLATE is active already');
    assert.match((await client.line())!, /^f OK \[APPENDUID/);
    while (!/^g OK/.test((await client.line())!));
    client.send('h FETCH 1 BODY.PEEK[]\r\ni IDLE\r\n');
    assert.match((await client.line())!, new RegExp(`^\\* 1 FETCH \\(BODY\\[\\] \\{${message.length}\\}$`));
    assert.is((await client.lines(20_002)).join('\r\n'), `${message.slice(0, -2)}`);
    assert.is(await client.line(), ')');
    assert.match((await client.line())!, /^h OK/);
    assert.match((await client.line())!, /^\+/);
    client.send('DONE\r\nj LOGOUT\r\n');
    assert.match((await client.line())!, /^i OK/);
    assert.match((await client.lines(2))[1]!, /^j OK/);
    await close();
    await home.stop();
  });

test('what is sent behind COMPRESS in the same packet is neither answered nor done', async () => {
  const home = await house();
  const { client, close } = await overSocket(home.protocol());
  await client.line();
  client.send('a LOGIN ann pencil\r\n');
  await client.line();
  client.send('b COMPRESS DEFLATE\r\nc CREATE slipped\r\nd CREATE {20+}\r\n');
  assert.match((await client.line())!, /^b OK/);
  client.compress();
  client.send('e LIST "" slipped\r\n');
  assert.match((await client.line())!, /^e OK/);
  await close();
  await home.stop();
});

test('hostile: what inflates to a line of 64 MB is refused like any other', async () => {
  const home = await house();
  const { client, close } = await overSocket(home.protocol());
  await client.line();
  client.send('a LOGIN ann pencil\r\nb COMPRESS DEFLATE\r\n');
  await client.lines(2);
  client.compress();
  client.send(Buffer.alloc(64_000_000, 'x'));
  client.send('\r\nc NOOP\r\n');
  assert.match((await client.line())!, /^\* BAD/);
  assert.match((await client.line())!, /^c OK/);
  await close();
  await home.stop();
});

test.run();
