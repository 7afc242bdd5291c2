/** An IMAP log-in over the bus: who gets in, that nobody does on an old password, and that what was opened is left. */
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AccountSessions } from '../../../actors/account-sessions.ts';
import { imapServices } from '../../../actors/front/imap-services.ts';
import type { SessionServices } from '../../../actors/imap/services.ts';
import { account } from '../authenticator/fake-directory.ts';
import { credential } from '../authenticator/fixtures.ts';
import { type House, house, SECRET } from '../imap/house.ts';
import { caller, never } from './fixtures.ts';

const ann = { name: 'Ann', proof: { mechanism: 'PLAIN', secret: SECRET } } as const;
const wrong = { ...ann, proof: { mechanism: 'PLAIN', secret: 'wrong' } } as const;
/** Whatever the reason beside it, which is for the log. */
const isRefused = (answer: { ok: boolean; refusal?: string }, refusal: string) =>
  assert.equal([answer.ok, answer.refusal], [false, refusal]);

const begun = (home: House, session = 'start.1'): SessionServices => home.services.begin({ ...caller, session });
const changed = async () =>
  account({ name: 'ann@example.test', version: 2, credentials: { DEFAULT: await credential('crayon', 2) } });

test('logs in by a name in any case, and knows whether it is an administrator', async () => {
  const home = await house();
  const session = begun(home);
  assert.equal(await session.logIn(ann, never), {
    ok: true,
    value: { account: 'ann@example.test', accountId: 'id-ann', mailHost: 'n1', isAdministrator: false },
  });
  await session.leave();
  const root = begun(home, 'start.2');
  const answer = await root.logIn({ ...ann, name: 'root' }, never);
  assert.ok(answer.ok && answer.value.isAdministrator);
  await root.leave();
  await home.stop();
});

test('wrong passwords, unknown names and names that SASLprep refuses are one refusal', async () => {
  const home = await house();
  const session = begun(home);
  isRefused(await session.logIn(wrong, never), 'bad-credentials');
  isRefused(await session.logIn({ ...ann, name: 'nobody' }, never), 'bad-credentials');
  isRefused(await session.logIn({ ...ann, name: 'ann\u0000\r\n' }, never), 'bad-credentials');
  assert.ok((await session.logIn(ann, never)).ok, 'and it may be tried again');
  await session.leave();
  await home.stop();
});

for (const operation of ['open', 'verify'] as const)
  test(`a password changed during ${operation} lets nobody in`, async () => {
    const home = await house();
    const next = await changed();
    const ask = home.bus.ask.bind(home.bus);
    home.bus.ask = async (subject, request, options) => {
      const answer = await ask(subject, request, options);
      if (subject.endsWith(`.${operation}`)) home.directory.put(next);
      return answer;
    };
    const session = begun(home);
    isRefused(await session.logIn(ann, never), 'bad-credentials');
    home.bus.ask = ask;
    assert.ok((await session.logIn({ ...ann, proof: { mechanism: 'PLAIN', secret: 'crayon' } }, never)).ok);
    await session.leave();
    await home.stop();
  });

test('no more sessions of an account than it may have, and each place is given back once', async () => {
  const home = await house();
  const accountSessions = new AccountSessions(1);
  const services = imapServices({
    ...{ front: home.front, watch: home.watch, accountSessions, quota: { octets: 0, messages: 0 } },
    ...{ defaultMailboxes: [], mailHosts: () => ['n1', 'n2'], nextOperation: () => 'x' },
  });
  const one = services.begin({ ...caller, session: 'start.1' });
  const other = services.begin({ ...caller, session: 'start.2' });
  assert.ok((await one.logIn(ann, never)).ok);
  isRefused(await other.logIn(ann, never), 'too-many-sessions');
  isRefused(await other.logIn(wrong, never), 'bad-credentials');
  await one.leave();
  assert.ok((await other.logIn(ann, never)).ok);
  await other.leave();
  assert.is(accountSessions.of('id-ann'), 0);
  await home.stop();
});

test('a log-in that was aborted, however late, leaves nothing open and no place taken', async () => {
  const home = await house();
  const accountSessions = new AccountSessions(1);
  const services = imapServices({
    ...{ front: home.front, watch: home.watch, accountSessions, quota: { octets: 0, messages: 0 } },
    ...{ defaultMailboxes: [], mailHosts: () => ['n1', 'n2'], nextOperation: () => 'x' },
  });
  const gone = new AbortController();
  const ask = home.bus.ask.bind(home.bus);
  let closes = 0;
  home.bus.ask = async (subject, request, options) => {
    if (subject.endsWith('.open')) gone.abort(new Error('the client is gone'));
    if (subject.endsWith('.close')) closes += 1;
    return await ask(subject, request, options);
  };
  const session = services.begin({ ...caller, session: 'start.1' });
  assert.not((await session.logIn(ann, gone.signal)).ok);
  await session.leave();
  for (let turns = 0; closes === 0 && turns < 100; turns++) await turn();
  assert.is(closes, 1);
  assert.is(accountSessions.of('id-ann'), 0);
  assert.is(home.watch.size, 0);
  await home.stop();
});

