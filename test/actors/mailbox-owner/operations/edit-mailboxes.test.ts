/** edit-mailboxes: what sessions change of mailboxes, by the rights of RFC 4314 §4. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SessionEdit } from '../../../../actors/mailbox-owner/mailbox-requests.ts';
import {
  MOST_ANNOTATION_OCTETS,
  MOST_ANNOTATIONS,
  MOST_SUBSCRIPTIONS,
} from '../../../../actors/mailbox-owner/operations/edit-notes.ts';
import { rightsFor } from '../../../../actors/mailbox-owner/rights.ts';
import { STANDARD_RIGHTS } from '../../../../store/rights.ts';
import { annotations, mailboxes, messages, subscriptions } from '../../../../store/tables.ts';
import { appendTo, editOf, lettersFor, type MailboxState, mailboxState, openMailboxes } from '../mailbox-state.ts';
import { openMaildrop } from '../state.ts';

const edit = (fresh: MailboxState, edits: SessionEdit, account = 'joe', of = 'joe') =>
  fresh.as(account, editOf(of, edits));
/** true, or what it was refused for. */
const says = (fresh: MailboxState, edits: SessionEdit, account = 'joe', of = 'joe') => {
  const answer = edit(fresh, edits, account, of);
  return answer.ok || answer.refusal;
};
const ready = (...names: string[]): MailboxState => {
  const fresh = mailboxState();
  for (const name of names) fresh.create(name);
  return fresh;
};
/** The letters on `name` with each of which alone ann may do it. */
const neededOn = (name: string, edits: SessionEdit, ...names: string[]) =>
  lettersFor((letter) => {
    const fresh = ready(...names);
    fresh.grant(name, 'ann', letter);
    const answer = says(fresh, edits, 'ann');
    const refused = edits.type === 'create' || letter === 'l' ? 'no-permission' : 'no-such-mailbox';
    if (answer !== true) assert.is(answer, refused);
    return answer === true;
  });

test('an account makes mailboxes of its own, with the superiors that they lack', () => {
  const fresh = ready();
  const made = edit(fresh, { type: 'create', name: 'a/b/c' });
  assert.equal(fresh.names(), ['INBOX', 'a', 'a/b', 'a/b/c']);
  const { mailbox, uidValidity } = fresh.ref('a/b/c');
  assert.equal(made, { ok: true, value: { going: null, created: { mailbox, uidValidity } } });
  assert.is(says(fresh, { type: 'create', name: 'a' }), 'exists');
  assert.is(says(fresh, { type: 'create', name: 'inbox' }), 'exists');
  assert.is(says(fresh, { type: 'create', name: 'INBOX' }, 'ann', 'ann'), 'exists');
  assert.is(says(fresh, { type: 'create', name: 'a//b' }), 'bad-name');
  assert.is(says(fresh, { type: 'create', name: 'x/'.repeat(50).concat('x') }), 'bad-name');
});

test('in another account CREATE needs `k` on the nearest superior that is there', () => {
  assert.is(neededOn('a', { type: 'create', name: 'a/b/c' }, 'a'), 'k');
  const fresh = ready('a', 'a/b');
  fresh.grant('a', 'ann', 'k');
  assert.is(says(fresh, { type: 'create', name: 'a/b/c' }, 'ann'), 'no-permission');
  assert.is(says(fresh, { type: 'create', name: 'top' }, 'ann'), 'no-permission');
  assert.is(says(fresh, { type: 'create', name: 'top' }, 'root'), true);
});

test('RFC 4314 §4: what is made below a mailbox has its list of rights', () => {
  const fresh = ready('a');
  fresh.grant('a', 'ann', 'lrk');
  fresh.grant('a', '-anyone', 'w');
  edit(fresh, { type: 'create', name: 'a/b/c' }, 'ann');
  for (const name of ['a/b', 'a/b/c']) assert.equal(fresh.rightsOn(name), { ann: 'lrk', '-anyone': 'w' });
});

