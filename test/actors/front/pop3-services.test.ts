/** A POP3 log-in over the bus: who gets the maildrop, and that nobody gets it on an old password. */
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AccountSessions } from '../../../actors/account-sessions.ts';
import { pop3Services } from '../../../actors/front/pop3-services.ts';
import type { SessionServices } from '../../../actors/pop3/services.ts';
import { credential, joe } from '../authenticator/fixtures.ts';
import { caller, house, never } from './fixtures.ts';

const pencil = { name: 'Joe', proof: { mechanism: 'PLAIN', secret: 'pencil' } } as const;
const wrong = { ...pencil, proof: { mechanism: 'PLAIN', secret: 'wrong' } } as const;
const refused = (refusal: string) => ({ ok: false, refusal });
/** Whatever the reason beside it, which is for the log. */
const isRefused = (answer: { ok: boolean; refusal?: string }, refusal: string, what?: string) =>
  assert.equal([answer.ok, answer.refusal], [false, refusal], what);

type House = Awaited<ReturnType<typeof house>>;
/** joe's account id. */
const ID = (await joe()).id;

async function settled(isSo: () => boolean) {
  for (let turns = 0; !isSo() && turns < 100; turns += 1) await turn();
  assert.ok(isSo());
}

test('logs in, lists, retrieves, and QUIT removes and unlocks', async () => {
  const { front, host } = await house();
  host.messages.set(3, Buffer.from('three'));
  host.messages.set(9, Buffer.from('no'));
  const session = pop3Services(front).begin(caller);
  assert.equal(await session.logIn(pencil, never), {
    ok: true,
    value: {
      account: 'joe@example.test',
      accountId: 'id-joe',
      uidValidity: 7,
      entries: [
        { uid: 3, sizeOctets: 5 },
        { uid: 9, sizeOctets: 2 },
      ],
    },
  });
  assert.equal(await session.retrieve(4, never), refused('gone'));
  const retrieved = await session.retrieve(9, never);
  assert.ok(retrieved.ok);
  for await (const chunk of retrieved.value.body) assert.is(String(chunk), 'no');
  assert.equal(await session.expunge([3], never), { ok: true, value: null });
  assert.equal([...host.messages.keys()], [9]);
  assert.is(host.lockedBy, undefined);
});

test('P-21: IN-USE only to whoever has the right password', async () => {
  const { front, host } = await house();
  const services = pop3Services(front);
  assert.ok((await services.begin(caller).logIn(pencil, never)).ok);
  const second = services.begin({ ...caller, session: 'start.2' });
  isRefused(await second.logIn(pencil, never), 'in-use');
  isRefused(await second.logIn(wrong, never), 'bad-credentials');
  assert.is(host.lockedBy, 'start.1.1');
});

test('P-24: the owner is asked to hold the login delay, and its refusal is passed on to whoever has the right password', async () => {
  const { front, host } = await house();
  const asked: unknown[] = [];
  const handle = host.handle.bind(host);
  host.handle = (operation, request) => {
    if (operation === 'open') asked.push((request as { leastIntervalMs?: number }).leastIntervalMs);
    return handle(operation, request);
  };
  host.openRefusal = 'too-soon';
  const session = pop3Services(front, 60_000).begin(caller);
  isRefused(await session.logIn(pencil, never), 'too-soon');
  isRefused(await session.logIn(wrong, never), 'bad-credentials');
  host.openRefusal = undefined;
  assert.ok((await pop3Services(front).begin(caller).logIn(pencil, never)).ok);
  assert.equal(asked, [60_000, 0]);
});

test('RFC 6856 §2.2: a name is prepared by SASLprep, and one that it prohibits is nobody', async () => {
  const { front } = await house();
  const logIn = (name: string) =>
    pop3Services(front)
      .begin(caller)
      .logIn({ ...pencil, name }, never);
  isRefused(await logIn('joe\u200e'), 'bad-credentials');
  assert.ok((await logIn('\uff4a\uff4f\uff45')).ok); // full width, as some keyboards type it
});

test('a session that was refused may try again and get in, under another name at the owner', async () => {
  const { front, host } = await house();
  const session = pop3Services(front).begin(caller);
  host.openRefusal = 'full';
  isRefused(await session.logIn(pencil, never), 'unavailable');
  host.openRefusal = undefined;
  assert.ok((await session.logIn(pencil, never)).ok);
  assert.is(host.lockedBy, 'start.1.2');
  await session.leave();
  assert.is(host.lockedBy, undefined);
});

test('a password changed while the maildrop was being opened lets nobody in, and leaves it unlocked', async () => {
  for (const operation of ['open', 'list']) {
    const { front, host, directory, after, log } = await house();
    const changed = await joe({ version: 2, credentials: { DEFAULT: await credential('crayon', 2) } });
    after(operation, () => directory.put(changed));
    const session = pop3Services(front).begin(caller);
    isRefused(await session.logIn(pencil, never), 'bad-credentials');
    await settled(() => host.lockedBy === undefined);
    assert.ok(log.entries.some(({ fields }) => fields.fault === 'credential-changed'));
  }
});

