/** A password change over the bus, whole, and what is known when its answer is not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AccountSessions } from '../../../actors/account-sessions.ts';
import { poppwdServices } from '../../../actors/front/poppwd-services.ts';
import { credential, joe } from '../authenticator/fixtures.ts';
import { caller, house, never } from './fixtures.ts';

const pencil = { name: 'joe', secret: 'pencil' };
const refused = (refusal: string) => ({ ok: false, refusal });
/** Whatever the reason beside it, which is for the log. */
const isRefused = (answer: { ok: boolean; refusal?: string }, refusal: string, what?: string) =>
  assert.equal([answer.ok, answer.refusal], [false, refusal], what);

test('the old password lets in until it is changed, the new one from then on', async () => {
  const { front } = await house();
  const session = poppwdServices(front, 30_000).begin(caller);
  assert.equal(await session.logIn(pencil, never), {
    ok: true,
    value: { account: 'joe@example.test', accountId: 'id-joe' },
  });
  assert.equal(await session.changePassword('crayon', never), { ok: true, value: null });
  isRefused(await session.logIn(pencil, never), 'bad-credentials');
  assert.equal(await session.logIn({ name: 'joe', secret: 'crayon' }, never), {
    ok: true,
    value: { account: 'joe@example.test', accountId: 'id-joe' },
  });
});

test("an administrator's reset between log-in and NEWPASS is a conflict", async () => {
  const { front, directory } = await house();
  const session = poppwdServices(front, 30_000).begin(caller);
  assert.ok((await session.logIn(pencil, never)).ok);
  directory.put(await joe({ version: 2, credentials: { DEFAULT: await credential('reset', 2) } }));
  assert.equal(await session.changePassword('crayon', never), refused('conflict'));
});

test('nobody there: not changed. An answer lost: not known', async () => {
  const { front, authenticator, clock, bus, subjects } = await house();
  const session = poppwdServices(front, 30_000).begin(caller);
  assert.ok((await session.logIn(pencil, never)).ok);
  await authenticator.stop();
  assert.equal(await session.changePassword('crayon', never), refused('unavailable'));
  await bus.serve(subjects.auth('change-password'), () => new Promise(() => {}));
  assert.equal(await clock.until(session.changePassword('crayon', never)), refused('unknown'));
});

test('poppwd sessions count among those of their account, until they are left or log in anew', async () => {
  const { front } = await house();
  const accountSessions = new AccountSessions(1);
  const id = (await joe()).id;
  const services = poppwdServices(front, 30_000, accountSessions);
  const [first, second] = [services.begin(caller), services.begin({ ...caller, session: 'start.2' })];
  assert.ok((await first.logIn(pencil, never)).ok);
  assert.equal(await second.logIn(pencil, never), refused('too-many-sessions'));
  assert.ok((await first.logIn(pencil, never)).ok);
  await first.logIn({ ...pencil, secret: 'wrong' }, never);
  assert.is(accountSessions.of(id), 0);
  assert.ok((await second.logIn(pencil, never)).ok);
  second.leave();
  first.leave();
  assert.is(accountSessions.of(id), 0);
});

test('a change without a log-in is our own mistake', async () => {
  const { front } = await house();
  const session = poppwdServices(front, 30_000).begin(caller);
  assert.instance(await session.changePassword('x', never).catch((error: unknown) => error), Error);
  await session.logIn({ ...pencil, secret: 'wrong' }, never);
  assert.instance(await session.changePassword('x', never).catch((error: unknown) => error), Error);
});

test('each log-in and change has a name of its own, for ever', async () => {
  const { front, bus, subjects } = await house();
  const named: string[] = [];
  await bus.serve(subjects.auth('change-password'), () => ({ ok: true, value: null }));
  const session = poppwdServices(front, 30_000).begin(caller);
  const ask = bus.ask.bind(bus);
  bus.ask = (subject, request, options) => {
    const { session: name, operation } = request as { session?: string; operation?: string };
    named.push(name ?? operation ?? '');
    return ask(subject, request, options);
  };
  await session.logIn(pencil, never);
  await session.changePassword('a', never);
  await session.changePassword('b', never);
  assert.is(new Set(named).size, 3);
});

test.run();
