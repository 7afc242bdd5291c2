/** A rename is two changes: what stands between them, who finishes it, and what no interruption may do. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AccountRefusal,
  type Administration,
  addAccount,
  setAccount,
  setPassword,
} from '../../../actors/authenticator/accounts.ts';
import { deleteAccount } from '../../../actors/authenticator/delete-account.ts';
import { renameAccount } from '../../../actors/authenticator/rename-account.ts';
import { accountVerbs } from '../../../admin/account-verbs.ts';
import type { Account } from '../../../cluster/directory/account.ts';
import type { Directory } from '../../../cluster/directory/directory.ts';
import type { Result } from '../../../kernel/result.ts';
import { fakeDirectory } from './fake-directory.ts';

const [JOE, JIM] = ['joe@example.test', 'jim@example.test'];

/** `before` is called before each change, with its number from 1: an error it throws is a crash there. */
async function world(before: (change: number) => Promise<void> | void = () => {}) {
  const directory = fakeDirectory();
  let operations = 0;
  const quiet: Administration = {
    directory,
    defaultDomain: 'example.test',
    sharedName: 'shared',
    credentials: { iterations: 4096, keepPlain: true },
    nextOperation: () => `op-${++operations}`,
  };
  await addAccount(quiet, { name: JOE, mailHost: 'n1', secret: 'pencil', settings: { quotaMessages: 7 } });
  let changes = 0;
  const counted: Directory = {
    ...directory,
    async change(...given) {
      await before(++changes);
      return directory.change(...given);
    },
  };
  return { directory, quiet, admin: { ...quiet, directory: counted } };
}

const accepted = <T>(answer: Result<T, AccountRefusal>): T => {
  if (!answer.ok) throw new Error(answer.refusal.message);
  return answer.value;
};
const codeOf = (answer: Result<unknown, AccountRefusal>) => (answer.ok ? 'ok' : answer.refusal.code);
const crash = () => {
  throw new Error('crash');
};
const mustCrash = (work: Promise<unknown>) =>
  work.then(
    () => assert.unreachable('no crash'),
    (error: Error) => assert.is(error.message, 'crash'),
  );

test('all but the name stays, under versions above all that the id had', async () => {
  const { admin, directory } = await world();
  const before = directory.find(JOE)!;
  accepted(await renameAccount(admin, 'Joe', 'jim'));
  assert.is(directory.find(JOE), undefined);
  const { id, mailHost, credentials, settings, status, version } = directory.find(JIM)!;
  assert.equal(
    { id, mailHost, credentials, settings, status },
    {
      id: before.id,
      mailHost: before.mailHost,
      credentials: before.credentials,
      settings: before.settings,
      status: before.status,
    },
  );
  assert.ok(version > before.version + 1);
  assert.is(directory.findById(id)?.name, JIM);
  accepted(await setPassword(admin, JIM, 'DEFAULT', 'new'));
  assert.ok(directory.find(JIM)!.credentials.DEFAULT!.revision > before.version + 1);
  accepted(await renameAccount(admin, JIM, JOE));
  assert.ok(directory.find(JOE)!.version > version, 'and back, higher still');
  assert.is(accepted(await renameAccount(admin, JIM, JOE)).name, JOE, 'asked again it is done');
});

test('a name that is taken, missing or its own is refused, and nothing changes', async () => {
  const { admin, directory } = await world();
  accepted(await addAccount(admin, { name: JIM, mailHost: 'n1' }));
  const before = JSON.stringify([directory.find(JOE), directory.find(JIM)]);
  assert.is(codeOf(await renameAccount(admin, JOE, JIM)), 'exists');
  assert.is(codeOf(await renameAccount(admin, JOE, 'JOE')), 'exists');
  assert.is(codeOf(await renameAccount(admin, 'nobody', 'somebody')), 'no-such-account');
  assert.is(codeOf(await renameAccount(admin, JOE, 'a b')), 'bad-name');
  assert.is(JSON.stringify([directory.find(JOE), directory.find(JIM)]), before);
});

