/** open: sessions begin, are resumed, and hold the one lock of a maildrop. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accounts, locks, mailboxes } from '../../../../store/tables.ts';
import { deliverTo, front, NOW, openDelivery, openMaildrop, state } from '../state.ts';

const maildropOf = (answer: ReturnType<ReturnType<typeof state>['run']>) =>
  (answer as { value: { maildrop: { lock: number; uidValidity: number; uidNext: number } } }).value.maildrop;

test('a maildrop that never had mail is empty, and keeps the UIDVALIDITY that it was shown with', () => {
  const { run, view } = state();
  const first = maildropOf(run(openMaildrop('s1')));
  assert.equal([first.uidNext, first.uidValidity, first.lock], [1, NOW / 1000, 1]);
  run({ type: 'close', session: 's1', now: NOW });
  const again = maildropOf(run(openMaildrop('s2', 'joe', { now: NOW + 86_400_000 })));
  assert.equal([again.uidNext, again.uidValidity, again.lock], [1, NOW / 1000, 2]);
  assert.is(mailboxes.get(view, 'joe', 1)?.name, 'INBOX');
});

test('a second session of the account is refused while the first holds the lock (RFC 1939 §4)', () => {
  const { run, view } = state();
  run(openMaildrop('s1'));
  assert.equal(run(openMaildrop('s2')), { ok: false, refusal: 'in-use' });
  assert.ok(run(openMaildrop('s3', 'ann')).ok);
  assert.is(locks.get(view, 'joe')?.session, 's1');
});

test('a session whose front is gone makes way, and can not be resumed', () => {
  const { run, view } = state();
  run(openMaildrop('s1'));
  assert.is(maildropOf(run(openMaildrop('s2', 'joe', { abandoned: 's1' }))).lock, 2);
  assert.is(locks.get(view, 'joe')?.session, 's2');
  assert.equal(run(openMaildrop('s1', 'joe', { again: true })), { ok: false, refusal: 'session-ended' });
});

test('only the session that was found abandoned makes way, not one that took its place meanwhile', () => {
  const { run } = state();
  run(openMaildrop('s1'));
  run({ type: 'close', session: 's1', now: NOW });
  run(openMaildrop('s2'));
  assert.equal(run(openMaildrop('s3', 'joe', { abandoned: 's1' })), { ok: false, refusal: 'in-use' });
});

test('a session opened again is the same: its lock, its maildrop as first seen, its counter', () => {
  const { run, changes } = state();
  run(openDelivery('d'));
  const first = run(openMaildrop('s1'));
  run(deliverTo('d', 1, 'new mail', 'joe'));
  assert.equal(run(openMaildrop('s1', 'joe', { again: true })), first);
  assert.equal(changes(), []);
  const delivery = run(openDelivery('d', { again: true }));
  assert.equal(delivery, { ok: true, value: { account: null, counter: 1, maildrop: null } });
});

test('a session that ended is not opened again, by whatever ticket', () => {
  const { run } = state();
  run(openMaildrop('s1'));
  run({ type: 'close', session: 's1', now: NOW });
  for (const again of [true, false]) {
    assert.equal(run(openMaildrop('s1', 'joe', { again })), { ok: false, refusal: 'session-ended' });
  }
});

test('a session that went between the look and the decision is not begun by a ticket that may have expired', () => {
  const { run } = state();
  assert.equal(run(openMaildrop('s1', 'joe', { again: true })), { ok: false, refusal: 'session-ended' });
});

test('a ticket opens its own session, for what it grants, of its own front and account, and nothing else', () => {
  const { run } = state();
  const refused = { ok: false, refusal: 'ticket-refused' };
  const { admission } = openMaildrop('s1');
  assert.equal(run(openMaildrop('s2', 'joe', { admission })), refused);
  assert.equal(run(openDelivery('s1', { admission })), refused);
  assert.equal(run(openMaildrop('s1', 'joe', { admission: { ...admission, rights: ['deliver'] } })), refused);
  assert.equal(run(openMaildrop('s1', 'joe', { admission: { ...admission, account: null } })), refused);
  const both = { ...admission, rights: ['maildrop', 'deliver'] };
  assert.equal(run(openDelivery('s1', { admission: both })), refused);
  run(openMaildrop('s1'));
  assert.equal(run(openMaildrop('s1', 'ann', { again: true })), refused);
  const elsewhere = { me: front.me, startId: 'start-2' };
  assert.equal(run(openMaildrop('s1', 'joe', { again: true, front: elsewhere })), refused);
});

test('a maildrop made after the clock went back still has a higher UIDVALIDITY (RFC 9051 §2.3.1.1)', () => {
  const { run, view } = state();
  run(openMaildrop('s1'));
  run({ type: 'drop-account', account: 'joe', most: 10, now: NOW });
  assert.is(maildropOf(run(openMaildrop('s2', 'joe', { now: 1_000 }))).uidValidity, NOW / 1000 + 1);
  assert.is(accounts.get(view, 'joe')?.lastLock, 2);
});

test.run();