test('another mailHost gets a session of its own, opened once however many ask, and left with the rest', async () => {
  const home = await house();
  const session = begun(home);
  await session.logIn(ann, never);
  const [one, other] = await Promise.all([session.owner('n2'), session.owner('n2')]);
  assert.ok(one.ok && other.ok && one.value === other.value);
  assert.is(one.value.mailHost, 'n2');
  const own = await session.owner('n1');
  assert.ok(own.ok && own.value.id !== one.value.id);
  assert.ok((await one.value.read('sharing-accounts', { limit: 10 })).ok);
  await session.leave();
  assert.equal(await one.value.read('sharing-accounts', { limit: 10 }), { ok: false, refusal: 'ended' });
  isRefused(await session.owner('n2'), 'unavailable');
  await home.stop();
});

test('a session that its owner has ended is opened anew when it is asked for again', async () => {
  const home = await house();
  const session = begun(home);
  await session.logIn(ann, never);
  const first = await session.owner('n1');
  assert.ok(first.ok);
  await home.bus.ask(home.front.subjects.mail('n1', 'drop-account'), { account: 'id-ann' }, { timeoutMs: 5_000 }); // as an operator does, and so its sessions end
  await first.value.read('list-mailboxes', { account: 'id-ann', limit: 1 });
  const second = await session.owner('n1');
  assert.ok(second.ok);
  assert.ok((await second.value.read('list-mailboxes', { account: 'id-ann', limit: 1 })).ok);
  await session.leave();
  await home.stop();
});

test('leaving waits for no owner that is away: not for one that is being opened, and for one that was for one request', async () => {
  const home = await house();
  const attemptMs = 50;
  const accountSessions = new AccountSessions(1);
  const services = imapServices({
    ...{ front: { ...home.front, patienceMs: 600_000, attemptMs }, watch: home.watch, accountSessions },
    ...{ quota: { octets: 0, messages: 0 }, defaultMailboxes: [], mailHosts: () => ['n1', 'n2'] },
    nextOperation: () => 'x',
  });
  const session = services.begin({ ...caller, session: 'start.1' });
  assert.ok((await session.logIn(ann, never)).ok);
  await home.takeOver('n2', false);
  const opening = session.owner('n2');
  const own = await session.owner('n1');
  assert.ok(own.ok);
  await home.takeOver('n1', false);
  const reading = own.value.read('list-mailboxes', { account: 'id-ann', limit: 1 });
  for (let turns = 0; turns < 10; turns++) await turn();
  session.vacate(true);
  assert.is(accountSessions.of('id-ann'), 1, 'what goes on without its client counts');
  assert.is(await session.owner('n1'), own, 'and the owner that it goes on with is there');
  session.vacate(false);
  assert.is(accountSessions.of('id-ann'), 0, 'the place is free before anything is answered');
  isRefused(await opening, 'unavailable');
  isRefused(await session.owner('n3'), 'unavailable');
  await session.leave();
  isRefused(await reading, 'ended');
  await home.takeOver('n1');
  await home.takeOver('n2');
  await home.stop();
});

test('usage and quota: what the owner counts, and a limit that the directory keeps', async () => {
  const home = await house();
  await home.deliver('ann', 'Subject: x\r\n\r\nx\r\n');
  const session = begun(home);
  const usage = await session.usage({ mailHost: 'n1', account: 'id-ann' });
  assert.ok(usage.ok && usage.value.messages === 1 && usage.value.octets > 10);
  assert.ok((await session.setQuota('ann@example.test', { octets: 2048 })).ok);
  assert.equal(session.accounts.byId('id-ann')!.quota, { quotaOctets: 2048 });
  assert.ok((await session.setQuota('ann@example.test', { octets: null })).ok);
  assert.equal(session.accounts.byId('id-ann')!.quota, {});
  assert.equal(await session.setQuota('nobody@example.test', { octets: 1 }), { ok: false, refusal: 'no-such-account' });
  await home.takeOver('n1', false);
  assert.equal(await session.usage({ mailHost: 'n1', account: 'id-ann' }), { ok: false, refusal: 'unavailable' });
  await session.leave();
  await home.stop();
});

test.run();
