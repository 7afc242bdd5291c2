/** copy: COPY and MOVE, RFC 9051 §6.4.7 and §6.4.8. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Copy } from '../../../../actors/mailbox-owner/operation.ts';
import { MOST_COPIED_AT_ONCE, MOST_EXPUNGED_AT_ONCE } from '../../../../actors/mailbox-owner/operations/limits.ts';
import { ALL_FLAGS, FLAG } from '../../../../store/flags.ts';
import { accounts, blobs, mailboxes, messages } from '../../../../store/tables.ts';
import { vanishedSince } from '../../../../store/vanished.ts';
import { appendTo, editOf, lettersFor, type MailboxState, mailboxState, message, uids } from '../mailbox-state.ts';
import { NOW, sha256 } from '../state.ts';

const { seen, deleted, flagged } = FLAG;

/** `work` with four messages, `play` with one; ann has an INBOX. */
const ready = (): MailboxState => {
  const fresh = mailboxState();
  for (const name of ['work', 'play']) fresh.create(name);
  const four = [message('a', seen), message('b', deleted), message('c', flagged, ['Todo']), message('d')];
  assert.ok(fresh.as('joe', appendTo('work', 'joe', { messages: four })).ok);
  fresh.fill('play', [0]);
  assert.ok(fresh.as('ann', appendTo('INBOX', 'ann')).ok);
  return fresh;
};
const copy = (fresh: MailboxState, more: Partial<Copy> = {}, account = 'joe') =>
  fresh.as(account, {
    type: 'copy',
    from: more.from ?? fresh.ref('work'),
    uids: uids([1, 3], 8),
    to: { account: 'joe', withInbox: true, name: 'play' },
    move: false,
    now: NOW + 5,
    ...more,
  });

test('those that are there are copied, with all that they are, and the rest is passed over', () => {
  const fresh = ready();
  const { mailbox, uidValidity } = fresh.ref('play');
  const value = { mailbox, uidValidity, modSeq: 3, source: uids([1, 3]), destination: uids([2, 4]) };
  assert.equal(copy(fresh), { ok: true, value });
  assert.equal(fresh.flags('play').slice(1), [
    [2, seen],
    [3, deleted],
    [4, flagged, 'Todo'],
  ]);
  const source = messages.get(fresh.view, 'joe', fresh.ref('work').mailbox, 3)!;
  const there = messages.get(fresh.view, 'joe', mailbox, 4)!;
  const { sequence, modSeq, saveDate, ...same } = there;
  assert.equal(same, {
    ...same,
    internalDate: source.internalDate,
    emailId: source.emailId,
    blob: source.blob,
    sizeOctets: source.sizeOctets,
  });
  assert.equal([modSeq, saveDate, sequence], [3, NOW + 5, 9]);
  assert.not.ok('emailOf' in there);
  assert.is(blobs.get(fresh.view, sha256(Buffer.from('a')))?.references, 2);
});

test('where so many have to be there and one is not, nothing is copied (RFC 2180 §4.4.1)', () => {
  const fresh = ready();
  for (const move of [false, true]) {
    assert.equal(copy(fresh, { least: 4, uids: uids([1, 3], 8), move }), { ok: false, refusal: 'gone' });
    assert.equal(fresh.changes(), []);
  }
  assert.ok(copy(fresh, { least: 3, uids: uids([1, 3], 8) }).ok);
});

test('where nothing is there nothing is copied, and that is an answer', () => {
  const fresh = ready();
  const answer = copy(fresh, { uids: uids([9, 2 ** 32 - 1]), move: true });
  assert.ok(answer.ok);
  assert.equal([answer.value.source, answer.value.destination, answer.value.modSeq], [[], [], 2]);
  assert.equal(fresh.changes(), ['SessionAnswered']);
});

