/**
 * A client of TLS 1.2 that asks for another handshake (RFC 5246 §7.4.1.1) in the midst of a session: it costs a server far
 * more than the client, and TLS 1.3 has none (RFC 8446 §4.1.2). It is refused, and no other session is
 * disturbed.
 */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Listener } from '../../actors/listener.ts';
import { sessionIds } from '../../actors/session-ids.ts';
import { systemClock } from '../../kernel/clock.ts';
import { silentLog } from '../../telemetry/log.ts';
import { CertificateDirectory, openCertificates, pem, rulesFor } from '../support/certificates.ts';
import { fakeHouse, lmtp } from './lmtp/fake-services.ts';

const isNode = !('Deno' in globalThis);

async function lineOf(socket: TLSSocket): Promise<string> {
  for (let text = ''; ; ) {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    text += String(bytes);
    if (text.endsWith('\r\n')) return text;
  }
}

test('renegotiation is refused, and the other sessions go on', async () => {
  if (!isNode) return console.log('skipped: this runtime has no TLSSocket.renegotiate');
  const directory = new CertificateDirectory();
  const certificates = await openCertificates(rulesFor(directory.write('foo', await pem('foo.edu'))));
  const listener = new Listener({
    place: { address: '127.0.0.1', port: 0 },
    channels: 10,
    limits: { idleMs: 600_000, writeMs: 60_000 },
    protocol: lmtp(fakeHouse().services),
    tls: { mode: 'implicit', certificates },
    nextSessionId: sessionIds('again'),
    clock: systemClock,
    log: silentLog,
  });
  await listener.start();
  const { port } = listener.place as { port: number };
  const awake = setInterval(() => {}, 1000);
  const call = () =>
    connect({ host: '127.0.0.1', port, servername: 'foo.edu', rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  const sockets = [call(), call()] as const;
  try {
    for (const socket of sockets) assert.match(await lineOf(socket), /^220 /);
    const [asking, other] = sockets;
    // OpenSSL's client takes the refusal for the end of its connection; a server that agreed would be heard as `null`.
    const refusal = await new Promise<Error | null>((resolve) => {
      asking.on('error', resolve);
      asking.renegotiate({}, resolve);
      asking.write('NOOP\r\n');
    });
    assert.match(String(refusal), /no renegotiation/);
    other.write('NOOP\r\n');
    assert.match(await lineOf(other), /^250 /);
  } finally {
    for (const socket of sockets) socket.destroy();
    await listener.stop(0);
    clearInterval(awake);
    certificates.close();
    directory.remove();
  }
});

test.run();