test('RFC 6154 §3: what a mailbox is for is said when it is made, and can be changed', () => {
  const fresh = ready();
  const use = () => mailboxes.get(fresh.view, 'joe', fresh.ref('Sent').mailbox)?.specialUse;
  const create = (specialUse: string) => says(fresh, { type: 'create', name: 'Sent', specialUse });
  for (const none of ['\\All', '\\Flagged', 'Sent', '', '\\Sent \\Other', '\\Noselect']) {
    assert.is(create(none), 'bad-special-use', none);
  }
  assert.equal(fresh.names(), ['INBOX']);
  assert.is(create('\\trash \\SENT'), true);
  assert.is(use(), '\\Sent \\Trash');
  const set = (specialUse: string | null) => says(fresh, { type: 'set-special-use', name: 'sent', specialUse });
  assert.is(set('\\Junk'), 'no-such-mailbox');
  assert.is(says(fresh, { type: 'set-special-use', name: 'Sent', specialUse: '\\Junk' }), true);
  assert.is(use(), '\\Junk');
  assert.is(says(fresh, { type: 'set-special-use', name: 'Sent', specialUse: 'junk' }), 'bad-special-use');
  assert.is(says(fresh, { type: 'set-special-use', name: 'Sent', specialUse: null }), true);
  assert.is(use(), undefined);
  assert.is(neededOn('a', { type: 'set-special-use', name: 'a', specialUse: null }, 'a'), 'a');
});

test('DELETE needs `x`, and leaves inferiors; INBOX stays', () => {
  assert.is(neededOn('a', { type: 'delete', name: 'a' }, 'a'), 'x');
  const fresh = ready('a/b');
  fresh.fill('a', [0, 0]);
  assert.equal(edit(fresh, { type: 'delete', name: 'a' }), { ok: true, value: { going: null } });
  assert.equal(fresh.names(), ['INBOX', 'a/b']);
  assert.is(says(fresh, { type: 'delete', name: 'a' }), 'no-such-mailbox');
  assert.is(says(fresh, { type: 'delete', name: 'inbox' }), 'is-inbox');
});

test('a mailbox with very many messages goes in steps', () => {
  const fresh = ready('a');
  fresh.fill('a', new Array(500).fill(0));
  fresh.fill('a', [1, 2]);
  const { mailbox } = fresh.ref('a');
  assert.equal(edit(fresh, { type: 'delete', name: 'a' }), { ok: true, value: { going: mailbox } });
  assert.equal(fresh.names(), ['INBOX']);
  assert.ok(fresh.run({ type: 'clear', account: 'joe', mailbox, most: 500 }).ok);
  assert.equal([...messages.range(fresh.view, ['joe', mailbox])], []);
});

test('RENAME needs `x` on the mailbox and `k` on where it goes', () => {
  const rename = { type: 'rename', name: 'a', to: 'b/c' } as const;
  const may = (here: string, there: string) => {
    const fresh = ready('a', 'b');
    fresh.grant('a', 'ann', here);
    fresh.grant('b', 'ann', there);
    return says(fresh, rename, 'ann');
  };
  assert.is(
    lettersFor((letter) => may(letter, 'k') === true),
    'x',
  );
  assert.is(
    lettersFor((letter) => may('x', letter) === true),
    'k',
  );
  const fresh = ready('a/x', 'b');
  fresh.grant('a', 'ann', 'l');
  fresh.grant('b', 'ann', 'r');
  assert.is(says(fresh, { type: 'rename', name: 'a', to: 'b/c/d' }), true);
  assert.equal(fresh.names(), ['INBOX', 'b', 'b/c', 'b/c/d', 'b/c/d/x']);
  assert.equal([fresh.rightsOn('b/c'), fresh.rightsOn('b/c/d')], [{ ann: 'r' }, { ann: 'l' }]);
  assert.is(says(fresh, { type: 'rename', name: 'b/c', to: 'b/c/z' }), 'below-itself');
  assert.is(says(fresh, { type: 'rename', name: 'b/c', to: 'b' }), 'exists');
});

