/** POP3 as clients of others speak it: python3's poplib and curl, against a whole node. Skipped where they are missing. */
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import { deliver, logIn, withFleet } from '../support/system.ts';

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const python = has('python3') ? test : test.skip;
const curl = has('curl') && / pop3( |$)/m.test(String(spawnSync('curl', ['--version']).stdout)) ? test : test.skip;

const oneNode = (tables = '') => ({ nodes: ['n1'], nats: 0, tables }) as const;
const JOE = 'joe@example.test';
const SECRET = 'pass wörd';

async function withMail(fleet: Fleet): Promise<void> {
  await fleet.node('n1').ask('account.add', { name: JOE, secret: SECRET });
  for (const text of ['one', '.two'])
    assert.match(await deliver(fleet.node('n1').lmtp, JOE, Buffer.from(`Subject: x\r\n\r\n${text}\r\n`)), /^250/);
}

function portOf(fleet: Fleet): number {
  const { pop3 } = fleet.node('n1');
  if (!('port' in pop3)) throw new Error('POP3 is not on a port');
  return pop3.port;
}

const run = (program: string, args: readonly string[], input = '') => {
  const { status, stdout, stderr } = spawnSync(program, args, { input, timeout: 20_000 });
  return { status, out: String(stdout), err: String(stderr) };
};

const POPLIB = `
import json, poplib, sys
port, secret = int(sys.argv[1]), sys.argv[2]
box = poplib.POP3('127.0.0.1', port, timeout=10)
box.encoding = 'UTF-8'
told = {'capa': box.capa(), 'utf8': box.utf8().decode()}
box.user('joe'); box.pass_(secret)
told['stat'] = box.stat()
told['list'] = [line.decode() for line in box.list()[1]]
told['uidl'] = [line.decode() for line in box.uidl()[1]]
told['lines'] = [line.decode() for line in box.retr(2)[1]]
told['octets'] = box.retr(2)[2]
told['top'] = len(box.top(1, 0)[1])
box.dele(1); box.rset(); box.dele(1)
told['quit'] = box.quit().decode()
again = poplib.POP3('127.0.0.1', port, timeout=10)
again.encoding = 'UTF-8'
told['apop'] = again.apop('joe', secret).decode()
told['left'] = again.stat()
again.quit()
print(json.dumps(told))
`;

python("python3's poplib: capabilities, UTF8, USER and PASS, APOP, every command", () =>
  withFleet(oneNode(), async (fleet) => {
    await withMail(fleet);
    const { out, err } = run('python3', ['-', String(portOf(fleet)), SECRET], POPLIB);
    assert.is(err, '');
    const told = JSON.parse(out);
    assert.equal(told.capa.UTF8, ['USER']);
    assert.equal(told.capa.SASL, ['PLAIN']);
    assert.equal(told.capa.EXPIRE, ['NEVER']);
    assert.match(told.utf8, /^\+OK/);
    assert.is(told.stat[0], 2);
    assert.equal(told.list[1], `2 ${told.octets}`);
    assert.is(new Set(told.uidl).size, 2);
    assert.ok(told.lines.includes('.two'));
    assert.ok(told.top > 2);
    assert.match(told.quit, /^\+OK goodbye \(1 message left\)/);
    assert.match(told.apop, /^\+OK/);
    assert.is(told.left[0], 1);
  }),
);

curl('curl: AUTH PLAIN with and without an initial response, and APOP; a wrong password gets in by none', () =>
  withFleet(oneNode(), async (fleet) => {
    await withMail(fleet);
    const url = `pop3://127.0.0.1:${portOf(fleet)}`;
    const fetch = (secret: string, ...options: readonly string[]) =>
      run('curl', ['--silent', '--verbose', '--user', `joe:${secret}`, ...options, `${url}/1`]);
    for (const [options, sent] of [
      [['--login-options', 'AUTH=PLAIN'], /^> AUTH PLAIN\r?$/m],
      [['--login-options', 'AUTH=PLAIN', '--sasl-ir'], /^> AUTH PLAIN [A-Za-z0-9+/]+=*\r?$/m],
      [['--login-options', 'AUTH=+APOP'], /^> APOP joe /m],
    ] as const) {
      const right = fetch(SECRET, ...options);
      assert.is(right.status, 0, right.err);
      assert.match(right.err, sent);
      assert.match(right.out, /\r\none\r\n/);
      const wrong = fetch('wrong', ...options);
      assert.is(wrong.status, 67, wrong.err); // CURLE_LOGIN_DENIED
      assert.is(wrong.out, '');
    }
    assert.match(
      run('curl', ['--silent', '--user', `joe:${SECRET}`, '--request', 'UIDL', `${url}/`]).out,
      /^1 \S+\r\n2 /,
    );
  }),
);

test('P-24: with a login delay the second log-in is refused, and only with the right password', () =>
  withFleet(oneNode('[pop3]\nlogin-delay = "1h"\n'), async (fleet) => {
    await withMail(fleet);
    const { pop3 } = fleet.node('n1');
    assert.is(await logIn(pop3, JOE, SECRET), 'ok');
    assert.match(await logIn(pop3, JOE, SECRET), /^-ERR \[LOGIN-DELAY\]/);
    assert.match(await logIn(pop3, JOE, 'wrong'), /^-ERR \[AUTH\]/);
  }));

test.run();