test('after a crash between the two changes both names are the account; again finishes it, reversed undoes it', async () => {
  for (const [from, to] of [
    [JOE, JIM],
    [JIM, JOE],
  ] as const) {
    const { admin, quiet, directory } = await world((change) => (change === 2 ? crash() : undefined));
    await mustCrash(renameAccount(admin, JOE, JIM));
    assert.is(directory.find(JOE)?.id, directory.find(JIM)?.id);
    accepted(await renameAccount(quiet, from, to));
    assert.is(directory.find(from), undefined);
    assert.ok(directory.find(to)?.credentials.DEFAULT);
  }
});

test('a password changed after the crash, under either name, is the one that is kept', async () => {
  for (const changed of [JOE, JIM])
    for (const [from, to] of [
      [JOE, JIM],
      [JIM, JOE],
    ] as const) {
      const { admin, quiet, directory } = await world((change) => (change === 2 ? crash() : undefined));
      await mustCrash(renameAccount(admin, JOE, JIM));
      accepted(await setPassword(quiet, changed, 'DEFAULT', 'newer'));
      const { scram } = directory.find(changed)!.credentials.DEFAULT!;
      accepted(await renameAccount(quiet, from, to));
      assert.is(directory.find(from), undefined);
      assert.equal(directory.find(to)!.credentials.DEFAULT!.scram, scram, `${changed}, then ${from} to ${to}`);
    }
});

test('where both names were changed since, the operator decides, and the mail is not dropped with the wrong one', async () => {
  const { admin, quiet, directory } = await world((change) => (change === 2 ? crash() : undefined));
  await mustCrash(renameAccount(admin, JOE, JIM));
  accepted(await setAccount(quiet, JOE, { settings: { quotaMessages: 1 } }));
  accepted(await setAccount(quiet, JIM, { settings: { quotaMessages: 2 } }));
  for (const [from, to] of [
    [JOE, JIM],
    [JIM, JOE],
  ] as const) {
    const answer = await renameAccount(quiet, from, to);
    assert.ok(!answer.ok && /both were changed since/.test(answer.refusal.message));
  }
  const dropped: string[] = [];
  const verbs = accountVerbs({
    ...quiet,
    defaultMailHost: 'n1',
    knowsMailHost: () => true,
    vacate: async () => ({ messages: 0, mailboxes: 0 }),
    usage: async () => undefined,
    dropMail: async (_, id) => dropped.push(id) > 0,
  });
  const { id } = directory.find(JIM)!;
  const kept = await verbs['account.delete']!({ name: JOE });
  assert.ok(kept.ok && (kept.value as { mailOf: string }).mailOf === JIM);
  assert.equal(dropped, []);
  assert.ok((await verbs['account.delete']!({ name: JIM })).ok);
  assert.equal(dropped, [id]);
});

/** The verb `account.delete`, and the ids whose mail it dropped. */
function deletion(admin: Administration) {
  const dropped: string[] = [];
  const verbs = accountVerbs({
    ...admin,
    defaultMailHost: 'n1',
    knowsMailHost: () => true,
    vacate: async () => ({ messages: 0, mailboxes: 0 }),
    usage: async () => undefined,
    dropMail: async (_, id) => dropped.push(id) > 0,
  });
  return { remove: (name: string) => verbs['account.delete']!({ name }), dropped };
}

test('an account deleted during its rename stays deleted, whenever the deletion came', async () => {
  for (const moment of [1, 2])
    for (const name of moment === 1 ? [JOE] : [JOE, JIM]) {
      const { admin, quiet, directory } = await world(async (change) => {
        if (change === moment) assert.ok((await remove(name)).ok);
      });
      const { remove, dropped } = deletion(quiet);
      const { id } = directory.find(JOE)!;
      assert.not((await renameAccount(admin, JOE, JIM)).ok, `${name} before change ${moment}`);
      assert.equal([directory.find(JOE), directory.find(JIM)], [undefined, undefined]);
      assert.equal(dropped, [id]);
    }
});