test('RFC 9051 §6.3.6: INBOX renamed stays, empty, with its rights and inferiors; its messages are in the new mailbox', () => {
  const fresh = ready('INBOX/sub', 'z');
  fresh.fill('INBOX', [1, 2]);
  fresh.grant('INBOX', 'ann', 'lr');
  const before = fresh.ref('INBOX');
  const { uidValidity } = before;
  assert.is(says(fresh, { type: 'rename', name: 'inbox', to: 'z' }), 'exists');
  assert.is(says(fresh, { type: 'rename', name: 'inbox', to: 'Inbox' }), 'exists');
  assert.is(says(fresh, { type: 'rename', name: 'inbox', to: 'old/mail' }), true);
  assert.equal(fresh.names(), ['INBOX', 'INBOX/sub', 'old', 'old/mail', 'z']);
  assert.equal(fresh.flags('INBOX'), []);
  assert.is(fresh.flags('old/mail').length, 3);
  const [inbox, moved] = [fresh.ref('INBOX'), fresh.ref('old/mail')];
  assert.is(inbox.uidValidity, uidValidity, 'it is the same, without its messages');
  assert.is.not(inbox.mailbox, before.mailbox);
  assert.is(moved.mailbox, before.mailbox);
  assert.ok(moved.uidValidity > uidValidity, 'and the other is a new one');
  const row = mailboxes.get(fresh.view, 'joe', inbox.mailbox)!;
  assert.equal([row.uidNext, row.recentFrom, row.modSeq, row.vanishedFrom], [4, 4, 4, 4]);
  for (const name of ['INBOX', 'old/mail']) assert.equal(fresh.rightsOn(name), { ann: 'lr' });
  assert.equal(fresh.rightsOn('old'), {});
  assert.ok(fresh.run(openMaildrop('m')).ok, 'the new one is the maildrop');
  assert.is(says(fresh, { type: 'rename', name: 'INBOX', to: 'INBOX/2026' }), true);
  assert.ok(fresh.names().includes('INBOX/2026') && fresh.names().includes('INBOX'));
  assert.is(says(fresh, { type: 'rename', name: 'INBOX', to: 'n' }, 'ann'), 'no-permission');
});

test('SETACL and DELETEACL need `a`, and INBOX is no exception', () => {
  assert.is(neededOn('a', { type: 'set-rights', name: 'a', identifier: 'bob', rights: 'lr' }, 'a'), 'a');
  assert.is(neededOn('a', { type: 'delete-rights', name: 'a', identifier: 'bob' }, 'a'), 'a');
  assert.is(neededOn('INBOX', { type: 'set-rights', name: 'inbox', identifier: 'bob', rights: 'lr' }), 'a');
  const fresh = ready('a');
  edit(fresh, { type: 'set-rights', name: 'a', identifier: 'ann', rights: 'lrd' });
  edit(fresh, { type: 'set-rights', name: 'a', identifier: 'ann', rights: '+i' });
  assert.equal(fresh.rightsOn('a'), { ann: 'lrite' });
  assert.is(says(fresh, { type: 'set-rights', name: 'a', identifier: 'ann', rights: 'lq' }), 'bad-rights');
  edit(fresh, { type: 'delete-rights', name: 'a', identifier: 'ann' });
  assert.equal(fresh.rightsOn('a'), {});
  assert.ok(edit(fresh, { type: 'delete-rights', name: 'a', identifier: 'ann' }).ok);
});

test('I-19: an owner’s own entry begins with all rights, never loses `l` and `a`, and is as written from then on', () => {
  const fresh = ready('a');
  const held = () => rightsFor(fresh.view, { account: 'joe' }, 'joe', fresh.ref('a').mailbox);
  const set = (rights: string) => edit(fresh, { type: 'set-rights', name: 'a', identifier: 'joe', rights });
  for (const [rights, expected] of [
    ['+p', STANDARD_RIGHTS],
    ['-x', 'lrswipktea'],
    ['+x', STANDARD_RIGHTS],
    [`-${STANDARD_RIGHTS}`, 'la'],
    ['+r', 'lra'],
    ['', 'la'],
    ['rs', 'lrsa'],
  ]) {
    assert.ok(set(rights!).ok, rights);
    assert.is(held(), expected!, rights);
  }
  assert.ok(edit(fresh, { type: 'delete-rights', name: 'a', identifier: 'joe' }).ok);
  assert.is(held(), STANDARD_RIGHTS);
});

