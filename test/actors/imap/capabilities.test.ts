/** What CAPABILITY tells, by the conditions that it depends on: rows I-02 and I-03. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { capabilities } from '../../../actors/imap/capabilities.ts';
import { type Constants, contextOf } from '../../../actors/imap/context.ts';
import { ImapSession } from '../../../actors/imap/imap-session.ts';
import type { SessionServices } from '../../../actors/imap/services.ts';
import { systemClock } from '../../../kernel/clock.ts';
import { silentLog } from '../../../telemetry/log.ts';

const DOCUMENT = resolve(import.meta.dirname, '../../../docs/imap.md');

type Conditions = {
  readonly tls?: 'none' | 'offered' | 'active';
  readonly constants?: Partial<Constants>;
  readonly holder?: 'user' | 'administrator';
};

function told({ tls = 'none', constants: more = {}, holder }: Conditions = {}): readonly string[] {
  const constants: Constants = {
    ...{ product: 'Homing', version: '0.1.0', defaultDomain: 'example.test', sharedName: 'shared', loginFailures: 3 },
    ...{ cleartextLogin: true, idleKeepaliveMs: 0, quotaVisible: false, appendLimitOctets: 0, ...more },
  };
  const session = new ImapSession({
    ...{ id: 's.1', constants, clock: systemClock, log: silentLog },
    services: {} as SessionServices, // asked for nothing
  });
  const isAdministrator = holder === 'administrator';
  if (holder) session.logIn({ account: 'a@example.test', accountId: 'a', mailHost: 'n1', isAdministrator });
  return capabilities(contextOf({ constants, session, tls }), holder !== undefined);
}

test('what the source document asks for is always there', () => {
  const always = ['IMAP4rev1', 'ACL', 'LITERAL+', 'NAMESPACE', 'QUOTA', 'UIDPLUS'];
  for (const conditions of [{}, { holder: 'user' }, { tls: 'active', constants: { cleartextLogin: false } }] as const)
    for (const each of always) assert.ok(told(conditions).includes(each), each);
});

test('docs/imap.md has each, and no other', () => {
  const rows = readFileSync(DOCUMENT, 'utf8')
    .split('## Capabilities')[1]!
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const documented = rows.flatMap((row) => row.split('|')[1]!.match(/[^`, ]+/g) ?? []);
  const constants = { appendLimitOctets: 1, cleartextLogin: false };
  const all = [
    ...told({ tls: 'offered', constants }),
    ...told({ tls: 'active', constants }),
    ...told({ holder: 'administrator', constants }),
  ].map((name) => name.replace('APPENDLIMIT=1', 'APPENDLIMIT=n'));
  assert.equal([...new Set(documented)].sort(), [...new Set(all)].sort());
});

test('no name stands twice', () => {
  for (const conditions of [{}, { holder: 'administrator' }, { tls: 'offered' }] as const)
    assert.is(new Set(told(conditions)).size, told(conditions).length);
});

const LOG_IN = ['STARTTLS', 'AUTH=PLAIN', 'SASL-IR', 'LOGINDISABLED', 'X-LOGIN-COMMAND-DISABLED'];
const ofLogIn = (conditions: Conditions) => told(conditions).filter((name) => LOG_IN.includes(name));

test('ways to log in are told where they are, and before log-in only', () => {
  const cleartextLogin = false;
  assert.equal(ofLogIn({}), ['AUTH=PLAIN', 'SASL-IR']);
  assert.equal(ofLogIn({ tls: 'offered' }), ['STARTTLS', 'AUTH=PLAIN', 'SASL-IR']);
  assert.equal(ofLogIn({ tls: 'offered', constants: { cleartextLogin } }), [
    'STARTTLS',
    'LOGINDISABLED',
    'X-LOGIN-COMMAND-DISABLED',
  ]);
  assert.equal(ofLogIn({ constants: { cleartextLogin } }), ['LOGINDISABLED', 'X-LOGIN-COMMAND-DISABLED']);
  assert.equal(ofLogIn({ tls: 'active', constants: { cleartextLogin } }), ['AUTH=PLAIN', 'SASL-IR']);
  for (const tls of ['none', 'offered', 'active'] as const) assert.equal(ofLogIn({ tls, holder: 'user' }), []);
});

test('the limit of APPEND is told where there is one (RFC 7889 §3)', () => {
  assert.ok(told().includes('APPENDLIMIT'));
  assert.ok(told({ constants: { appendLimitOctets: 1024 } }).includes('APPENDLIMIT=1024'));
});

test('QUOTASET is for administrators (RFC 9208 §3.2)', () => {
  assert.not(told({ holder: 'user' }).includes('QUOTASET'));
  assert.ok(told({ holder: 'administrator' }).includes('QUOTASET'));
});

test.run();
