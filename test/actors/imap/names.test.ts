/** Names of mailboxes in the three namespaces (RFC 2342, RFC 9051 §5.1, rows I-14, I-15 and I-35). */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Constants } from '../../../actors/imap/context.ts';
import { Names } from '../../../actors/imap/names.ts';
import type { Accounts, KnownAccount } from '../../../actors/imap/services.ts';

const account = (name: string, more: Partial<KnownAccount> = {}): KnownAccount => ({
  ...{ name, id: `id of ${name}`, mailHost: 'n1', isShared: false, quota: {} },
  ...more,
});
const everybody = [
  account('ann@example.test'),
  account('joe@example.test', { mailHost: 'n2' }),
  account('zoe@other.test'),
  account('shared@example.test', { isShared: true, mailHost: 'n3' }),
];
const accounts: Accounts = {
  named: (name) => everybody.find((each) => each.name === name),
  byId: (id) => everybody.find((each) => each.id === id),
  all: () => everybody,
};
const constants: Constants = {
  ...{ product: 'Homing', version: '0.1.0', defaultDomain: 'example.test', sharedName: 'shared', loginFailures: 3 },
  ...{ cleartextLogin: true, idleKeepaliveMs: 0, quotaVisible: false, appendLimitOctets: 0 },
};
const holder = {
  ...{ account: 'ann@example.test', accountId: 'id of ann@example.test', mailHost: 'n1', isAdministrator: false },
};
const names = new Names(holder, constants, accounts);

const resolved = (raw: string, isUtf8 = false): string => {
  const place = names.resolve(raw, isUtf8);
  if (!place.ok) return place.refusal;
  const { mailHost, account: of, name, shown } = place.value;
  return `${name} of ${accounts.byId(of)!.name} on ${mailHost}, shown as ${shown}`;
};

test('personal mailboxes have no prefix, and INBOX no case', () => {
  assert.is(resolved('Work/2026'), 'Work/2026 of ann@example.test on n1, shown as Work/2026');
  assert.is(resolved('iNbOx'), 'INBOX of ann@example.test on n1, shown as INBOX');
  assert.is(resolved('inbox/x'), 'INBOX/x of ann@example.test on n1, shown as INBOX/x');
  assert.is(resolved('INBOXES'), 'INBOXES of ann@example.test on n1, shown as INBOXES');
});

test("user/joe is joe's INBOX, user/joe/x his mailbox x, with or without the default domain", () => {
  assert.is(resolved('user/joe'), 'INBOX of joe@example.test on n2, shown as user/joe');
  assert.is(resolved('user/JOE@example.test/x/y'), 'x/y of joe@example.test on n2, shown as user/joe/x/y');
  assert.is(resolved('user/joe/inbox'), 'INBOX of joe@example.test on n2, shown as user/joe');
  assert.is(resolved('user/zoe@other.test'), 'INBOX of zoe@other.test on n1, shown as user/zoe@other.test');
});

test("one's own mailboxes can be reached the long way round, and are shown by the short name", () => {
  assert.is(resolved('user/ann'), 'INBOX of ann@example.test on n1, shown as INBOX');
  assert.is(resolved('user/ann/Work'), 'Work of ann@example.test on n1, shown as Work');
});

test('a personal mailbox whose name means something else is shown the long way round, and found there', () => {
  const me = everybody[0]!;
  const place = names.placeOf(me, 'shared/x');
  assert.is(place.shown, 'user/ann/shared/x');
  assert.is(resolved(place.shown), 'shared/x of ann@example.test on n1, shown as user/ann/shared/x');
});

test("shared/x is the domain's shared mailbox x", () => {
  assert.is(resolved('shared/bugs/2026'), 'bugs/2026 of shared@example.test on n3, shown as shared/bugs/2026');
  assert.is(resolved('user/shared/bugs'), 'bugs of shared@example.test on n3, shown as shared/bugs');
});

test('levels that are no mailboxes, and users that are none, have nothing', () => {
  for (const name of ['user', 'shared', 'user/nobody', 'user/nobody/x', 'user/shared'])
    assert.is(resolved(name), 'no-such-mailbox', name);
});

test('a domain without shared mailboxes has none', () => {
  const zoe = new Names(
    { ...holder, account: 'zoe@other.test', accountId: 'id of zoe@other.test' },
    constants,
    accounts,
  );
  assert.equal(zoe.resolve('shared/bugs', false), { ok: false, refusal: 'no-such-mailbox' });
});

test('names that no mailbox can have are refused: empty levels, controls, broken modified UTF-7 (RFC 3501 §5.1.3)', () => {
  for (const name of ['', '/', 'a//b', 'a/', '/a', 'a\u0000', 'a\r\nb', '&AO', '&AGE-'])
    assert.is(resolved(name), 'bad-name', JSON.stringify(name));
});

test('modified UTF-7 is what names are in until IMAP4rev2 is enabled', () => {
  assert.is(resolved('&AOk-t&AOk-'), 'été of ann@example.test on n1, shown as été');
  assert.is(resolved('été', true), 'été of ann@example.test on n1, shown as été');
  assert.is(resolved('&AOk-', true), '&AOk- of ann@example.test on n1, shown as &AOk-');
  assert.is(resolved('e\u0301', true), 'é of ann@example.test on n1, shown as é', 'Normalization Form C');
});

test('what is shown leads back to the same mailbox', () => {
  const level = fc.constantFrom('INBOX', 'inbox', 'user', 'shared', 'joe', 'ann', 'a', 'é');
  const name = fc.array(level, { minLength: 1, maxLength: 4 }).map((all) => all.join('/'));
  fc.assert(
    fc.property(name, (raw) => {
      const place = names.resolve(raw, true);
      if (place.ok) assert.equal(names.resolve(place.value.shown, true), place, raw);
    }),
    { numRuns: 2000 },
  );
});

test.run();
