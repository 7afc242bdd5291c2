/**
 * POP3 as mpop speaks it: it reads CAPA, pipelines, and logs in by USER, PLAIN and APOP, in clear, by STLS and under implicit
 * TLS; it prints what it makes of each capability. Skipped without mpop.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BODIES, Evidence, fill, type Place, placeNames, SECRET, withPlace } from '../support/interop.ts';
import { hasProgram, type Ran, runProgram } from '../support/programs.ts';

const mpop = hasProgram('mpop') ? test : test.skip;
const evidence = new Evidence('mpop');
const NO_PERMISSION = 77; // EX_NOPERM of sysexits.h

type Tls = 'none' | 'stls' | 'pop3s';

const connection = ({ node, authorityFile }: Place, tls: Tls): string[] => {
  const trust = ['--tls=on', `--tls-trust-file=${authorityFile}`];
  return [
    '--host=localhost',
    `--port=${tls === 'pop3s' ? node.ports.pop3s : node.ports.pop3}`,
    ...(tls === 'none' ? ['--tls=off'] : [...trust, `--tls-starttls=${tls === 'stls' ? 'on' : 'off'}`]),
  ];
};

async function fetch(
  place: Place,
  tls: Tls,
  method: 'user' | 'plain' | 'apop',
  { keep = 'on', secret = SECRET } = {},
): Promise<Ran & { readonly mail: string }> {
  const file = (name: string) => join(place.directory, `mpop-${name}`);
  rmSync(file('mail'), { force: true });
  rmSync(file('uids'), { force: true });
  const ran = await runProgram([
    ...['mpop', '--debug', ...connection(place, tls), `--auth=${method}`, '--user=joe'],
    ...[`--passwordeval=echo '${secret}'`, `--keep=${keep}`, `--uidls-file=${file('uids')}`],
    ...[`--delivery=mbox,${file('mail')}`, '--received-header=off'],
  ]);
  return { ...ran, mail: existsSync(file('mail')) ? readFileSync(file('mail'), 'utf8') : '' };
}

for (const where of placeNames())
  mpop(`mpop against ${where}`, () =>
    withPlace(
      where,
      async (place) => {
        await fill(place);
        await tellsCapabilities(place);
        for (const tls of ['none', 'stls', 'pop3s'] as const)
          for (const method of ['user', 'plain', 'apop'] as const) await fetchesAll(place, tls, method);
        const wrong = await fetch(place, 'stls', 'user', { secret: 'wrong' });
        assert.is(wrong.status, NO_PERMISSION, wrong.all);
        evidence.see(wrong.all, { 'AUTH-RESP-CODE': /POP3 server message: -ERR \[AUTH\]/ });
        const last = await fetch(place, 'pop3s', 'plain', { keep: 'off' });
        assert.is(last.status, 0, last.all);
        const empty = await fetch(place, 'none', 'user');
        assert.match(empty.all, /^<-- \+OK 0 0\r?$/m);
      },
      { tables: '[pop3]\nlogin-delay = "0s"\n' },
    ),
  );

mpop('mpop is told the least time between two log-ins', () =>
  withPlace(
    'one embedded node',
    async (place) => {
      await fill(place);
      const info = await runProgram(['mpop', '--serverinfo', ...connection(place, 'none')]);
      evidence.see(info.out, { 'LOGIN-DELAY': /^ +LOGIN-DELAY 3600:$/m });
      assert.is((await fetch(place, 'none', 'user')).status, 0);
      const hasty = await fetch(place, 'none', 'user');
      assert.is.not(hasty.status, 0);
      evidence.see(hasty.all, { 'RESP-CODES': /POP3 server message: -ERR \[LOGIN-DELAY\]/ });
    },
    { tables: '[pop3]\nlogin-delay = "1h"\n' },
  ),
);

async function tellsCapabilities(place: Place): Promise<void> {
  for (const tls of ['none', 'stls', 'pop3s'] as const) {
    const { out, status, all } = await runProgram(['mpop', '--serverinfo', ...connection(place, tls)]);
    assert.is(status, 0, all);
    evidence.see(out, {
      IMPLEMENTATION: /^ +IMPLEMENTATION:\n +Homing-\d/m,
      'EXPIRE NEVER': /^ +EXPIRE NEVER:\n +this POP3 server will never delete mails$/m,
      PIPELINING: /^ +PIPELINING:$/m,
      'RESP-CODES': /^ +RESP-CODES:$/m,
      'AUTH-RESP-CODE': /^ +AUTH-RESP-CODE:$/m,
    });
    assert.match(out, /^ +USER PLAIN APOP $/m);
  }
}

async function fetchesAll(place: Place, tls: Tls, method: 'user' | 'plain' | 'apop'): Promise<void> {
  const { status, all, mail } = await fetch(place, tls, method);
  assert.is(status, 0, all);
  for (const [at, body] of BODIES.entries())
    assert.ok(mail.includes(`\nSubject: number ${at}\n\n${body.replaceAll('\r\n', '\n')}\n`), `${tls}, ${method}`);
  const said: Readonly<Record<string, RegExp>> = {
    user: { USER: /^--> USER joe/m, PIPELINING: /^--> USER joe\r?\n--> PASS .*\r?\n<-- \+OK.*\r?\n<-- \+OK/m },
    plain: { 'SASL PLAIN': /^--> AUTH PLAIN/m },
    apop: { APOP: /^--> APOP joe [0-9a-f]{32}/m },
  }[method];
  evidence.see(all, said);
  evidence.see(all, { UIDL: /^--> UIDL/m });
  if (tls === 'stls') evidence.see(all, { STLS: /^--> STLS\r?\n<-- \+OK/m });
  else assert.not.match(all, /^--> STLS/m);
  if (tls === 'pop3s') evidence.see(all, { POP3S: /^--> CAPA/m });
}

mpop('what docs/interop.md says of mpop is what was shown', () => evidence.mustBeDocumented());

test.run();
