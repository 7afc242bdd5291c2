/**
 * The poppwd rows of the requirements, W-01 to W-14, W-19 and W-26 to W-30, over the wire with the real authenticator
 * behind it. What the transcripts of test/transcripts/poppwd show is not shown again.
 */
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { setAccount, setPassword } from '../../../actors/authenticator/accounts.ts';
import { pop3Services } from '../../../actors/front/pop3-services.ts';
import { poppwdServices } from '../../../actors/front/poppwd-services.ts';
import type { Account } from '../../../cluster/directory/account.ts';
import { type Conversation, converse } from '../../support/conversation.ts';
import { account } from '../authenticator/fake-directory.ts';
import { credential } from '../authenticator/fixtures.ts';
import { house } from '../front/fixtures.ts';
import { pop3 } from '../pop3/fake-services.ts';
import { poppwd } from './fake-services.ts';

const WRONG = '515 incorrect password or account name';

/** A house of joe, whose password is `pencil`, and ways in. */
async function real(...more: readonly Account[]) {
  const around = await house(...more);
  const services = poppwdServices(around.front, 30_000);
  const reached = pop3Services(around.front);
  let operations = 0;
  const { directory, options } = around;
  const admin = { ...options, directory, nextOperation: () => `admin-${++operations}` };
  let sessions = 0;
  const talk = (): Promise<Conversation> => {
    const session = `t.${++sessions}`; // the harness names all its sessions alike
    const begin = (caller: Parameters<typeof services.begin>[0]) => services.begin({ ...caller, session });
    return converse(poppwd({ begin }));
  };
  const talkPop3 = (): Promise<Conversation> => {
    const session = `t.${++sessions}`;
    return converse(pop3({ begin: (caller) => reached.begin({ ...caller, session }) }));
  };
  /** Does PASS take it, at poppwd and at POP3? */
  const takes = async (name: string, secret: string): Promise<readonly boolean[]> => {
    const there = await talk();
    const atPoppwd = (await there.askAll(`USER ${name}`, `PASS ${secret}`)) === '200 login OK';
    await there.close();
    const other = await talkPop3();
    const atPop3 = (await other.askAll(`USER ${name}`, `PASS ${secret}`)).startsWith('+OK');
    if (atPop3) await other.ask('QUIT');
    await other.close();
    return [atPoppwd, atPop3];
  };
  return { ...around, admin, talk, talkPop3, takes };
}

test('W-01: the banner, with exactly one <unique@host> in it', async () => {
  const { talk } = await real();
  const [first, second] = [await talk(), await talk()];
  for (const { greeting } of [first, second]) {
    assert.match(
      greeting,
      /^200 Homing at mail\.example\.test PWD Server 0\.1\.0 ready <[^<>@\s]+@mail\.example\.test>$/,
    );
    assert.is(/<.*@.*>/.exec(greeting)![0], /<[^<>]*>/.exec(greeting)![0]); // a greedy client finds the same
  }
  await first.close();
  await second.close();
});

test('W-02, W-03, W-05, W-06: 300, 200, 200, and the password is durable before the last, which is read nowhere else', async () => {
  const { talk, takes } = await real();
  const { ask, client, ended } = await talk();
  assert.is(await ask('USER joe'), '300 please send the PASS');
  assert.is(await ask('PASS pencil'), '200 login OK');
  assert.is(await ask('NEWPASS crayon'), '200 password changed');
  client.destroy(); // no QUIT
  await ended;
  assert.equal(await takes('joe', 'crayon'), [true, true]);
  assert.equal(await takes('joe', 'pencil'), [false, false]);
});

test('W-05: after INLINE, which is not known here, NEWPASS is 200 and never 201', async () => {
  const { talk } = await real();
  const { askAll, close } = await talk();
  assert.match(await askAll('USER joe', 'PASS pencil', 'INLINE'), /^5\d\d /);
  assert.is(await askAll('NEWPASS crayon'), '200 password changed');
  await close();
});