test('one copy names no more messages than a stroke of the writer is for', () => {
  const fresh = ready();
  fresh.create('many');
  for (let left = MOST_COPIED_AT_ONCE + 1; left > 0; left -= 500) {
    const filled = Array.from({ length: Math.min(left, 500) }, () => message('x'));
    assert.ok(fresh.as('joe', appendTo('many', 'joe', { messages: filled })).ok);
  }
  const from = fresh.ref('many');
  const [most, more] = [uids([1, MOST_COPIED_AT_ONCE]), uids([1, MOST_COPIED_AT_ONCE + 1])];
  for (const move of [false, true]) assert.throws(() => copy(fresh, { from, uids: more, move }), RangeError);
  const answer = copy(fresh, { from, uids: most });
  assert.ok(answer.ok);
  assert.equal([answer.value.source, answer.value.destination], [most, uids([2, MOST_COPIED_AT_ONCE + 1])]);
  // What one expunge may remove, a move does too: as long a stroke.
  assert.ok(MOST_COPIED_AT_ONCE <= MOST_EXPUNGED_AT_ONCE);
});

test('RFC 6851 §3.1: a move copies and expunges in one, and only what it names', () => {
  const fresh = ready();
  const answer = copy(fresh, { move: true });
  assert.ok(answer.ok && answer.value.expunged === 3);
  assert.equal(fresh.changes(), ['Copied', 'Expunged', 'SessionAnswered']);
  assert.equal(fresh.flags('work'), [[4, 0]]);
  assert.equal(
    fresh.flags('play').map(([uid]) => uid),
    [1, 2, 3, 4],
  );
  const { mailbox } = fresh.ref('work');
  const row = mailboxes.get(fresh.view, 'joe', mailbox)!;
  assert.equal(vanishedSince(fresh.view, 'joe', mailbox, row, 2), uids([1, 3]));
  assert.is(accounts.get(fresh.view, 'joe')?.messages, 6);
  assert.is(blobs.get(fresh.view, sha256(Buffer.from('a')))?.references, 1);
});

test('a mailbox can be copied into itself, and moved into itself', () => {
  const fresh = ready();
  const to = { account: 'joe', withInbox: true, name: 'work' };
  assert.ok(copy(fresh, { to }).ok);
  assert.is(fresh.flags('work').length, 7);
  const moved = copy(fresh, { to, move: true });
  assert.ok(moved.ok);
  assert.equal([moved.value.modSeq, moved.value.expunged, moved.value.destination], [4, 5, uids([8, 10])]);
  assert.equal(
    fresh.flags('work').map(([uid]) => uid),
    [4, 5, 6, 7, 8, 9, 10],
  );
});

const toAnn = { account: 'ann', withInbox: false, name: 'INBOX' };

test('RFC 8474 §5.1: a copy has the same EMAILID, in another account too, and so has a copy of the copy', () => {
  const fresh = ready();
  fresh.grant('INBOX', 'joe', 'li', 'ann');
  assert.ok(copy(fresh, { to: toAnn, uids: uids(3) }).ok);
  const source = messages.get(fresh.view, 'joe', fresh.ref('work').mailbox, 3)!;
  const there = messages.get(fresh.view, 'ann', 1, 2)!;
  assert.equal([there.emailOf, there.emailId], ['joe', source.emailId]);
  fresh.grant('play', 'ann', 'li');
  const from = fresh.ref('INBOX', 'ann');
  assert.ok(copy(fresh, { from, uids: uids(2) }, 'ann').ok);
  const back = messages.get(fresh.view, 'joe', fresh.ref('play').mailbox, 2)!;
  assert.equal([back.emailOf, back.emailId], [undefined, source.emailId]);
});

