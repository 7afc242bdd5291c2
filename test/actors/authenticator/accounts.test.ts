/** The administrator's operations over a directory. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkImport } from '../../../actors/authenticator/account-import.ts';
import { readAccountEdit } from '../../../actors/authenticator/account-settings.ts';
import {
  type Administration,
  addAccount,
  deletePassword,
  listAccounts,
  setAccount,
  setPassword,
  showAccount,
  testPassword,
} from '../../../actors/authenticator/accounts.ts';
import { deleteAccount } from '../../../actors/authenticator/delete-account.ts';
import type { Result } from '../../../kernel/result.ts';
import { fakeDirectory } from './fake-directory.ts';

function administration() {
  const directory = fakeDirectory();
  let operations = 0;
  const admin: Administration = {
    directory,
    defaultDomain: 'example.test',
    sharedName: 'shared',
    credentials: { iterations: 4096, keepPlain: true },
    nextOperation: () => `op-${++operations}`,
  };
  return { admin, directory };
}

const accepted = <T>(answer: Result<T, { readonly message: string }>): T => {
  if (!answer.ok) throw new Error(answer.refusal.message);
  return answer.value;
};
const codeOf = (answer: Result<unknown, { readonly code: string }>) => (answer.ok ? 'ok' : answer.refusal.code);

test('an account is added once, under its canonical name, and its password is right', async () => {
  const { admin, directory } = administration();
  const added = accepted(await addAccount(admin, { name: 'Joe', mailHost: 'n1', secret: 'pencil' }));
  assert.is(added.name, 'joe@example.test');
  assert.equal(added.passwords, [{ service: 'DEFAULT', revision: 1 }]);
  assert.is(accepted(await testPassword(admin, 'joe', 'DEFAULT', 'pencil')), true);
  assert.is(accepted(await testPassword(admin, 'joe', 'DEFAULT', 'Pencil')), false);
  assert.is(codeOf(await addAccount(admin, { name: 'joe@example.test', mailHost: 'n2' })), 'exists');
  assert.is(directory.find('joe@example.test')?.mailHost, 'n1');
});

test('an account made anew has another id, and its password a revision never used before', async () => {
  const { admin, directory } = administration();
  const first = accepted(await addAccount(admin, { name: 'joe', mailHost: 'n1', secret: 'one' }));
  accepted(await deleteAccount(admin, 'joe'));
  assert.is(codeOf(showAccount(admin, 'joe')), 'no-such-account');
  const second = accepted(await addAccount(admin, { name: 'joe', mailHost: 'n1', secret: 'two' }));
  assert.is.not(second.id, first.id);
  const { version, credentials } = directory.find('joe@example.test')!;
  assert.is(version, 3);
  assert.is(credentials.DEFAULT?.revision, 3);
});

test('names and passwords that can not be are refused in words', async () => {
  const { admin } = administration();
  const bad = await addAccount(admin, { name: 'a b', mailHost: 'n1' });
  assert.ok(!bad.ok && bad.refusal.code === 'bad-name' && /"a b"/.test(bad.refusal.message));
  assert.is(codeOf(await addAccount(admin, { name: 'anyone', mailHost: 'n1' })), 'bad-name');
  assert.is(codeOf(await addAccount(admin, { name: 'joe', mailHost: 'n1', secret: '' })), 'bad-secret');
  assert.equal(listAccounts(admin), []);
});

test('what is shown holds nothing of a password', async () => {
  const { admin, directory } = administration();
  accepted(await addAccount(admin, { name: 'joe', mailHost: 'n1', secret: 'pencil' }));
  const { scram } = directory.find('joe@example.test')!.credentials.DEFAULT!;
  const shown = JSON.stringify([accepted(showAccount(admin, 'joe')), listAccounts(admin)]);
  for (const secret of ['pencil', scram.salt, scram.storedKey, scram.serverKey]) assert.not.match(shown, secret);
});

test('a service has its own password until it is deleted, then DEFAULT serves it; DEFAULT is not tested in its stead', async () => {
  const { admin } = administration();
  accepted(await addAccount(admin, { name: 'joe', mailHost: 'n1', secret: 'one' }));
  assert.is(codeOf(await testPassword(admin, 'joe', 'POP', 'one')), 'no-password');
  const set = accepted(await setPassword(admin, 'joe', 'POP', 'two'));
  assert.equal(set.passwords, [
    { service: 'DEFAULT', revision: 1 },
    { service: 'POP', revision: 2 },
  ]);
  assert.is(accepted(await testPassword(admin, 'joe', 'POP', 'two')), true);
  accepted(await deletePassword(admin, 'joe', 'POP'));
  assert.is(codeOf(await deletePassword(admin, 'joe', 'POP')), 'no-password');
});

test('settings are read from words, set, removed, and leave each other alone', async () => {
  const { admin } = administration();
  accepted(await addAccount(admin, { name: 'joe', mailHost: 'n1', settings: { quotaMessages: 3 } }));
  const read = readAccountEdit({ status: 'noaccess', 'quota-octets': '1024', 'password-change': 'false' });
  assert.ok(read.ok);
  const set = accepted(await setAccount(admin, 'joe', read.value));
  assert.is(set.status, 'noaccess');
  assert.equal(set.settings, { quotaMessages: 3, quotaOctets: 1024, passwordChange: false });
  const none = readAccountEdit({ 'quota-octets': 'none' });
  assert.ok(none.ok);
  const removed = accepted(await setAccount(admin, 'joe', none.value));
  assert.equal(removed.settings, { quotaMessages: 3, passwordChange: false });
  assert.is(removed.status, 'noaccess');
});

test('a word that means nothing is named, with what is allowed', () => {
  for (const [words, says] of [
    [{ colour: 'red' }, /colour: no such setting/],
    [{ toString: 'x' }, /no such setting/],
    [{ status: 'gone' }, /"gone".*active, noaccess, disabled, deleted/],
    [{ 'quota-octets': '-1' }, /whole number/],
    [{ 'quota-messages': '1e3' }, /whole number/],
    [{ 'password-change': 'maybe' }, /`true` or `false`/],
  ] as const) {
    const read = readAccountEdit(words);
    assert.ok(!read.ok && says.test(read.refusal), JSON.stringify(words));
  }
});

test('an account that is not there is refused by every operation, and a directory that can not is told on', async () => {
  const { admin, directory } = administration();
  assert.is(codeOf(await setAccount(admin, 'joe', {})), 'no-such-account');
  assert.is(codeOf(await setPassword(admin, 'joe', 'POP', 'x')), 'no-such-account');
  assert.is(codeOf(await deletePassword(admin, 'joe', 'POP')), 'no-such-account');
  assert.is(codeOf(await deleteAccount(admin, 'joe')), 'no-such-account');
  for (const fails of ['unavailable', 'unknown'] as const) {
    directory.fails = fails;
    assert.is(codeOf(await addAccount(admin, { name: 'joe', mailHost: 'n1' })), fails);
    assert.is(codeOf(await setAccount(admin, 'joe', {})), fails);
  }
});

test('an import is looked over whole: each fault by its place, and no password in any', async () => {
  const { admin } = administration();
  accepted(await addAccount(admin, { name: 'joe', mailHost: 'n1' }));
  const faults = checkImport(
    admin,
    [
      { name: 'ann', password: 'pencil', mailHost: 'n1' },
      { name: 'Ann@example.test' },
      { name: 'joe' },
      { name: 'bob', mailHost: 'n9' },
      { name: 'bob b' },
      { name: 'cid', password: 'sec\u0000ret' },
      { name: 'dan', passwort: 'secret' },
      'eve',
      { password: 'secret' },
    ],
    (mailHost) => mailHost === 'n1',
  );
  assert.equal(
    faults.map(({ index }) => index),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  assert.not.match(JSON.stringify(faults), /secret|pencil|sec\\/);
});

test.run();
