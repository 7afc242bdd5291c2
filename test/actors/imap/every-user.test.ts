/** An administrator's list of all users' mailboxes: as the client reads, without a step more than that, and never at others' cost. */
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EveryUser } from '../../../actors/imap/every-user.ts';
import type { ImapSession } from '../../../actors/imap/imap-session.ts';
import { Names } from '../../../actors/imap/names.ts';
import { Pattern } from '../../../actors/imap/patterns.ts';
import type { KnownAccount } from '../../../actors/imap/services.ts';
import { accept, refuse } from '../../../kernel/result.ts';
import { account } from '../authenticator/fake-directory.ts';
import { inHouse } from './client.ts';

const HOLDER = { account: 'root@example.test', accountId: 'id-root', mailHost: 'n1', isAdministrator: true };

/** A directory of so many users, of whom each has INBOX, on two mailHosts by turns. */
function world(users: number, away: readonly string[] = []) {
  const all: KnownAccount[] = Array.from({ length: users }, (_, at) => ({
    ...{ name: `u${at}@example.test`, id: `id-u${at}`, mailHost: `n${(at % 2) + 1}`, isShared: false, quota: {} },
  }));
  const seen = { pulled: 0, asked: 0, opened: 0 };
  const accounts = {
    named: (name: string) => all.find((each) => each.name === name),
    byId: (id: string) => all.find((each) => each.id === id),
    *all() {
      for (const each of all) {
        seen.pulled += 1;
        yield each;
      }
    },
  };
  const read = async () => {
    seen.asked += 1;
    const inbox = { name: 'INBOX', mailbox: 1, uidValidity: 1, rights: 'lrswipkxtea' };
    return accept({ entries: [inbox], next: null });
  };
  const constants = { defaultDomain: 'example.test', sharedName: 'shared' };
  const session = {
    hasLeft: false,
    holder: HOLDER,
    services: { accounts, mailHosts: () => ['n1', 'n2'] },
    // Casts: of the constants only these are looked at, and of the session what is here.
    names: new Names(HOLDER, constants as ImapSession['constants'], accounts),
    async owner(mailHost: string) {
      seen.opened += 1;
      return away.includes(mailHost) ? refuse('unavailable' as const) : accept({ read });
    },
  };
  const listing = (pattern: string, subscribed: readonly string[] = []) =>
    new EveryUser(session as unknown as ImapSession, {
      patterns: [new Pattern(pattern)],
      selection: [],
      subscribed,
    });
  return { session, seen, listing };
}

async function allOf(every: EveryUser): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const some of every.names([])) names.push(...some.map(({ name }) => name));
  return names;
}

test('each user is told of once, and none that the pattern does not reach is asked for', async () => {
  const all = world(50);
  assert.equal(
    await allOf(all.listing('user/*')),
    Array.from({ length: 50 }, (_, at) => `user/u${at}`),
  );
  const few = world(50);
  assert.equal(await allOf(few.listing('user/u4%')), [
    'user/u4',
    ...Array.from({ length: 10 }, (_, at) => `user/u4${at}`),
  ]);
  assert.is(few.seen.asked, 11);
});

test('no more accounts are looked at than the client has read of', async () => {
  const { listing, seen } = world(10_000);
  const names = listing('user/*').names([]);
  for (let pieces = 0; pieces < 3; pieces++) await names.next();
  assert.ok(seen.pulled <= 40, `${seen.pulled} accounts for two pieces`);
  await names.return(undefined);
  await turn();
  assert.ok(seen.pulled <= 40);
});

test('it ends when the client has gone', async () => {
  const { listing, session, seen } = world(10_000);
  const names = listing('user/*').names([]);
  await names.next();
  await names.next();
  session.hasLeft = true;
  assert.ok((await names.next()).done);
  assert.ok(seen.asked <= 8);
});

test('others run while many accounts are looked at that nobody asked for', async () => {
  const { listing, session, seen } = world(10_000);
  let turns = 0;
  let isOver = false;
  const others = (async () => {
    for (; !isOver; turns++) {
      if (turns === 20) session.hasLeft = true; // and hears that the client has gone
      await turn();
    }
  })();
  assert.equal(await allOf(listing('user/nobody*')), []);
  isOver = true;
  await others;
  assert.ok(turns >= 20);
  assert.ok(seen.pulled < 10_000);
});

test('a mailHost that is away is asked once for a handful, not for each of its users', async () => {
  const { listing, seen } = world(1_000, ['n2']);
  const every = listing('user/*');
  assert.is((await allOf(every)).length, 500);
  assert.ok(every.isPartial);
  assert.ok(seen.opened <= 500 + 8, `${seen.opened} times`);
});

test('what is subscribed to stands with its user, and what is nobody’s with the others', async () => {
  const { listing } = world(3);
  const subscribed = ['Mine', 'user/u1', 'user/u2/Work', 'user/gone/x', 'user'];
  assert.equal(listing('user/*', subscribed).otherSubscriptions, ['Mine', 'user/gone/x', 'user']);
});

test('over the wire: users of all mailHosts, what stands above them once, and the end of it with its status', async () => {
  await inHouse(async ({ logIn, directory }) => {
    for (let at = 0; at < 40; at++)
      directory.put(account({ name: `u${at}@example.test`, id: `id-u${at}`, mailHost: at % 2 === 0 ? 'n1' : 'n2' }));
    const root = await logIn('root');
    for (let at = 0; at < 40; at++) await root.ok(`CREATE user/u${at}/Box`);
    const expected = Array.from({ length: 40 }, (_, at) => `user/u${at}/Box`).sort();
    const namesOf = (told: readonly string[]) => told.map((each) => / "\/" "?(.*?)"?$/.exec(each)![1]!).sort();
    assert.equal(namesOf(await root.ok('LIST "" user/*/Box')), expected);
    const levels = await root.ok('LIST () "" ("%" "user/%")');
    assert.is(levels.filter((each) => each.endsWith(' user')).length, 1);
    assert.match(levels.find((each) => each.endsWith(' user'))!, /\\NonExistent \\HasChildren/);
    assert.is(namesOf(levels).filter((each) => each.startsWith('user/u')).length, 40);
    await root.ok('SUBSCRIBE user/u7/Box');
    assert.equal(await root.ok('LIST (SUBSCRIBED) "" user/*'), ['LIST (\\HasNoChildren \\Subscribed) "/" user/u7/Box']);
    const status = await root.ok('LIST "" user/u7/* RETURN (STATUS (MESSAGES))');
    assert.equal(status, ['LIST (\\HasNoChildren) "/" user/u7/Box', 'STATUS user/u7/Box (MESSAGES 0)']);
  });
});

test('over the wire: a client that goes in the middle leaves nothing running', async () => {
  await inHouse(async ({ logIn, directory, bus }) => {
    for (let at = 0; at < 5_000; at++)
      directory.put(account({ name: `u${at}@example.test`, id: `id-u${at}`, mailHost: 'n1' }));
    const root = await logIn('root');
    let asked = 0;
    const ask = bus.ask.bind(bus);
    bus.ask = async (subject, ...rest) => {
      if (subject.endsWith('.list-mailboxes') && ++asked === 100) root.wire.destroy();
      return await ask(subject, ...rest);
    };
    root.say('LIST "" user/*');
    await root.wire.line('the end').catch(() => undefined);
    for (let turns = 0; turns < 200; turns++) await turn();
    assert.ok(asked >= 100 && asked < 1_000, `${asked} accounts`);
  });
});

test.run();
