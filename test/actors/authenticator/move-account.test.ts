/** An account moves when it has no mail, wherever the move is interrupted, and whatever is delivered meanwhile. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AccountRefusal } from '../../../actors/authenticator/accounts.ts';
import { type MoveOptions, moveAccount } from '../../../actors/authenticator/move-account.ts';
import type { Left } from '../../../actors/mailbox-owner/requests.ts';
import type { Result } from '../../../kernel/result.ts';
import { account, fakeDirectory } from './fake-directory.ts';

const JOE = 'joe@example.test';

/** `left`: what the owner says, time after time; a number is one of messages. */
function world(...left: (number | Left | undefined)[]) {
  const directory = fakeDirectory(account());
  const asked: string[] = [];
  let operations = 0;
  const admin: MoveOptions = {
    directory,
    defaultDomain: 'example.test',
    sharedName: 'shared',
    credentials: { iterations: 4096, keepPlain: true },
    nextOperation: () => `move-${++operations}`,
    async vacate(mailHost, id, moved) {
      const found = directory.find(JOE)!;
      asked.push(
        `${mailHost} ${id} while at ${found.mailHost}${found.movingFrom ? ' moving' : ''}${moved ? ', moved' : ''}`,
      );
      const messages = left.shift();
      return typeof messages === 'number' ? { messages, mailboxes: 0 } : messages;
    },
  };
  const place = () => {
    const { mailHost, movingFrom } = directory.find(JOE)!;
    return [mailHost, movingFrom];
  };
  return { admin, directory, asked, place };
}

const refusalOf = (answer: Result<unknown, AccountRefusal>): string => (answer.ok ? 'ok' : answer.refusal.message);

test('an account without mail moves; its old mailHost is asked again while it is between the two', async () => {
  const { admin, asked, place } = world(0, 0);
  const moved = await moveAccount(admin, 'Joe', 'n2');
  assert.ok(moved.ok && moved.value.mailHost === 'n2');
  assert.equal(place(), ['n2', undefined]);
  assert.equal(asked, ['n1 id-joe while at n1', 'n1 id-joe while at n2 moving, moved']);
  assert.ok((await moveAccount(admin, JOE, 'n2')).ok, 'there already');
  assert.is(asked.length, 2);
});

test('an account with mail, or one whose owner is silent, is not touched', async () => {
  const { admin, directory, place } = world(3, undefined);
  const before = directory.find(JOE)!.version;
  assert.match(
    refusalOf(await moveAccount(admin, JOE, 'n2')),
    /it has 3 messages on n1, and only an account without mail/,
  );
  assert.match(refusalOf(await moveAccount(admin, JOE, 'n2')), /the owner of n1 does not answer/);
  assert.equal(place(), ['n1', undefined]);
  assert.is(directory.find(JOE)!.version, before);
});

test('mailboxes of its own keep an account where it is, without any mail', async () => {
  const { admin, place } = world({ messages: 0, mailboxes: 2 }, { messages: 1, mailboxes: 2 });
  assert.match(refusalOf(await moveAccount(admin, JOE, 'n2')), /it has 2 mailboxes beside INBOX on n1/);
  assert.match(refusalOf(await moveAccount(admin, JOE, 'n2')), /it has 1 messages and 2 mailboxes beside INBOX on n1/);
  assert.equal(place(), ['n1', undefined]);
});

test('mail that came meanwhile, or an owner that fell silent, brings it back', async () => {
  for (const second of [1, undefined]) {
    const { admin, place } = world(0, second);
    assert.match(refusalOf(await moveAccount(admin, JOE, 'n2')), /stays on n1/);
    assert.equal(place(), ['n1', undefined]);
  }
});

test('an interrupted move is finished or undone by name, and no third mailHost comes between', async () => {
  for (const [target, expected] of [
    ['n2', 'n2'],
    ['n1', 'n1'],
  ] as const) {
    const { admin, directory, place } = world(0);
    directory.put({ ...directory.find(JOE)!, mailHost: 'n2', movingFrom: 'n1' });
    assert.match(refusalOf(await moveAccount(admin, JOE, 'n3')), /is between them: name one of the two/);
    assert.ok((await moveAccount(admin, JOE, target)).ok);
    assert.equal(place(), [expected, undefined]);
  }
});

test('an account with two names is not moved', async () => {
  const { admin, directory, asked, place } = world(0, 0);
  directory.put({ ...directory.find(JOE)!, name: 'jim@example.test' });
  assert.match(refusalOf(await moveAccount(admin, JOE, 'n2')), /one account since an unfinished rename/);
  assert.equal(place(), ['n1', undefined]);
  assert.equal(asked, []);
});

test('a directory that can not be written is said to be so', async () => {
  const { admin, directory, place } = world(0);
  directory.fails = 'unavailable';
  assert.match(refusalOf(await moveAccount(admin, JOE, 'n2')), /nothing was changed/);
  assert.equal(place(), ['n1', undefined]);
});

test.run();