test('subscriptions are made in one’s own account alone', () => {
  const fresh = ready('a');
  assert.is(says(fresh, { type: 'subscribe', name: 'a' }, 'ann', 'joe'), 'no-permission');
  assert.is(says(fresh, { type: 'unsubscribe', name: 'a' }, 'root', 'joe'), 'no-permission');
  assert.equal([...subscriptions.range(fresh.view, [])], []);
});

const subscribed = (fresh: MailboxState, account = 'joe') =>
  [...subscriptions.range(fresh.view, [account])].map(({ key }) => key[1]);

test("subscriptions are the session's account's, and of any name", () => {
  const fresh = ready();
  for (const name of ['inbox', 'user/ann/x', 'INBOX']) assert.is(says(fresh, { type: 'subscribe', name }), true);
  assert.is(says(fresh, { type: 'subscribe', name: 'mine' }, 'ann', 'ann'), true);
  assert.is(says(fresh, { type: 'subscribe', name: 'a\r\nb' }), 'bad-name');
  assert.equal(subscribed(fresh), ['INBOX', 'user/ann/x']);
  assert.equal(subscribed(fresh, 'ann'), ['mine']);
  for (const name of ['user/ann/x', 'never']) assert.is(says(fresh, { type: 'unsubscribe', name }), true);
  assert.equal(subscribed(fresh), ['INBOX']);
});

test('an account has so many subscriptions, which go with it, step by step', () => {
  const fresh = ready();
  for (let at = 0; at < MOST_SUBSCRIPTIONS; at++) subscriptions.put(fresh.view as never, ['ann', `m${at}`], null);
  assert.is(says(fresh, { type: 'subscribe', name: 'more' }, 'ann', 'ann'), 'too-many');
  assert.is(says(fresh, { type: 'subscribe', name: 'm7' }, 'ann', 'ann'), true);
  let steps = 0;
  for (let more = true; more; steps++) {
    const step = fresh.run({ type: 'drop-account', account: 'ann', most: 2_000, now: 1 });
    assert.ok(step.ok);
    more = step.value.more;
  }
  assert.is(steps, 3);
  assert.equal(subscribed(fresh, 'ann'), []);
});

const annotate = (name: string | null, entry: string, value: string | null, isPrivate = false): SessionEdit => ({
  type: 'set-annotations',
  name,
  annotations: [{ entry, isPrivate, value: value === null ? null : Buffer.from(value) }],
});
const noted = (fresh: MailboxState) =>
  [...annotations.range(fresh.view, [])].map(({ key: [, mailbox, entry, who], row }) => [
    mailbox,
    entry,
    who,
    String(row),
  ]);

test('RFC 5464: annotations are shared or of one account, and a value of none removes them', () => {
  const fresh = ready('a');
  fresh.grant('a', 'ann', 'lr');
  const { mailbox } = fresh.ref('a');
  assert.is(says(fresh, annotate('a', '/comment', 'all see it')), true);
  assert.is(says(fresh, annotate('a', '/comment', 'mine', true)), true);
  assert.is(says(fresh, annotate('a', '/comment', 'hers', true), 'ann'), true);
  assert.is(says(fresh, annotate('a', '/comment', '', true), 'ann'), true);
  assert.is(says(fresh, annotate('a', '/other', null)), true);
  assert.equal(noted(fresh), [
    [mailbox, '/comment', '', 'all see it'],
    [mailbox, '/comment', 'ann', ''],
    [mailbox, '/comment', 'joe', 'mine'],
  ]);
  assert.is(says(fresh, annotate('a', '/comment', null)), true);
  assert.is(noted(fresh).length, 2);
  assert.ok(edit(fresh, { type: 'delete', name: 'a' }).ok);
  assert.equal(noted(fresh), []);
});

test('RFC 5464 §3.3: annotations need `l` and one of `rswip`, and what all see needs `w`', () => {
  const may = (letters: string, isPrivate: boolean) => {
    const fresh = ready('a');
    fresh.grant('a', 'ann', letters);
    return says(fresh, annotate('a', '/comment', 'x', isPrivate), 'ann');
  };
  assert.is(
    lettersFor((letter) => may(`l${letter}`, true) === true),
    'rswip',
  );
  assert.is(
    lettersFor((letter) => may(`l${letter}`, false) === true),
    'w',
  );
  assert.is(may('rw', true), 'no-such-mailbox');
  assert.is(may('l', true), 'no-permission');
});

