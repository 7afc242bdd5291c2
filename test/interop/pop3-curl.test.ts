/** POP3 as curl speaks it: APOP, AUTH PLAIN, STLS, POP3S, and each command by name. Skipped without curl. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BODIES, Evidence, fill, type Place, placeNames, SECRET, withPlace } from '../support/interop.ts';
import { type Ran, runProgram, startsProgram } from '../support/programs.ts';

const curl = startsProgram('curl', '--version') ? test : test.skip;
const evidence = new Evidence('curl');
const LOGIN_DENIED = 67; // CURLE_LOGIN_DENIED

type Fetch = (path: string, options?: readonly string[], secret?: string) => Promise<Ran>;

/** curl at one of the node's two POP3 ports; `localhost` is the name that the certificate is for. */
const curlAt =
  ({ authorityFile }: Place, scheme: 'pop3' | 'pop3s', port: number): Fetch =>
  (path, options = [], secret = SECRET) =>
    runProgram([
      ...['curl', '--silent', '--show-error', '--verbose', '--max-time', '20', '--cacert', authorityFile],
      ...['--user', `joe:${secret}`, ...options, `${scheme}://localhost:${port}/${path}`],
    ]);

for (const where of placeNames())
  curl(`curl against ${where}`, () =>
    withPlace(where, async (place) => {
      await fill(place);
      const { ports } = place.node;
      const clear = curlAt(place, 'pop3', ports.pop3);
      const implicit = curlAt(place, 'pop3s', ports.pop3s!);
      await logsIn(clear, implicit);
      await fetches(clear);
      await removes(clear);
    }),
  );

const STLS = ['--ssl-reqd'];

async function logsIn(clear: Fetch, implicit: Fetch): Promise<void> {
  for (const [fetch, options, said] of [
    [clear, ['--login-options', 'AUTH=PLAIN'], { 'SASL PLAIN': /^> AUTH PLAIN\r?$/m }],
    [clear, ['--login-options', 'AUTH=PLAIN', '--sasl-ir'], { 'SASL PLAIN': /^> AUTH PLAIN [A-Za-z0-9+/]+=*\r?$/m }],
    [clear, ['--login-options', 'AUTH=+APOP'], { APOP: /^> APOP joe [0-9a-f]{32}/m }],
    [clear, STLS, { STLS: /^> STLS\r?\n< \+OK/m, 'SASL PLAIN': /^> AUTH PLAIN/m }],
    [clear, [...STLS, '--login-options', 'AUTH=+APOP'], { STLS: /^> STLS/m, APOP: /^> APOP joe /m }],
    [implicit, [], { POP3S: /SSL connection using TLSv1\.3/ }],
    [implicit, ['--tls-max', '1.2'], { POP3S: /SSL connection using TLSv1\.2/ }],
  ] as const) {
    const right = await fetch('1', options);
    assert.is(right.status, 0, right.err);
    assert.match(right.out, /\r\none\r\n$/);
    evidence.see(right.err, said);
    const wrong = await fetch('1', options, 'wrong');
    assert.is(wrong.status, LOGIN_DENIED, wrong.err);
    assert.is(wrong.out, '');
    evidence.see(wrong.err, { 'AUTH-RESP-CODE': /^< -ERR \[AUTH\] /m });
  }
}

async function fetches(clear: Fetch): Promise<void> {
  for (const [at, body] of BODIES.entries()) assert.ok((await clear(String(at + 1))).out.endsWith(`\r\n${body}\r\n`));
  const list = await clear('');
  assert.match(list.out, /^1 \d+\r\n2 \d+\r\n3 \d+\r\n$/);
  assert.is(Number(list.out.split('\r\n')[1]!.split(' ')[1]), Buffer.byteLength((await clear('2')).out));
  const uidl = await clear('', ['--request', 'UIDL']);
  assert.match(uidl.out, /^1 \S+\r\n2 \S+\r\n3 \S+\r\n$/);
  evidence.see(uidl.err, { UIDL: /^> UIDL\r?\n< \+OK/m });
  const top = await clear('', ['--request', 'TOP 2 1']);
  assert.match(top.out, /^Subject: number 1\r\n\r\n\.two\r\n$/m);
  evidence.see(top.err, { TOP: /^> TOP 2 1\r?\n< \+OK/m });
  const languages = await clear('', ['--request', 'LANG']);
  assert.match(languages.out, /^en .*\r\n/);
  evidence.see(languages.err, { LANG: /^> LANG\r?\n< \+OK/m });
}

async function removes(clear: Fetch): Promise<void> {
  const removed = await clear('1', ['--list-only', '--request', 'DELE']);
  assert.is(removed.status, 0, removed.err);
  assert.match(removed.err, /^> DELE 1\r?\n< \+OK/m);
  assert.match((await clear('')).out, /^1 \d+\r\n2 \d+\r\n$/);
  assert.ok((await clear('1')).out.endsWith(`${BODIES[1]}\r\n`));
}

curl('what docs/interop.md says of curl is what was shown', () => evidence.mustBeDocumented());

test.run();