test('W-04: the same octets for a wrong password, an unknown account, one that is disabled and one without a password', async () => {
  const disabled = account({
    name: 'off@example.test',
    status: 'disabled',
    credentials: { DEFAULT: await credential('pencil', 1) },
  });
  const { talk } = await real(disabled, account({ name: 'bare@example.test' }));
  const { ask, close } = await talk();
  for (const name of ['joe', 'nobody', 'off']) {
    await ask(`USER ${name}`);
    assert.is(await ask('PASS wrong'), WRONG, name);
  }
  await close();
  const again = await talk();
  for (const [name, secret] of [
    ['bare', 'wrong'],
    ['off', 'pencil'],
  ]) {
    await again.ask(`USER ${name}`);
    assert.is(await again.ask(`PASS ${secret}`), WRONG, name);
  }
  await again.close();
});

test('W-07, W-12: NEWPASS before a log-in, or after a wrong password, changes nothing', async () => {
  const { talk, takes } = await real();
  const { ask, askAll, close } = await talk();
  assert.match(await ask('NEWPASS crayon'), /^5\d\d /);
  assert.is(await askAll('USER joe', 'PASS wrong'), WRONG);
  assert.match(await ask('NEWPASS crayon'), /^5\d\d /);
  await close();
  assert.equal(await takes('joe', 'pencil'), [true, true]);
});

test('W-08: QUIT in each state is 200, then the connection is closed', async () => {
  const states: readonly (readonly string[])[] = [
    [],
    ['USER joe'],
    ['USER joe', 'PASS wrong'],
    ['USER joe', 'PASS pencil'],
    ['USER joe', 'PASS pencil', 'NEWPASS'],
    ['USER joe', 'PASS pencil', 'NEWPASS pencil'],
  ];
  for (const said of states)
    for (const quit of ['QUIT', 'quit', 'QUIT ']) {
      const { talk } = await real();
      const { ask, askAll, client, ended } = await talk();
      await askAll(...said);
      assert.is(await ask(quit), '200 connection closed', said.join());
      assert.is(await client.rest(), '');
      client.end();
      assert.is(await ended, 'finished');
    }
});

test('W-09: keywords in any case and bare LF are taken; what is said ends in CRLF', async () => {
  const { talk } = await real();
  const { client, close } = await talk();
  client.send('user joe\npass pencil\nNewPass crayon\nquit\n');
  assert.is(
    await client.rest(),
    '300 please send the PASS\r\n200 login OK\r\n200 password changed\r\n200 connection closed\r\n',
  );
  await close();
});

test('W-10: the argument is the rest of the line: blanks inside, before and behind belong to the password', async () => {
  const { talk, takes } = await real();
  const { askAll, close } = await talk();
  assert.is(await askAll('USER joe', 'PASS pencil', 'NEWPASS  a  b '), '200 password changed');
  await close();
  assert.equal(await takes('joe', ' a  b '), [true, true]);
  for (const other of ['a  b', ' a  b', 'a b ']) assert.equal(await takes('joe', other), [false, false], other);
});

test('W-11: names of 64 characters and passwords of 128 and far more; beyond a line of 4096 octets it is 5xx', async () => {
  const local = 'n'.repeat(64);
  const long = account({
    name: `${local}@example.test`,
    credentials: { DEFAULT: await credential('p'.repeat(128), 1) },
  });
  const { talk, takes } = await real(long);
  const { ask, askAll, close } = await talk();
  assert.is(await ask(`USER ${local}x`), '300 please send the PASS');
  assert.is(await ask(`PASS ${'p'.repeat(128)}`), WRONG);
  assert.is(await ask(`USER ${'n'.repeat(5000)}`), '501 line too long');
  assert.is(await askAll(`USER ${local}`, `PASS ${'p'.repeat(5000)}`), '501 line too long');
  assert.is(await askAll(`USER ${local}`, `PASS ${'p'.repeat(128)}`), '200 login OK');
  assert.is(await ask(`NEWPASS ${'q'.repeat(5000)}`), '501 line too long');
  assert.is(await ask(`NEWPASS ${'q'.repeat(1000)}`), '200 password changed');
  await close();
  assert.is((await takes(local, 'q'.repeat(1000)))[0], true);
});