test('an owner that knows of the change first says so, and the client hears what it hears of any wrong password', async () => {
  const { front, host, directory, after } = await house();
  const changed = await joe({ version: 2, credentials: { DEFAULT: await credential('crayon', 2) } });
  after('open', () => directory.put(changed));
  host.openRefusal = 'ticket-refused';
  isRefused(await pop3Services(front).begin(caller).logIn(pencil, never), 'bad-credentials');
});

test('a directory that went stale meanwhile is freshened, or the log-in is put off and the maildrop unlocked', async () => {
  const { front, host, directory, after } = await house();
  after('list', () => {
    directory.fresh = false;
  });
  const session = pop3Services(front).begin(caller);
  assert.ok((await session.logIn(pencil, never)).ok);
  await session.leave();
  directory.fresh = true;
  after('list', () => {
    directory.freshens = false;
  });
  isRefused(
    await pop3Services(front)
      .begin({ ...caller, session: 's.2' })
      .logIn(pencil, never),
    'unavailable',
  );
  await settled(() => host.lockedBy === undefined);
});

test('a client that vanishes during its log-in leaves the maildrop unlocked', async () => {
  for (const operation of ['open', 'list']) {
    const { front, host, after } = await house();
    const gone = new AbortController();
    after(operation, () => gone.abort(new Error('gone')));
    const session = pop3Services(front).begin(caller);
    await session.logIn(pencil, gone.signal);
    await session.leave();
    await settled(() => host.lockedBy === undefined && host.asked.includes('close'));
  }
});

/** Two sessions of joe, of whom one too many has come: `endings` are the ways in which the first gives its place back. */
const endings: Readonly<Record<string, (session: SessionServices) => Promise<unknown>>> = {
  'a log-in that is left': (session) => session.leave(),
  'an update': (session) => session.expunge([], never),
};
for (const [what, end] of Object.entries(endings))
  test(`an account has so many sessions here and no more; a place is given back by ${what}`, async () => {
    const { front } = await house();
    const accountSessions = new AccountSessions(1);
    const services = pop3Services(front, 0, accountSessions);
    const first = services.begin(caller);
    assert.ok((await first.logIn(pencil, never)).ok);
    const second = services.begin({ ...caller, session: 'start.2' });
    isRefused(await second.logIn(pencil, never), 'too-many-sessions');
    isRefused(await second.logIn(wrong, never), 'bad-credentials'); // only whoever has the password hears of it
    assert.is(accountSessions.of(ID), 1);
    await end(first);
    assert.is(accountSessions.of(ID), 0);
    assert.ok((await second.logIn(pencil, never)).ok);
    await second.leave();
    assert.is(accountSessions.of(ID), 0);
  });

test('a log-in that is refused, breaks or is abandoned keeps no place of its account', async () => {
  for (const operation of ['open', 'list']) {
    const failures: Readonly<Record<string, (around: House, gone: AbortController) => Promise<void> | void>> = {
      'a full disk': ({ host }) => {
        host.openRefusal = 'full';
      },
      'a changed password': async ({ after, directory }) => {
        const changed = await joe({ version: 2, credentials: { DEFAULT: await credential('crayon', 2) } });
        after(operation, () => directory.put(changed));
      },
      'a client that vanished': ({ after }, gone) => after(operation, () => gone.abort(new Error('gone'))),
      'an owner that answers nonsense': ({ host }) => {
        host.handle = () => ({ ok: true, value: {} });
      },
    };
    for (const [what, fail] of Object.entries(failures)) {
      const around = await house();
      const accountSessions = new AccountSessions(1);
      const gone = new AbortController();
      await fail(around, gone);
      const session = pop3Services(around.front, 0, accountSessions).begin(caller);
      const answer = await session.logIn(pencil, gone.signal).catch(() => ({ ok: false }));
      if (answer.ok) await session.leave(); // the machine's side does, for whatever was opened
      assert.is(accountSessions.of(ID), 0, `${what} at ${operation}`);
    }
  }
});

test('without an authenticator a log-in is put off', async () => {
  const { front, authenticator } = await house();
  await authenticator.stop();
  isRefused(await pop3Services(front).begin(caller).logIn(pencil, never), 'unavailable');
});

test('leaving does not wait for an owner that is not there, but goes on until there is one', async () => {
  const { front, host, clock, bus } = await house();
  const session = pop3Services(front).begin(caller);
  assert.ok((await session.logIn(pencil, never)).ok);
  let isDown = true;
  const handle = host.handle.bind(host);
  host.handle = (operation, request) => (isDown ? { ok: false, refusal: 'not-owner' } : handle(operation, request));
  const before = clock.monotonic();
  await clock.until(session.leave());
  assert.is(clock.monotonic() - before, front.attemptMs);
  assert.is(host.lockedBy, 'start.1.1');
  isDown = false;
  clock.advance(2_000);
  await settled(() => host.lockedBy === undefined);
  await bus.close();
});

test.run();
