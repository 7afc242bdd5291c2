/**
 * Rows of the requirements about POP3 log-ins and maildrops, P-12 to P-38, over the wire with the real authenticator and
 * a model of the owner behind it. What the transcripts of test/transcripts/pop3 show is not shown again.
 */
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AccountSessions } from '../../../actors/account-sessions.ts';
import { pop3Services } from '../../../actors/front/pop3-services.ts';
import type { Account } from '../../../cluster/directory/account.ts';
import { type Conversation, converse } from '../../support/conversation.ts';
import { account } from '../authenticator/fake-directory.ts';
import { credential } from '../authenticator/fixtures.ts';
import { house } from '../front/fixtures.ts';
import { pop3 } from './fake-services.ts';

const WRONG = '-ERR [AUTH] wrong name or password';

/** A house of joe, whose password is `pencil`, and of others. */
async function real(mostSessions = 0, ...more: readonly Account[]) {
  const around = await house(...more);
  const accountSessions = new AccountSessions(mostSessions);
  const services = pop3Services(around.front, 0, accountSessions);
  let sessions = 0;
  const talk = (): Promise<Conversation> => {
    const session = `t.${++sessions}`; // the harness names all its sessions alike
    return converse(pop3({ begin: (caller) => services.begin({ ...caller, session }) }));
  };
  return { ...around, accountSessions, talk };
}

const withPassword = async (name: string, secret: string, more: Partial<Account> = {}, keepPlain = true) =>
  account({ name, credentials: { DEFAULT: await credential(secret, 1, keepPlain) }, ...more });

const apop = ({ greeting }: Conversation, name: string, secret: string): string => {
  const timestamp = /<[^>]+>/.exec(greeting)![0];
  return `APOP ${name} ${createHash('md5').update(timestamp).update(secret).digest('hex')}`;
};

test('P-12, P-13: APOP proves a password that is kept; one that is not fails like any other, and the log tells why', async () => {
  const { talk, log } = await real(0, await withPassword('ann@example.test', 'feather', {}, false));
  const client = await talk();
  assert.is(await client.ask(apop(client, 'joe', 'wrong')), WRONG);
  assert.is(await client.ask(apop(client, 'ann', 'feather')), WRONG);
  assert.ok(log.entries.some(({ fields }) => fields['reason'] === 'no-secret-kept'));
  assert.match(await client.ask(apop(client, 'joe', 'pencil')), /^\+OK/);
  await client.close();
});

test('P-14: all behind PASS and one blank is the password, blanks too', async () => {
  const { talk } = await real(0, await withPassword('ann@example.test', 'a b  c '));
  const { ask, askAll, close } = await talk();
  assert.is(await askAll('USER ann', 'PASS a b  c'), WRONG);
  assert.match(await askAll('USER ann', 'PASS a b  c '), /^\+OK/);
  assert.match(await ask('QUIT'), /^\+OK/);
  await close();
});

test('P-15: PASS without USER is refused, and so is a second PASS without a second USER', async () => {
  const { talk } = await real();
  const { ask, askAll, close } = await talk();
  assert.match(await ask('PASS pencil'), /^-ERR/);
  assert.is(await askAll('USER joe', 'PASS wrong'), WRONG);
  assert.match(await ask('PASS pencil'), /^-ERR PASS is not allowed now/);
  await close();
});

test('P-16, P-38: the same octets for an unknown user, a wrong password and an account that may not log in, by each way', async () => {
  const others = (['noaccess', 'disabled', 'deleted'] as const).map((status) =>
    withPassword(`${status}@example.test`, 'pencil', { status }),
  );
  const { talk } = await real(0, ...(await Promise.all(others)));
  for (const [name, secret] of [
    ['nobody', 'pencil'],
    ['joe', 'wrong'],
    ['noaccess', 'pencil'],
    ['disabled', 'pencil'],
    ['deleted', 'pencil'],
  ] as const) {
    const client = await talk();
    assert.is(await client.ask(`USER ${name}`), '+OK send PASS');
    assert.is(await client.ask(`PASS ${secret}`), WRONG, name);
    assert.is(await client.ask(apop(client, name, secret)), WRONG, name);
    const message = Buffer.from(`\0${name}\0${secret}`).toString('base64');
    assert.is(await client.ask(`AUTH PLAIN ${message}`), WRONG, name);
    await client.close();
  }
});

