/** What the README says to try first: `npm start`, curl, and python3's own LMTP and POP3 clients. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PortPicker } from '../../bench/fleet/port-picker.ts';
import { Program } from '../../bench/fleet/program.ts';

const HOMING = resolve(import.meta.dirname, '../../bin/homing.js');

/** Of a range where POP3, with and without TLS, LMTP and poppwd are free (bench/fleet/configuration.ts has their distances). */
async function freeBase(): Promise<number> {
  for (;;) {
    const base = (await new PortPicker().next()) - 110;
    const others = await Promise.all([base + 106, base + 107, base + 124, base + 995].map(isFree));
    if (others.every(Boolean)) return base;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

const has = (program: string) => spawnSync(program, ['--version']).status === 0;

const PYTHON = `
import poplib, smtplib, socket, ssl, sys
name, secret, lmtp_port, pop3_port = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with smtplib.LMTP('127.0.0.1', lmtp_port) as lmtp:
    refused = lmtp.sendmail('me@example.test', [name], 'Subject: from python\\r\\n\\r\\n.a dot first\\r\\n')
    assert refused == {}, refused
pop3 = poplib.POP3('127.0.0.1', pop3_port)
pop3.user(name)
pop3.pass_(secret)
count, octets = pop3.stat()
_, lines, size = pop3.retr(count)
assert lines[-1] == b'.a dot first', lines
assert b'Subject: from python' in lines, lines
capabilities = pop3.capa()
assert 'UIDL' in capabilities and 'TOP' in capabilities, capabilities
pop3.quit()
by_digest = poplib.POP3('127.0.0.1', pop3_port)
by_digest.apop(name, secret)
assert by_digest.stat()[0] == count
by_digest.quit()
trusting = ssl.create_default_context(cafile=sys.argv[5])
with smtplib.LMTP('localhost', lmtp_port) as lmtp:
    lmtp.ehlo_or_helo_if_needed()
    assert lmtp.starttls(context=trusting)[0] == 220
    refused = lmtp.sendmail('me@example.test', [name], 'Subject: under TLS\\r\\n\\r\\nhello\\r\\n')
    assert refused == {}, refused
secured = poplib.POP3('localhost', pop3_port)
secured.stls(trusting)
secured.user(name)
secured.pass_(secret)
assert secured.stat()[0] == count + 1
secured.quit()
from_the_start = poplib.POP3_SSL('localhost', int(sys.argv[6]), context=trusting)
from_the_start.user(name)
from_the_start.pass_(secret)
assert b'Subject: under TLS' in from_the_start.retr(count + 1)[1]
from_the_start.quit()
with trusting.wrap_socket(socket.create_connection(('localhost', int(sys.argv[7]))), server_hostname='localhost') as poppwd:
    assert poppwd.recv(200).startswith(b'200 ')
print('python read message', count)
`;

(has('curl') && has('python3') ? test : test.skip)(
  'the demo serves curl and python3, and starts again on its data',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'homing-test-'));
    const base = await freeBase();
    const start = () =>
      Program.start([process.execPath, HOMING, 'demo', '--directory', directory, '--port-base', String(base)], {
        readyLine: /^ready/,
      });
    try {
      const first = await start();
      const [name, secret] = readFileSync(join(directory, 'passwords'), 'utf8').split('\n')[0]!.split(' ') as [
        string,
        string,
      ];
      assert.is(name, 'alice@example.test');
      const curl = (path: string) =>
        execFileSync('curl', ['-s', `pop3://127.0.0.1:${base + 110}/${path}`, '-u', `${name}:${secret}`]).toString();
      assert.match(curl('1'), /^Subject: Welcome home\r$/m);
      assert.match(curl('2'), /^\.\r$/m);
      const certificate = join(directory, 'tls', 'cert.pem');
      const ports = [String(base + 124), String(base + 110)];
      const python = ['-c', PYTHON, name, secret, ...ports, certificate, String(base + 995), String(base + 107)];
      assert.is(execFileSync('python3', python).toString(), 'python read message 3\n');
      assert.is(await first.stop(), '0');

      const second = await start();
      assert.match(curl('3'), /^Subject: from python\r$/m);
      const secured = [`pop3s://localhost:${base + 995}/4`, '-u', `${name}:${secret}`, '--cacert', certificate];
      assert.match(execFileSync('curl', ['-s', ...secured]).toString(), /^Subject: under TLS\r$/m);
      assert.is(await second.stop(), '0');

      rmSync(join(directory, 'passwords')); // written last: so it is after a first start that was cut short
      const third = await start();
      const [, anew] = readFileSync(join(directory, 'passwords'), 'utf8').split('\n')[0]!.split(' ');
      assert.is.not(anew, secret);
      const url = `pop3://127.0.0.1:${base + 110}/1`;
      assert.match(execFileSync('curl', ['-s', url, '-u', `${name}:${anew}`]).toString(), /^Subject: Welcome home\r$/m);
      assert.is(await third.stop(), '0');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

test.run();
