/** expunge: RFC 9051 §6.4.3 and §6.4.9. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Expunge } from '../../../../actors/mailbox-owner/operation.ts';
import { MOST_EXPUNGED_AT_ONCE } from '../../../../actors/mailbox-owner/operations/limits.ts';
import { FLAG } from '../../../../store/flags.ts';
import { accounts, mailboxes } from '../../../../store/tables.ts';
import { countIn } from '../../../../store/uid-ranges.ts';
import { vanishedSince } from '../../../../store/vanished.ts';
import { editOf, lettersFor, type MailboxState, mailboxState, uids } from '../mailbox-state.ts';

const { deleted, seen } = FLAG;

const ready = (flags: readonly number[] = [deleted, seen, deleted | seen, 0, deleted]): MailboxState => {
  const fresh = mailboxState();
  fresh.create('work');
  fresh.fill('work', flags);
  return fresh;
};
const expunge = (fresh: MailboxState, of: Expunge['uids'] = null, account = 'joe') =>
  fresh.as(account, { type: 'expunge', ref: fresh.ref('work'), uids: of });

test('those with \\Deleted go, and what is told of it is remembered', () => {
  const fresh = ready();
  assert.equal(expunge(fresh), { ok: true, value: { modSeq: 3, uids: uids(1, 3, 5), more: false } });
  assert.equal(fresh.flags('work'), [
    [2, seen],
    [4, 0],
  ]);
  const { mailbox } = fresh.ref('work');
  const row = mailboxes.get(fresh.view, 'joe', mailbox)!;
  assert.equal(vanishedSince(fresh.view, 'joe', mailbox, row, 2), uids(1, 3, 5));
  assert.equal([row.uidNext, row.messages, row.deleted, row.unseen], [6, 2, 0, 1]);
  assert.is(accounts.get(fresh.view, 'joe')?.messages, 3);
});

test('of UIDs that are named only those with \\Deleted go', () => {
  const fresh = ready();
  assert.equal(expunge(fresh, uids([2, 4], 9)), { ok: true, value: { modSeq: 3, uids: uids(3), more: false } });
  assert.equal(expunge(fresh, uids(2)), { ok: true, value: { modSeq: 3, uids: [], more: false } });
  assert.equal(fresh.changes(), ['SessionAnswered']);
});

test('the right `e` is needed, and is enough', () => {
  const needed = lettersFor((letter) => {
    const fresh = ready();
    fresh.grant('work', 'ann', letter);
    const answer = expunge(fresh, null, 'ann');
    if (!answer.ok) assert.is(answer.refusal, letter === 'l' ? 'no-permission' : 'no-such-mailbox');
    assert.is(fresh.flags('work').length, answer.ok ? 2 : 5);
    return answer.ok;
  });
  assert.is(needed, 'e');
});

test('the same counter again removes nothing that was marked since', () => {
  const fresh = ready();
  const once = { type: 'expunge', session: 's-joe', counter: 3, ref: fresh.ref('work'), uids: null } as const;
  const answer = fresh.run(once);
  fresh.fill('work', [deleted]);
  assert.equal(fresh.run(once), answer);
  assert.equal(fresh.changes(), []);
  assert.is(fresh.flags('work').length, 3);
});

test('a mailbox that was deleted meanwhile has nothing to remove', () => {
  const fresh = ready();
  const ref = fresh.ref('work');
  fresh.as('joe', editOf('joe', { type: 'delete', name: 'work' }));
  assert.equal(expunge({ ...fresh, ref: () => ref }), { ok: false, refusal: 'no-such-mailbox' });
});

test('very many go step by step', () => {
  const fresh = mailboxState();
  fresh.create('work');
  for (let at = 0; at < 3; at++) fresh.fill('work', new Array(500).fill(deleted));
  const first = expunge(fresh);
  assert.ok(first.ok && first.value.more);
  assert.is(countIn(first.value.uids), MOST_EXPUNGED_AT_ONCE);
  const last = expunge(fresh);
  assert.ok(last.ok && !last.value.more && last.value.modSeq === first.value.modSeq + 1);
  assert.equal(last.value.uids, uids([1001, 1500]));
});

test.run();