test("the server's annotations: each account its own, what all see who administers", () => {
  const fresh = ready();
  assert.is(says(fresh, annotate(null, '/comment', 'mine', true)), true);
  assert.is(says(fresh, annotate(null, '/comment', 'all see it')), 'no-permission');
  assert.is(says(fresh, annotate(null, '/comment', 'x', true), 'ann'), 'no-permission');
  assert.is(says(fresh, annotate(null, '/admin', 'me'), 'root'), true);
  assert.equal(noted(fresh), [
    [0, '/admin', '', 'me'],
    [0, '/comment', 'joe', 'mine'],
  ]);
});

test('RFC 5464 §4.3: annotations have their limits, and of one request all are set or none', () => {
  const fresh = ready('a');
  assert.is(says(fresh, annotate('a', '/big', 'x'.repeat(MOST_ANNOTATION_OCTETS))), true);
  assert.is(says(fresh, annotate('a', '/big', 'x'.repeat(MOST_ANNOTATION_OCTETS + 1))), 'too-large');
  const value = Buffer.from('x');
  const many = (from: number, to: number): SessionEdit => ({
    type: 'set-annotations',
    name: 'a',
    annotations: Array.from({ length: to - from }, (_, at) => ({ entry: `/e${from + at}`, isPrivate: false, value })),
  });
  assert.is(says(fresh, many(0, MOST_ANNOTATIONS)), 'too-many');
  assert.is(noted(fresh).length, 1);
  assert.is(says(fresh, many(1, MOST_ANNOTATIONS)), true);
  assert.is(says(fresh, many(MOST_ANNOTATIONS, MOST_ANNOTATIONS + 1)), 'too-many');
  assert.is(says(fresh, many(1, 9)), true);
  assert.is(says(fresh, annotate('a', '/mine', 'x', true)), true);
});

test('the same counter again gets the stored answer, and a ticket that administers has all rights', () => {
  const fresh = ready();
  const once = { ...editOf('joe', { type: 'create', name: 'a' }), session: 's-root', counter: 40 };
  const answer = fresh.run(once);
  assert.ok(answer.ok);
  assert.equal(fresh.run(once), answer);
  assert.equal(fresh.changes(), []);
  assert.ok(fresh.as('root', appendTo('a')).ok);
  const resumed = fresh.run(openMailboxes('s-joe', 'joe'));
  assert.equal(resumed, { ok: true, value: { account: 'joe', counter: 0, maildrop: null } });
});

test('an account has so many octets of annotations in all, which go step by step with their mailbox', () => {
  const fresh = ready('a', 'b');
  const value = Buffer.alloc(MOST_ANNOTATION_OCTETS - 200);
  const set = (name: string, entry: string, octets: Uint8Array | null) =>
    says(fresh, { type: 'set-annotations', name, annotations: [{ entry, isPrivate: false, value: octets }] });
  for (let at = 0; at < 16; at++) assert.is(set(at % 2 === 0 ? 'a' : 'b', `/comment/${at}`, value), true);
  assert.is(set('b', '/comment/more', value), 'too-many');
  assert.is(set('b', '/comment/1', value), true, 'in place of what is there');
  assert.is(set('a', '/comment/0', null), true);
  assert.is(set('b', '/comment/more', value), true);
  const { mailbox } = fresh.ref('b');
  for (let at = 0; at < 1_200; at++) {
    annotations.put(fresh.view as never, ['joe', mailbox, `/private/${at}`, 'ann'], Buffer.from('x'));
  }
  const deleted = edit(fresh, { type: 'delete', name: 'b' });
  assert.ok(deleted.ok && deleted.value.going === mailbox);
  let steps = 1;
  for (let more = true; more; steps++) {
    const step = fresh.run({ type: 'clear', account: 'joe', mailbox, most: 500 });
    assert.ok(step.ok);
    more = step.value.more;
  }
  assert.is(steps, 3);
  assert.equal([...annotations.range(fresh.view, ['joe', mailbox])], []);
});

test.run();