test('all that are there are copied or none, where the account that gets them has a quota', () => {
  const fresh = ready();
  fresh.grant('INBOX', 'joe', 'li', 'ann');
  const used = accounts.get(fresh.view, 'ann')!;
  const tries: [Partial<Copy>, string | true][] = [
    [{ quotaOctets: used.octets + 2 }, 'over-quota'],
    [{ quotaMessages: used.messages + 2 }, 'over-quota'],
    [{ quotaOctets: used.octets + 2, move: true }, 'over-quota'],
    [{ sizeLimitOctets: 1, quotaOctets: used.octets + 3, quotaMessages: used.messages + 3 }, true],
  ];
  for (const [limits, expected] of tries) {
    const answer = copy(fresh, { to: toAnn, ...limits });
    assert.is(answer.ok || answer.refusal, expected);
  }
  assert.is(fresh.flags('INBOX', 'ann').length, 4);
  const own = copy(fresh, { quotaOctets: 1, quotaMessages: 1 });
  assert.equal(own, { ok: false, refusal: 'over-quota' });
  assert.ok(copy(fresh, { quotaOctets: 1, quotaMessages: 1, move: true }).ok, 'what only moves takes no room');
  fresh.fill('work', [0]);
  const large = [message('much too large')];
  assert.ok(fresh.as('joe', appendTo('work', 'joe', { messages: large })).ok);
  assert.equal(copy(fresh, { uids: uids([1, 9]), sizeLimitOctets: 5 }), { ok: false, refusal: 'too-large' });
});

test('`r` there and `i` here are needed, and for a move `t` and `e` too', () => {
  const may = (there: string, here: string, move = false) => {
    const fresh = ready();
    fresh.grant('work', 'ann', there);
    fresh.grant('play', 'ann', here);
    const answer = copy(fresh, { move }, 'ann');
    if (!answer.ok) assert.is(fresh.flags('play').length, 1);
    return answer.ok || answer.refusal;
  };
  assert.is(
    lettersFor((letter) => may(letter, 'i') === true),
    'r',
  );
  assert.is(
    lettersFor((letter) => may('r', letter) === true),
    'i',
  );
  assert.is(may('l', 'i'), 'no-permission');
  assert.is(may('w', 'i'), 'no-such-mailbox');
  assert.is(may('r', 'l'), 'no-permission');
  assert.is(may('r', 'r'), 'no-such-destination');
  assert.is(may('rte', 'i', true), true);
  for (const there of ['lrt', 'lre', 'lte']) assert.is(may(there, 'i', true), 'no-permission');
});

test('flags whose right is missing at the destination are left out', () => {
  const fresh = ready();
  fresh.as('joe', {
    type: 'store-flags',
    ref: fresh.ref('work'),
    uids: uids(1),
    mode: 'add',
    flags: ALL_FLAGS,
    keywords: ['Todo'],
  });
  fresh.grant('work', 'ann', 'r');
  for (const [at, [letters, ...expected]] of (
    [
      ['i', 0],
      ['is', seen],
      ['it', deleted],
      ['iw', ALL_FLAGS & ~(seen | deleted), 'Todo'],
    ] as const
  ).entries()) {
    fresh.grant('play', 'ann', letters);
    assert.ok(copy(fresh, { uids: uids(1) }, 'ann').ok);
    assert.equal(fresh.flags('play').at(-1), [at + 2, ...expected]);
  }
});

test('a destination that is not there is named as such, and a source that was deleted as another thing', () => {
  const fresh = ready();
  for (const name of ['missing', 'a//b', '']) {
    const to = { account: 'joe', withInbox: true, name };
    assert.equal(copy(fresh, { to }), { ok: false, refusal: 'no-such-destination' });
  }
  const from = fresh.ref('work');
  fresh.as('joe', editOf('joe', { type: 'delete', name: 'work' }));
  assert.equal(copy(fresh, { from }), { ok: false, refusal: 'no-such-mailbox' });
});

test('the same counter again gets the stored answer, and copies nothing', () => {
  const fresh = ready();
  const to = { account: 'joe', withInbox: true, name: 'play' };
  const from = fresh.ref('work');
  const once = { type: 'copy', session: 's-joe', counter: 9, from, uids: uids(1), to, move: true, now: NOW } as const;
  const answer = fresh.run(once);
  assert.ok(answer.ok && answer.value.source.length === 1);
  assert.equal(fresh.run(once), answer);
  assert.is(fresh.flags('play').length, 2);
});

test.run();