test('asked again, a deletion removes the mail of an account that is gone for good, and of no other', async () => {
  const { quiet, directory } = await world();
  const { remove, dropped } = deletion(quiet);
  assert.not((await remove('nobody@example.test')).ok, 'there never was one');
  const { id } = directory.find(JOE)!;
  assert.ok((await renameAccount(quiet, JOE, JIM)).ok);
  assert.not((await remove(JOE)).ok, 'it is only called otherwise');
  assert.equal(dropped, []);
  assert.ok((await remove(JIM)).ok);
  const again = await remove(JIM);
  assert.equal(again.ok && again.value, { mailDropped: true, again: true });
  assert.equal(dropped, [id, id]);
  assert.not((await remove(JOE)).ok, 'that name was given up before');
  directory.put({ ...directory.last(JIM)!, deleted: undefined, id: 'another' } as unknown as Account);
  assert.ok((await remove(JIM)).ok);
  assert.equal(dropped, [id, id, 'another'], 'made anew it is another account');
});

test('the copy is taken back though it was changed, but not an account that only has the same name', async () => {
  const { admin, quiet, directory } = await world(async (change) => {
    if (change === 1) assert.ok((await deletion(quiet).remove(JOE)).ok);
    if (change === 3) accepted(await setPassword(quiet, JIM, 'POP', 'between'));
  });
  const answer = await renameAccount(admin, JOE, JIM);
  assert.ok(!answer.ok && /was deleted meanwhile: it is not renamed/.test(answer.refusal.message));
  assert.is(directory.find(JIM), undefined);

  const anew = await world(async (change) => {
    if (change !== 2) return;
    accepted(await deleteAccount(anew.quiet, JOE));
    accepted(await addAccount(anew.quiet, { name: JIM, mailHost: 'n1' }));
  });
  assert.not((await renameAccount(anew.admin, JOE, JIM)).ok);
  assert.is(anew.directory.find(JIM)?.renamedFrom, undefined);
});

test('the same rename, finished meanwhile by another hand, is done', async () => {
  const { admin, quiet, directory } = await world(async (change) => {
    if (change === 2) accepted(await renameAccount(quiet, JOE, JIM));
  });
  assert.is(accepted(await renameAccount(admin, JOE, JIM)).name, JIM);
  assert.is(directory.last(JOE)?.renamedTo, JIM);
});

test('deleting either name of an unfinished rename deletes both, then the mail; half done it is said so', async () => {
  for (const name of [JOE, JIM]) {
    const { admin, quiet, directory } = await world((change) => (change === 2 ? crash() : undefined));
    await mustCrash(renameAccount(admin, JOE, JIM));
    const { id } = directory.find(JOE)!;
    const { remove, dropped } = deletion(quiet);
    const answer = await remove(name);
    assert.ok(answer.ok);
    assert.equal((answer.value as { also: string[] }).also, [name === JOE ? JIM : JOE]);
    assert.equal([directory.find(JOE), directory.find(JIM)], [undefined, undefined]);
    assert.equal(dropped, [id]);
  }
  const { admin, directory } = await world((change) => {
    if (change === 2) crash();
    directory.fails = change === 4 ? 'unavailable' : undefined;
  });
  await mustCrash(renameAccount(admin, JOE, JIM));
  const { remove, dropped } = deletion(admin);
  assert.match(JSON.stringify(await remove(JOE)), /joe.* is deleted, but jim.* may not be: delete it too/);
  assert.equal(dropped, []);
  assert.ok((await remove(JIM)).ok);
  assert.is(dropped.length, 1);
});

test('a change that comes between is taken along', async () => {
  const { admin, quiet, directory } = await world(async (change) => {
    if (change === 2) accepted(await setPassword(quiet, JOE, 'POP', 'between'));
  });
  accepted(await renameAccount(admin, JOE, JIM));
  assert.is(directory.find(JOE), undefined);
  assert.ok(directory.find(JIM)!.credentials.POP);
});

test('a directory that can not be written changes nothing, or says that it is half done', async () => {
  const { admin, directory } = await world((change) => {
    directory.fails = change >= 2 ? 'unavailable' : undefined;
  });
  const half = await renameAccount(admin, JOE, JIM);
  assert.ok(!half.ok && /both .* are its names now; the same command again finishes it/.test(half.refusal.message));
  const whole = await renameAccount(admin, JIM, 'other');
  assert.ok(!whole.ok && /nothing was changed/.test(whole.refusal.message));
  directory.fails = undefined;
  assert.is(codeOf(await deleteAccount(admin, JOE)), 'unavailable');
});

test.run();