test('W-13, W-14: where the account may not change it NEWPASS is refused and the old password stands; an administrator may', async () => {
  const { talk, takes, admin } = await real();
  assert.ok((await setAccount(admin, 'joe', { settings: { passwordChange: false } })).ok);
  const { ask, askAll, close } = await talk();
  assert.is(await askAll('USER joe', 'PASS pencil'), '200 login OK');
  assert.is(await ask('NEWPASS crayon'), '500 not changed: this account may not change its password');
  await close();
  assert.equal(await takes('joe', 'pencil'), [true, true]);
  assert.ok((await setPassword(admin, 'joe', 'DEFAULT', 'crayon')).ok);
  assert.equal(await takes('joe', 'crayon'), [true, true]);
  assert.ok((await setAccount(admin, 'joe', { settings: { passwordChange: true } })).ok);
  const again = await talk();
  assert.is(await again.askAll('USER joe', 'PASS crayon', 'NEWPASS chalk'), '200 password changed');
  await again.close();
});

test('W-19: whole names and bare ones; a bare one is of the default domain, in any case', async () => {
  const elsewhere = account({
    name: 'joe@other.test',
    id: 'id-joe-other',
    credentials: { DEFAULT: await credential('feather', 1) },
  });
  const { takes } = await real(elsewhere);
  assert.equal(await takes('joe', 'pencil'), [true, true]);
  assert.equal(await takes('Joe@Example.TEST', 'pencil'), [true, true]);
  assert.equal(await takes('joe@other.test', 'feather'), [true, true]);
  assert.equal(await takes('joe@other.test', 'pencil'), [false, false]);
  assert.equal(await takes('joe', 'feather'), [false, false]);
});

test('W-28, W-29: the old password again is a change, an empty one is none', async () => {
  const { talk, takes } = await real();
  const { ask, askAll, close } = await talk();
  assert.is(await askAll('USER joe', 'PASS pencil'), '200 login OK');
  assert.is(await ask('NEWPASS'), '501 new password required');
  assert.is(await ask('NEWPASS '), '501 new password required');
  assert.is(await ask('NEWPASS pencil'), '200 password changed');
  await close();
  assert.equal(await takes('joe', 'pencil'), [true, true]);
});

test('a new password that could never be typed again is refused, and the old one stands', async () => {
  const { talk, takes } = await real();
  const { ask, askAll, close } = await talk();
  await askAll('USER joe', 'PASS pencil');
  assert.match(await ask('NEWPASS bell\x07'), /^500 not changed/);
  await close();
  assert.equal(await takes('joe', 'pencil'), [true, true]);
});

test('W-30: after the 200 the new password is right at once, by PASS, AUTH and APOP, and the old one by none', async () => {
  const { talk, talkPop3 } = await real();
  const changing = await talk();
  assert.is(await changing.askAll('USER joe', 'PASS pencil', 'NEWPASS crayon'), '200 password changed');
  await changing.close();
  const ways: Readonly<Record<string, (client: Conversation, secret: string) => Promise<string>>> = {
    PASS: ({ askAll }, secret) => askAll('USER joe', `PASS ${secret}`),
    AUTH: ({ ask }, secret) => ask(`AUTH PLAIN ${Buffer.from(`\0joe\0${secret}`).toString('base64')}`),
    APOP: ({ ask, greeting }, secret) => {
      const timestamp = /<[^>]+>/.exec(greeting)![0];
      return ask(`APOP joe ${createHash('md5').update(timestamp).update(secret).digest('hex')}`);
    },
  };
  for (const [way, logIn] of Object.entries(ways)) {
    const client = await talkPop3();
    assert.match(await logIn(client, 'pencil'), /^-ERR \[AUTH\]/, way);
    assert.match(await logIn(client, 'crayon'), /^\+OK/, way);
    await client.ask('QUIT');
    await client.close();
  }
});

test.run();