test('P-18: an empty password is refused always', async () => {
  const { talk } = await real();
  const { ask, close } = await talk();
  await ask('USER joe');
  for (const line of ['PASS', 'PASS ', `AUTH PLAIN ${Buffer.from('\0joe\0').toString('base64')}`])
    assert.match(await ask(line), /^-ERR/, line);
  await close();
});

test('P-19, P-21, P-22: one session has the maildrop; it is free again after QUIT, a lost connection and a kick', async () => {
  const { talk, host } = await real();
  const endings: Readonly<Record<string, (client: Conversation) => unknown>> = {
    QUIT: ({ ask }) => ask('QUIT'),
    'a lost connection': ({ client }) => client.destroy(),
    'a kick': ({ connection }) => connection().stop('kicked'),
    'a stop': ({ connection }) => connection().stop(),
  };
  for (const [how, end] of Object.entries(endings)) {
    const first = await talk();
    assert.match(await first.askAll('USER joe', 'PASS pencil'), /^\+OK/, how);
    const second = await talk();
    assert.is(await second.askAll('USER joe', 'PASS wrong'), WRONG);
    assert.is(await second.askAll('USER joe', 'PASS pencil'), '-ERR [IN-USE] maildrop is in use by another session');
    await end(first);
    first.client.end();
    await first.ended;
    while (host.lockedBy !== undefined) await new Promise((resolve) => setImmediate(resolve));
    assert.match(await second.askAll('USER joe', 'PASS pencil'), /^\+OK/, how);
    assert.match(await second.ask('QUIT'), /^\+OK/);
    await second.close();
  }
});

test('an account with as many sessions here as it may have is refused with IN-USE, the password having been right', async () => {
  const { talk, accountSessions } = await real(1);
  accountSessions.enter('id-joe'); // poppwd has the place
  const { askAll, ask, close } = await talk();
  assert.is(await askAll('USER joe', 'PASS wrong'), WRONG);
  assert.is(await askAll('USER joe', 'PASS pencil'), '-ERR [IN-USE] too many sessions of this account');
  accountSessions.leave('id-joe');
  assert.match(await askAll('USER joe', 'PASS pencil'), /^\+OK/);
  await ask('QUIT');
  await close();
  assert.is(accountSessions.of('id-joe'), 0);
});

test('P-27, P-28: LIST tells the octets that RETR sends, stuffing left out, and they are those that were delivered', async () => {
  const { talk, host } = await real();
  const messages = [
    'Subject: one\r\n\r\n.\r\n..\r\n.x\r\nend\r\n',
    'Subject: two\r\n\r\n\r\n',
    'S: three\r\n\r\nno line end',
  ];
  for (const [index, text] of messages.entries()) host.messages.set(index + 1, Buffer.from(text));
  const { ask, askAll, client, close } = await talk();
  assert.match(await askAll('USER joe', 'PASS pencil'), /^\+OK/);
  for (const [index, text] of messages.entries()) {
    assert.is(await ask(`LIST ${index + 1}`), `+OK ${index + 1} ${text.length}`);
    assert.is(await ask(`RETR ${index + 1}`), `+OK ${text.length} octets`);
    const lines: string[] = [];
    for (let line = await client.line(); line !== '.'; line = await client.line()) lines.push(line!);
    const received = lines.map((line) => `${line.startsWith('.') ? line.slice(1) : line}\r\n`).join('');
    assert.is(received, text.endsWith('\r\n') ? text : `${text}\r\n`);
  }
  assert.match(await ask('LIST 4'), /^-ERR/);
  await close();
});

test('P-36, P-37: keywords in any case, lines that end in LF alone; what is said ends in CRLF', async () => {
  const { talk } = await real();
  const { client, close } = await talk();
  client.send('uSeR joe\npass pencil\nStat\nquit\n');
  assert.is(
    await client.rest(),
    '+OK send PASS\r\n+OK maildrop has 0 messages (0 octets)\r\n+OK 0 0\r\n+OK goodbye (maildrop empty)\r\n',
  );
  await close();
});

test.run();
